/*
 * throttle - counts definite wrong passwords, before any bind
 *
 * Two buckets: (person, client address), and client address alone. Bounded in
 * number: when full, the bucket unused for longest goes. Trusted clients
 * (webmail, loopback) have no bucket of the second kind, attempts without an
 * address have none at all. IPv6 is counted by /64, the least one host has;
 * IPv4 in IPv6 (::ffff:192.0.2.7) is IPv4. Thread-safe. `now_ms` is
 * clock_ms(), passed in.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_THROTTLE_H
#define COMMON_THROTTLE_H

#include "status.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct throttle_limits {
    unsigned failures;            /* of one person from one address; 0: off */
    unsigned failures_per_client; /* from one address; 0: off */
    int64_t period_ms;            /* a failure is forgotten after this */
    unsigned buckets_max;
};

struct throttle;

/*
 * Makes a throttle; trusted holds count addresses or CIDR blocks, copied.
 * Returns STATUS_OK and an owned *throttle_r; STATUS_INVALID for a malformed
 * block, named in err; STATUS_TEMPFAIL without memory.
 */
enum status throttle_new(struct throttle_limits limits,
                         const char *const *trusted, size_t count,
                         struct throttle **throttle_r,
                         struct errtext *err) MUST_CHECK;

/* Frees *throttle and sets it to NULL; it may be NULL. */
void throttle_free(struct throttle **throttle);

/*
 * True if this attempt may go on. client is "ip" or "" (unknown: always true).
 */
bool throttle_open(struct throttle *throttle, const char *person,
                   const char *client, int64_t now_ms);

/* Counts one definite wrong password. */
void throttle_failure(struct throttle *throttle, const char *person,
                      const char *client, int64_t now_ms);

/* A right password: forgets the (person, client) bucket. */
void throttle_success(struct throttle *throttle, const char *person,
                      const char *client);

/*
 * Forgets all buckets of person, or, if it is an IP address, all of that
 * client, or everything for NULL; returns how many.
 */
size_t throttle_flush(struct throttle *throttle, const char *person);

/* Number of buckets held now. */
size_t throttle_count(struct throttle *throttle);

/*
 * Appends a line for each closed bucket: "person client failures seconds",
 * with seconds until it opens. person is "*" in an address bucket, and its
 * blanks are written "\x20".
 */
void throttle_append(struct throttle *throttle, int64_t now_ms,
                     struct strbuf *buf);

/*
 * "192.0.2.7;4711" or "192.0.2.7" -> "192.0.2.7", in the usual spelling
 * ("::ffff:192.0.2.7" is IPv4); "" for all that is no IP address.
 */
void throttle_client(const char *wire_client, char *out, size_t size);

/*
 * What a client is counted as, in the form of throttle_append: "192.0.2.7",
 * "2001:db8::/64"; "" for all that is no IP address.
 */
void throttle_counted(const char *client, char *out, size_t size);

#endif
