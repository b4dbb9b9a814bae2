/*
 * directory_health - the circuit breaker of one host (pure)
 *
 * A host that failed rests; when its rest is over, one caller alone may try it
 * (the probe), and only what the probe finds ends the rest. No clock, no lock:
 * the pool passes `now_ms` in and holds its own lock.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_HEALTH_H
#define COMMON_DIRECTORY_HEALTH_H

#include "status.h"

#include <stdbool.h>
#include <stdint.h>

/* Starts as {0}: a host is good until it fails. */
struct directory_health {
    bool resting;
    bool probing;
    unsigned epoch; /* goes up with each recovery */
    int64_t retry_at_ms;
    struct errtext error; /* of the last failure; "" when good */
};

/* The right to use a host once; handed back with directory_health_end. */
struct directory_turn {
    bool probe;
    unsigned epoch;
};

enum directory_verdict {
    DIRECTORY_HOST_GOOD,
    DIRECTORY_HOST_BAD,
    DIRECTORY_HOST_UNSURE /* ended without telling either */
};

/* Returns true and *turn_r if the host may be used now. */
bool directory_health_begin(struct directory_health *health, int64_t now_ms,
                            struct directory_turn *turn_r);

/*
 * Ends a turn. error is borrowed and used for DIRECTORY_HOST_BAD only. Blame
 * from before the last recovery is ignored, and so is a success that is not
 * the probe's while the host rests.
 */
void directory_health_end(struct directory_health *health,
                          struct directory_turn turn,
                          enum directory_verdict verdict, int64_t now_ms,
                          int64_t rest_ms, const struct errtext *error);

#endif
