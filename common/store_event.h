/*
 * store_event - a line of history, written inside a transaction
 *
 * For store*.c and apply, who write it together with what it tells.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_EVENT_H
#define COMMON_STORE_EVENT_H

#include "status.h"
#include "store.h"
#include "strbuf.h"

#include <stdbool.h>

struct store_connection;

/*
 * Writes the event; the first of a transaction has its token.
 * STATUS_OK, STATUS_TEMPFAIL, or STATUS_DENIED: it is there already.
 */
enum status store_event_insert(struct store_connection *db,
                               const struct store_event *event,
                               struct errtext *err) MUST_CHECK;

/*
 * Writes many at once; the first of them has the transaction's token.
 * STATUS_OK, STATUS_TEMPFAIL or STATUS_DENIED as above.
 */
enum status store_event_insert_many(struct store_connection *db,
                                    const struct store_event *events,
                                    size_t count,
                                    struct errtext *err) MUST_CHECK;

/*
 * Writes the event unless the same one (kind, address, reason) was written in
 * that time. STATUS_OK or STATUS_TEMPFAIL.
 */
enum status store_event_insert_once(struct store_connection *db,
                                    const struct store_event *event,
                                    unsigned once_in_seconds,
                                    struct errtext *err) MUST_CHECK;

/*
 * Appends "name": "value" of a JSON object, with a comma where one belongs;
 * what is no UTF-8 becomes U+FFFD. The caller writes the braces.
 */
void store_event_member(struct strbuf *json, const char *name,
                        const char *value);

#endif
