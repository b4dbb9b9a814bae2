/*
 * store_error - what an error number of MariaDB means for us
 *
 * One table, for the server's and the client library's numbers. Pure.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_ERROR_H
#define COMMON_STORE_ERROR_H

enum store_error {
    STORE_ERROR_RETRY,     /* the same transaction may work in a moment */
    STORE_ERROR_LOST,      /* likewise, on another connection */
    STORE_ERROR_NO_ANSWER, /* the server gave up; no use in asking again now */
    STORE_ERROR_DUPLICATE, /* the key is there already: an answer */
    STORE_ERROR_OTHER      /* our fault or the administrator's */
};

/* Returns the class of an error number; 0 is STORE_ERROR_OTHER. */
enum store_error store_error_class(unsigned error);

#endif
