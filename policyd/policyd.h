/*
 * policyd - the policy service: sockets, rules, counters, control socket
 *
 * Puts together what common/ and the rules offer. One struct, made and ended
 * by main.c; its functions are those of struct daemon_hooks.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_POLICYD_H
#define POLICYD_POLICYD_H

#include "listen.h"
#include "log.h"
#include "status.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stdint.h>

struct policyd;

enum status policyd_new(const char *path, struct log *log, bool fixed_level,
                        struct policyd **policyd_r,
                        struct strbuf *faults) MUST_CHECK;

/*
 * STATUS_OK, also when the store gives no answer yet; STATUS_INVALID when a
 * socket or the schema has to be put right first; STATUS_TEMPFAIL.
 */
enum status policyd_start(struct policyd *policyd,
                          struct listen_inherited *inherited,
                          struct errtext *err) MUST_CHECK;

/* Any thread; one at a time. What is remembered of accounts is forgotten. */
enum status policyd_reload(struct policyd *policyd,
                           struct strbuf *faults) MUST_CHECK;

bool policyd_alive(struct policyd *policyd);
enum status policyd_stop(struct policyd *policyd, int64_t deadline_ms,
                         struct errtext *err) MUST_CHECK;
void policyd_free(struct policyd **policyd);

#endif
