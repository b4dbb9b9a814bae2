/* rate_scene - see rate_scene.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "rate_scene.h"

#include "unit.h"

#include <stdio.h>

struct rates *scene_rates(size_t counters_max)
{
    struct rates *rates = NULL;

    CU_ASSERT_EQUAL(rates_new(counters_max, &rates, NULL), STATUS_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rates);
    return rates;
}

struct rate_limits scene_messages(const char *login, uint32_t count,
                                  uint32_t seconds)
{
    struct rate_limits limits = {.login = login};

    limits.rates[RATE_MAILBOX_MESSAGES] = (struct rate){count, seconds};
    return limits;
}

bool scene_charge(struct rates *rates, const struct rate_limits *limits,
                  uint32_t recipients, int64_t now_ms)
{
    struct rate_verdict verdict = {.refused = true};

    CU_ASSERT_EQUAL(
        rate_charge(rates, limits, recipients, now_ms, &verdict, NULL),
        STATUS_OK);
    return !verdict.refused;
}

uint64_t scene_used(struct rates *rates, enum rate_kind kind,
                    const char *subject, uint32_t seconds, int64_t now_ms)
{
    return rate_used(rates, kind, subject, (struct rate){1, seconds}, now_ms);
}

const char *scene_login(unsigned number)
{
    static char login[32];

    (void)snprintf(login, sizeof(login), "u%u@example.org", number);
    return login;
}
