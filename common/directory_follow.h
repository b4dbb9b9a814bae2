/*
 * directory_follow - who changed in a directory since the last time
 *
 * By content synchronization (RFC 4533) where the server has it; else by
 * uSNChanged of one Active Directory server, or by modifyTimestamp. A cookie is
 * a text for the caller to keep, good for the same settings and, of the second
 * kind, the same server. Told are the people who came or changed; who is gone
 * is a question for a complete reading (directory_walk.h).
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_FOLLOW_H
#define COMMON_DIRECTORY_FOLLOW_H

#include "directory.h"
#include "directory_walk.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

#define DIRECTORY_COOKIE_BYTES_MAX 16384

enum directory_way {
    DIRECTORY_BY_SYNCREPL, /* RFC 4533 */
    DIRECTORY_BY_USN,      /* uSNChanged */
    DIRECTORY_BY_TIME      /* modifyTimestamp, with minutes to spare */
};

/* Constant word for people: "syncrepl", "uSNChanged", "modifyTimestamp". */
const char *directory_way_name(enum directory_way way);

struct directory_follow;

/*
 * Connects, and finds out which way the server has.
 * STATUS_OK and an owned *follow_r; STATUS_TEMPFAIL.
 */
enum status directory_follow_open(struct directory *dir, int64_t deadline_ms,
                                  struct directory_follow **follow_r,
                                  struct errtext *err) MUST_CHECK;

/* Gives the connection back, frees *follow and sets it to NULL. */
void directory_follow_close(struct directory_follow **follow);

enum directory_way directory_follow_way(const struct directory_follow *follow);

/*
 * Goes the way that a cookie is of: a server with syncrepl may have told none,
 * and is then asked by time.
 */
void directory_follow_use(struct directory_follow *follow, const char *cookie);

/*
 * The cookie of this moment, owned: what changes from now on is told for it.
 * STATUS_OK; STATUS_NOT_FOUND: the server tells none; STATUS_TEMPFAIL.
 */
enum status directory_follow_now(struct directory_follow *follow,
                                 int64_t deadline_ms, char **cookie_r,
                                 struct errtext *err) MUST_CHECK;

/*
 * Tells the walker who changed since cookie; a new one, owned, is *cookie_r.
 *
 * STATUS_OK; STATUS_DENIED: the server does not know the cookie any more, it is
 * another server's, or no cookie: a complete reading has to come first;
 * STATUS_TEMPFAIL: no whole answer, the old cookie is still good.
 */
enum status directory_follow_poll(struct directory_follow *follow,
                                  const char *cookie,
                                  const struct directory_walker *walker,
                                  int64_t deadline_ms, char **cookie_r,
                                  struct errtext *err) MUST_CHECK;

/*
 * Waits for changes, by syncrepl alone: begins with those since cookie, stays
 * connected, and returns when some were told and none came for quiet_ms, or
 * when nothing came until deadline_ms (*cookie_r is NULL then). The next call
 * goes on where this one ended. Outcomes as above; STATUS_TEMPFAIL also when
 * the connection ended.
 */
enum status directory_follow_wait(struct directory_follow *follow,
                                  const char *cookie,
                                  const struct directory_walker *walker,
                                  int quiet_ms, int64_t deadline_ms,
                                  char **cookie_r,
                                  struct errtext *err) MUST_CHECK;

#endif
