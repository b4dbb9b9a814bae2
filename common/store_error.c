/* store_error - see store_error.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_error.h"

#include "status.h"

#include <stddef.h>

static const struct {
    unsigned error;
    enum store_error meaning;
} errors[] = {
    {1020, STORE_ERROR_RETRY},     /* record has changed since last read */
    {1040, STORE_ERROR_LOST},      /* too many connections */
    {1047, STORE_ERROR_LOST},      /* cluster: this node is not ready */
    {1053, STORE_ERROR_LOST},      /* server shutdown in progress */
    {1062, STORE_ERROR_DUPLICATE}, /* duplicate key */
    {1152, STORE_ERROR_LOST},      /* aborted connection */
    {1158, STORE_ERROR_LOST},      /* the server could not read from us */
    {1159, STORE_ERROR_LOST},
    {1160, STORE_ERROR_LOST}, /* ... or write to us */
    {1161, STORE_ERROR_LOST},
    {1180, STORE_ERROR_RETRY},     /* error during commit: quorum was lost */
    {1205, STORE_ERROR_RETRY},     /* lock wait timeout */
    {1213, STORE_ERROR_RETRY},     /* deadlock, certification failure */
    {1243, STORE_ERROR_LOST},      /* the server forgot the statement */
    {1317, STORE_ERROR_NO_ANSWER}, /* query was interrupted */
    {1615, STORE_ERROR_RETRY},     /* prepared statement needs re-prepare */
    {1927, STORE_ERROR_LOST},      /* connection was killed */
    {1969, STORE_ERROR_NO_ANSWER}, /* max_statement_time exceeded */
    {2002, STORE_ERROR_LOST},      /* cannot connect, socket */
    {2003, STORE_ERROR_LOST},      /* cannot connect, TCP */
    {2006, STORE_ERROR_LOST},      /* server has gone away */
    {2012, STORE_ERROR_LOST},      /* error in the handshake */
    {2013, STORE_ERROR_LOST},      /* lost connection during the query */
    {2014, STORE_ERROR_LOST},      /* commands out of sync */
    {2027, STORE_ERROR_LOST},      /* malformed packet */
    {2055, STORE_ERROR_LOST},      /* lost connection, with a place */
};

enum store_error store_error_class(unsigned error)
{
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        if (errors[i].error == error)
            return errors[i].meaning;
    }
    return STORE_ERROR_OTHER;
}
