/* rule_order - see rule_order.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "rule_order.h"

#include "verdict.h"

#include <stdbool.h>
#include <string.h>

const char *rule_mode_name(enum policy_mode mode)
{
    switch (mode) {
    case POLICY_MODE_OFF:
        return "off";
    case POLICY_MODE_WARN:
        return "warn";
    case POLICY_MODE_ENFORCE:
        return "enforce";
    }
    return "";
}

/* A text goes to strangers in an SMTP reply, which is one line of ASCII. */
static enum status check_text(const char *name, const char *text,
                              struct errtext *err)
{
    if (strlen(text) > RULE_TEXT_BYTES_MAX) {
        errtext_set(err, "policy.rules: the text of %.40s has over %d bytes",
                    name, RULE_TEXT_BYTES_MAX);
        return STATUS_INVALID;
    }
    for (const char *byte = text; *byte != '\0'; byte++) {
        if (*byte < ' ' || *byte > '~') {
            errtext_set(err,
                        "policy.rules: the text of %.40s is not plain ASCII",
                        name);
            return STATUS_INVALID;
        }
    }
    return STATUS_OK;
}

static enum status read_row(const struct policy_rule_settings *set,
                            const bool *seen, struct rule_row *row,
                            struct errtext *err)
{
    if (!policy_rule_from(set->name, &row->rule)) {
        errtext_set(err, "policy.rules: there is no rule \"%.80s\"", set->name);
        return STATUS_INVALID;
    }
    if (seen[row->rule]) {
        errtext_set(err, "policy.rules: %s is there twice", set->name);
        return STATUS_INVALID;
    }
    row->mode = set->mode;
    row->away = set->store_away;
    row->text = set->text != NULL ? set->text : "";
    return check_text(set->name, row->text, err);
}

enum status rule_order_read(const struct policy_settings *set,
                            struct rule_order *order_r, struct errtext *err)
{
    bool seen[POLICY_RULE_COUNT] = {false};
    size_t count = 0;

    for (size_t i = 0; i < set->rule_count; i++) {
        struct rule_row row;
        enum status status = read_row(&set->rules[i], seen, &row, err);

        if (status != STATUS_OK)
            return status;
        seen[row.rule] = true;
        order_r->rows[count++] = row;
    }
    for (size_t i = 0; i < POLICY_RULE_COUNT; i++) {
        if (!seen[i])
            order_r->rows[count++] =
                (struct rule_row){.rule = (enum policy_rule)i,
                                  .mode = verdict_rules[i].mode,
                                  .text = ""};
    }
    for (size_t i = 0; i < POLICY_RULE_COUNT; i++) {
        struct rule_row *row = &order_r->rows[i];

        if (row->away == POLICY_AWAY_DEFAULT)
            row->away = verdict_rules[row->rule].away;
        order_r->modes[row->rule] = row->mode;
    }
    return STATUS_OK;
}
