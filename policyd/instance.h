/*
 * instance - what was learnt at RCPT, until END-OF-MESSAGE asks for it
 *
 * Postfix names all requests of one message by the same instance, but leaves
 * the recipient away at the end when there were several; connections of one
 * message may differ. Here the recipients wait, bounded in number (the oldest
 * message goes first) and time; a message with more recipients than
 * INSTANCE_RECIPIENTS_MAX is remembered as incomplete. Thread-safe, sharded
 * locks; nothing is allocated for a message with few, short recipients.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_INSTANCE_H
#define POLICYD_INSTANCE_H

#include "address.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSTANCE_BYTES_MAX 63        /* of the name; a longer one is ignored */
#define INSTANCE_RECIPIENTS_MAX 100  /* of one message */
#define INSTANCE_TEXT_BYTES_MAX 8192 /* of all of them together */

struct instances;

struct instance_limits {
    int64_t ttl_ms;
    size_t instances_max;
};

/* STATUS_OK and an owned *instances_r, or STATUS_TEMPFAIL without memory. */
enum status instances_new(struct instance_limits limits,
                          struct instances **instances_r,
                          struct errtext *err) MUST_CHECK;

/*
 * Returns the same memory for one more owner, if its limits are these; NULL if
 * they are others. What waits survives a reload this way.
 */
struct instances *instances_share(struct instances *instances,
                                  struct instance_limits limits);

/* Gives one owner's up, frees it with the last, and sets *instances to NULL. */
void instances_free(struct instances **instances);

/*
 * Notes a recipient, canonical, of a message; once. NULL: one that is none of
 * ours, which only counts as seen.
 */
void instance_add(struct instances *instances, const char *instance,
                  const char *recipient, int64_t now_ms);

/* What is known of a message; starts as {0}. */
struct instance_recipients {
    char *text;      /* owned: names, each with its NUL behind it */
    size_t count;    /* 0: nothing is known */
    uint32_t seen;   /* recipients that were noted, ours or not */
    bool incomplete; /* there were more */
};

/*
 * Copies what is known; the message stays. Without memory nothing is known.
 */
void instance_find(struct instances *instances, const char *instance,
                   int64_t now_ms, struct instance_recipients *recipients_r);
void instance_recipients_clear(struct instance_recipients *recipients);

/* The message has its answer; its place may be taken without regret. */
void instance_end(struct instances *instances, const char *instance);

struct instance_stats {
    size_t instances;
    uint64_t forgotten; /* before their time, for want of place */
};
void instances_stats(struct instances *instances,
                     struct instance_stats *stats_r);

#endif
