/*
 * rule_order - the rules as policy.rules orders, switches and words them
 *
 * Pure. Rows of the settings come first, in their order; the rules without a
 * row follow in the order as shipped.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_RULE_ORDER_H
#define POLICYD_RULE_ORDER_H

#include "lookup.h"
#include "rule.h"
#include "settings.h"
#include "status.h"

#define RULE_TEXT_BYTES_MAX 300 /* of policy.rules' text */

struct rule_row {
    enum policy_rule rule;
    enum policy_mode mode;
    enum policy_away away; /* never POLICY_AWAY_DEFAULT */
    const char *text;      /* "": the rule's own words; the settings' */
};

struct rule_order {
    struct rule_row rows[POLICY_RULE_COUNT];
    enum policy_mode modes[POLICY_RULE_COUNT]; /* by enum policy_rule */
};

/*
 * Reads the order. STATUS_OK and *order_r; STATUS_INVALID for a name that is no
 * rule's or is there twice, and for a text that cannot stand in an answer.
 */
enum status rule_order_read(const struct policy_settings *set,
                            struct rule_order *order_r,
                            struct errtext *err) MUST_CHECK;

/* Constant words: "off", "warn", "enforce". */
const char *rule_mode_name(enum policy_mode mode);

/* For tests: a policy that asks source instead of the store. */
enum status policy_open_with(const struct policy_world *world,
                             const struct lookup_source *source,
                             struct policy **policy_r,
                             struct errtext *err) MUST_CHECK;

#endif
