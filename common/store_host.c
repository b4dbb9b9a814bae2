/* store_host - see store_host.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_host.h"

/* Longer than a rest, so that a host that stays away costs few new connects. */
static const int64_t stay_ms = 3 * (int64_t)STORE_HOST_REST_MS;

static bool rests(const struct store_host *host, int64_t now_ms)
{
    return host->rest_until_ms > now_ms;
}

void store_host_order(struct store_host *hosts, size_t count, int64_t now_ms,
                      size_t *order)
{
    size_t filled = 0;

    for (size_t i = 0; i < count; i++) {
        if (!rests(&hosts[i], now_ms))
            order[filled++] = i;
    }
    for (size_t i = 0; i < count; i++) {
        if (rests(&hosts[i], now_ms))
            order[filled++] = i;
    }
    for (size_t i = 0; i < count; i++) {
        if (hosts[i].rest_until_ms != 0 && !rests(&hosts[i], now_ms))
            hosts[i].rest_until_ms = now_ms + STORE_HOST_REST_MS;
    }
}

void store_host_answered(struct store_host *host)
{
    host->rest_until_ms = 0;
}

void store_host_failed(struct store_host *host, int64_t now_ms)
{
    host->rest_until_ms = now_ms + STORE_HOST_REST_MS;
}

int64_t store_host_deadline(int64_t now_ms, int64_t deadline_ms, size_t left)
{
    int64_t share_ms = (deadline_ms - now_ms) / ((int64_t)left + 1);

    if (left == 0)
        return deadline_ms;
    if (share_ms > STORE_HOST_CONNECT_MS)
        share_ms = STORE_HOST_CONNECT_MS;
    return now_ms + (share_ms > 0 ? share_ms : 0);
}

size_t store_host_away(const struct store_host *hosts, size_t count)
{
    size_t away = 0;

    while (away < count && hosts[away].rest_until_ms != 0)
        away++;
    return away;
}

bool store_host_should_return(const struct store_host *hosts, size_t index,
                              int64_t made_ms, int64_t now_ms)
{
    if (now_ms - made_ms < stay_ms)
        return false;
    for (size_t i = 0; i < index; i++) {
        if (!rests(&hosts[i], now_ms))
            return true;
    }
    return false;
}
