/*
 * gather - collects the facts of one request for the rules
 *
 * Names become canonical, alias domains resolve, recipients come from the
 * request or, at END-OF-MESSAGE, from the memory of instances. What nobody
 * answers is noted as missing, so that each rule can choose for itself.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_GATHER_H
#define POLICYD_GATHER_H

#include "fact_table.h"
#include "instance.h"
#include "lookup.h"
#include "usage.h"
#include "verdict.h"

#define GATHER_HELD_FEW 8

/* Where facts come from; everything borrowed. */
struct gather_world {
    struct lookup *lookup;
    struct usage *usage;
    struct instances *instances;
    struct fact_table *unknown; /* of whom authd said no */
    const char *delimiters;
    /* Asks authd to make sure that address exists. */
    enum verdict_provision (*provision)(void *context, const char *address,
                                        int64_t deadline_ms);
    void *context;
};

/* One request, as it is gathered. */
struct gathering {
    const struct gather_world *world;
    const struct policy_request *request;
    struct lookup_time when;
    unsigned needs; /* enum verdict_need bits */
    bool rehearse;  /* nothing is provisioned */

    /* What came out; lives until gathering_clear. */
    struct verdict_facts facts;
    const struct store_policy_domain *login_domain; /* NULL: none of ours */
    struct name recipient; /* in its domain's own name */
    bool recipient_ours;
    struct errtext err; /* why something is missing */

    /* Its own. */
    bool open; /* something has to be asked, and it may not wait */
    char login[ADDRESS_BYTES_MAX + 1];
    const struct store_policy_domain *last_domain;       /* looked up; held */
    char last_domain_name[ADDRESS_DOMAIN_BYTES_MAX + 1]; /* by this name */
    struct fact *few_held[GATHER_HELD_FEW];
    struct fact **held;
    size_t held_count;
    struct verdict_target few_targets[GATHER_HELD_FEW];
    struct verdict_target *targets;
    struct verdict_domain few_domains[GATHER_HELD_FEW];
    size_t domain_count;
};

/*
 * Prepares a gathering; world, request, when, needs, rehearse are then set by
 * the caller. It is big, and not cleared as a whole.
 */
void gathering_init(struct gathering *gathering);

/* Gathers. False: something has to be asked for, and `when` forbids it. */
bool gather(struct gathering *gathering) MUST_CHECK;

/* Lets the facts go. */
void gathering_clear(struct gathering *gathering);

#endif
