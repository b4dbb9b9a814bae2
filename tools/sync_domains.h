/*
 * sync_domains - the domains of the store, their limits and their other names
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_SYNC_DOMAINS_H
#define TOOLS_SYNC_DOMAINS_H

#include "apply.h"
#include "provision.h"
#include "status.h"
#include "store.h"

struct sync_domains;

/* Reads all of them. STATUS_OK and an owned *domains_r, or STATUS_TEMPFAIL. */
enum status sync_domains_load(struct store *store, int64_t deadline_ms,
                              struct sync_domains **domains_r,
                              struct errtext *err) MUST_CHECK;
void sync_domains_free(struct sync_domains **domains);

/*
 * Replaces the domain of *address, an owned text, by the one it is another name
 * of. STATUS_OK, or STATUS_TEMPFAIL.
 */
enum status sync_domains_resolve(const struct sync_domains *domains,
                                 char **address,
                                 struct errtext *err) MUST_CHECK;

/*
 * Says whether a plan fits into what the limits leave beside all plans that
 * were asked for before, by the counters as they were read; then counts it.
 * For who looks beforehand: apply alone decides.
 */
enum apply_limit sync_domains_fit(struct sync_domains *domains,
                                  const struct plan *plan,
                                  struct errtext *reason);

#endif
