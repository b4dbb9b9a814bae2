/* removal - see removal.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "removal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>

enum status removal_limit_read(const char *text, struct removal_limit *limit_r,
                               struct errtext *err)
{
    struct removal_limit limit = {false, 0};
    const char *p = text;

    for (; isdigit((unsigned char)*p) && limit.number < 100000000; p++)
        limit.number = limit.number * 10 + (uint64_t)(*p - '0');
    limit.is_percent = *p == '%';
    if (p == text || p[limit.is_percent ? 1 : 0] != '\0' ||
        (limit.is_percent && (limit.number < 1 || limit.number > 100))) {
        errtext_set(err, "write a number of mailboxes, or a share of them as "
                         "\"5%%\"");
        return STATUS_INVALID;
    }
    *limit_r = limit;
    return STATUS_OK;
}

uint64_t removal_limit_of(const struct removal_limit *limit, uint64_t mailboxes)
{
    uint64_t share =
        mailboxes / 100 * limit->number + mailboxes % 100 * limit->number / 100;

    if (!limit->is_percent)
        return limit->number;
    if (share < REMOVAL_PERCENT_AT_LEAST)
        return REMOVAL_PERCENT_AT_LEAST;
    return share < REMOVAL_PERCENT_AT_MOST ? share : REMOVAL_PERCENT_AT_MOST;
}

const char *removal_doubt_name(enum removal_doubt doubt)
{
    static const char *const names[] = {
        [REMOVAL_NO_DOUBT] = "none",
        [REMOVAL_INCOMPLETE] = "incomplete",
        [REMOVAL_NOBODY] = "nobody",
        [REMOVAL_NO_CANARY] = "no_canary",
        [REMOVAL_SETTINGS] = "new_settings",
        [REMOVAL_RESTORED] = "restored",
        [REMOVAL_TOO_MANY] = "too_many",
        [REMOVAL_HALF_DOMAIN] = "half_domain",
    };

    return names[doubt];
}

/* Doubts about what was read: nothing an administrator says removes them. */
static enum removal_doubt judge_answer(const struct removal_facts *facts,
                                       struct errtext *why)
{
    if (!facts->complete) {
        errtext_set(why, "the directory was not read whole: %s", facts->gap);
        return REMOVAL_INCOMPLETE;
    }
    if (facts->people == 0) {
        errtext_set(why, "the directory has nobody who matches the filter");
        return REMOVAL_NOBODY;
    }
    if (facts->has_canary && !facts->canary_seen) {
        errtext_set(why, "the canary (sync.canary) is not in the directory");
        return REMOVAL_NO_CANARY;
    }
    return REMOVAL_NO_DOUBT;
}

static enum removal_doubt judge_domains(const struct removal_facts *facts,
                                        struct errtext *why)
{
    for (uint64_t i = 0; i < facts->domain_count; i++) {
        const struct removal_domain *domain = &facts->domains[i];
        uint64_t closed = domain->wanted + domain->of_a_day;

        /* What was closed before is among the mailboxes. */
        if (domain->wanted > 0 && closed > domain->mailboxes / 2) {
            errtext_set(why,
                        "%" PRIu64 " of %" PRIu64 " mailboxes of %.128s in a "
                        "day is more than half",
                        closed, domain->mailboxes, domain->name);
            return REMOVAL_HALF_DOMAIN;
        }
    }
    return REMOVAL_NO_DOUBT;
}

/* Doubts that --allow-removals answers. */
static enum removal_doubt judge_numbers(const struct removal_facts *facts,
                                        struct errtext *why)
{
    uint64_t limit = removal_limit_of(&facts->limit, facts->mailboxes);
    uint64_t closed = facts->wanted + facts->of_a_day;

    if (!facts->accepted_settings) {
        errtext_set(why, "host, base_dn, filter, username_field or id_field "
                         "is another one than before");
        return REMOVAL_SETTINGS;
    }
    if (!facts->accepted_store) {
        errtext_set(why, "the database was made anew since the last run");
        return REMOVAL_RESTORED;
    }
    if (closed > limit) {
        errtext_set(why,
                    "%" PRIu64 " of %" PRIu64 " mailboxes in a day is over "
                    "sync.max_removals, %" PRIu64,
                    closed, facts->mailboxes, limit);
        return REMOVAL_TOO_MANY;
    }
    return judge_domains(facts, why);
}

enum removal_doubt removal_judge(const struct removal_facts *facts,
                                 struct errtext *why)
{
    enum removal_doubt doubt = judge_answer(facts, why);

    if (doubt != REMOVAL_NO_DOUBT || facts->wanted == 0)
        return doubt;
    if (facts->forced && facts->wanted <= facts->forced_limit)
        return REMOVAL_NO_DOUBT;
    if (facts->forced) {
        errtext_set(why,
                    "%" PRIu64 " mailboxes are more than --allow-removals "
                    "%" PRIu64,
                    facts->wanted, facts->forced_limit);
        return REMOVAL_TOO_MANY;
    }
    return judge_numbers(facts, why);
}
