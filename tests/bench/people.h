/*
 * people - the people of the benchmark, by number
 *
 * Number n is u<n>@d<n modulo 20>.example with a password, an entryUUID and a
 * DN that follow from n, so that directory, database and load generator agree
 * without a file between them.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_BENCH_PEOPLE_H
#define TESTS_BENCH_PEOPLE_H

#define PEOPLE_DOMAINS 20U
#define PEOPLE_MAX 10000000U
#define PEOPLE_BASE "dc=bench"
#define PEOPLE_TEXT_BYTES 64 /* enough for any of the texts below */

/* Each writes a terminated text of at most PEOPLE_TEXT_BYTES to out. */
void people_user(unsigned number, char *out);   /* the part before the @ */
void people_domain(unsigned number, char *out); /* the part behind it */
void people_password(unsigned number, char *out);
void people_uuid(unsigned number, char *out);

#endif
