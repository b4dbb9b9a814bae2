/* quantity - see quantity.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "quantity.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first: the append functions take the first that divides. */
static const struct unit size_units[] = {
    {"T", UINT64_C(1) << 40},
    {"TiB", UINT64_C(1) << 40},
    {"G", UINT64_C(1) << 30},
    {"GiB", UINT64_C(1) << 30},
    {"M", UINT64_C(1) << 20},
    {"MiB", UINT64_C(1) << 20},
    {"K", UINT64_C(1) << 10},
    {"KiB", UINT64_C(1) << 10},
    {"", 1},
    {"B", 1},
};

static const struct unit duration_units[] = {
    {"w", 604800000}, {"d", 86400000}, {"h", 3600000},
    {"m", 60000},     {"s", 1000},     {"ms", 1},
};

/*
 * Reads digits and returns what follows them; NULL if there is none, or the
 * number does not fit.
 */
static const char *read_digits(const char *text, uint64_t *number_r)
{
    uint64_t number = 0;
    const char *p = text;

    while (*p >= '0' && *p <= '9') {
        uint64_t digit = (uint64_t)(*p++ - '0');

        if (number > (UINT64_MAX - digit) / 10)
            return NULL;
        number = number * 10 + digit;
    }
    if (p == text)
        return NULL;
    *number_r = number;
    return p;
}

/* Multiplies number by the unit called name; false: no such unit, too large. */
static bool apply_unit(const struct unit *units, size_t count, const char *name,
                       uint64_t *number)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(units[i].name, name) != 0)
            continue;
        if (*number > (uint64_t)INT64_MAX / units[i].factor)
            return false;
        *number *= units[i].factor;
        return true;
    }
    return false;
}

enum status quantity_size(const char *text, uint64_t *bytes_r,
                          struct errtext *err)
{
    uint64_t number = 0;
    const char *unit = NULL;

    if (strcmp(text, "unlimited") == 0) {
        *bytes_r = 0;
        return STATUS_OK;
    }
    unit = read_digits(text, &number);
    if (unit == NULL ||
        !apply_unit(size_units, ARRAY_SIZE(size_units), unit, &number)) {
        errtext_set(err, "a size is a whole number with B, K, M, G or T, for "
                         "example \"5G\", or \"unlimited\"");
        return STATUS_INVALID;
    }
    *bytes_r = number;
    return STATUS_OK;
}

/* Reads a duration; text of a rate's period may lack the number ("h"). */
static bool read_duration(const char *text, uint64_t *ms_r)
{
    uint64_t number = 0;
    const char *unit = read_digits(text, &number);

    if (unit == NULL)
        return false;
    /* Nothing is nothing in every unit. */
    if (*unit != '\0' || number != 0) {
        if (!apply_unit(duration_units, ARRAY_SIZE(duration_units), unit,
                        &number))
            return false;
    }
    *ms_r = number;
    return true;
}

enum status quantity_duration_ms(const char *text, int64_t *ms_r,
                                 struct errtext *err)
{
    uint64_t number = 0;

    if (!read_duration(text, &number)) {
        errtext_set(err, "a duration is a whole number with ms, s, m, h, d or "
                         "w, for example \"30s\"");
        return STATUS_INVALID;
    }
    *ms_r = (int64_t)number;
    return STATUS_OK;
}

/* Reads the period behind the slash, "1h" or "h", in whole seconds. */
static bool read_period(const char *text, uint32_t *seconds_r)
{
    uint64_t ms = 1;

    if (*text < '0' || *text > '9') {
        if (!apply_unit(duration_units, ARRAY_SIZE(duration_units), text, &ms))
            return false;
    } else if (!read_duration(text, &ms)) {
        return false;
    }
    if (ms == 0 || ms % 1000 != 0 || ms / 1000 > UINT32_MAX)
        return false;
    *seconds_r = (uint32_t)(ms / 1000);
    return true;
}

enum status quantity_rate(const char *text, struct rate *rate_r,
                          struct errtext *err)
{
    struct rate rate = {0, 0};
    uint64_t count = 0;
    const char *slash = NULL;

    if (strcmp(text, "unlimited") == 0) {
        *rate_r = rate;
        return STATUS_OK;
    }
    slash = read_digits(text, &count);
    /* "0/1h" might be meant as "none at all": it has to be said in words. */
    if (slash == NULL || *slash != '/' || count == 0 || count > UINT32_MAX ||
        !read_period(slash + 1, &rate.seconds)) {
        errtext_set(err, "a rate is a number over a period of whole seconds, "
                         "for example \"200/1h\", or \"unlimited\"");
        return STATUS_INVALID;
    }
    rate.count = (uint32_t)count;
    *rate_r = rate;
    return STATUS_OK;
}

enum status quantity_number(const char *text, uint64_t min, uint64_t max,
                            uint64_t *number_r, struct errtext *err)
{
    uint64_t number = 0;
    const char *end = read_digits(text, &number);

    if (end == NULL || *end != '\0' || number < min || number > max) {
        errtext_set(err, "a whole number from %" PRIu64 " to %" PRIu64, min,
                    max);
        return STATUS_INVALID;
    }
    *number_r = number;
    return STATUS_OK;
}

/* Appends number in the largest unit that divides it without a rest. */
static void append_in_units(struct strbuf *buf, const struct unit *units,
                            size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (number % units[i].factor == 0) {
            strbuf_appendf(buf, "%" PRIu64 "%s", number / units[i].factor,
                           units[i].name);
            return;
        }
    }
}

void quantity_append_size(struct strbuf *buf, uint64_t bytes)
{
    if (bytes == 0)
        strbuf_append(buf, "unlimited");
    else
        append_in_units(buf, size_units, ARRAY_SIZE(size_units), bytes);
}

void quantity_append_duration_ms(struct strbuf *buf, int64_t ms)
{
    if (ms <= 0)
        strbuf_append_char(buf, '0');
    else
        append_in_units(buf, duration_units, ARRAY_SIZE(duration_units),
                        (uint64_t)ms);
}

void quantity_append_rate(struct strbuf *buf, struct rate rate)
{
    if (rate.count == 0) {
        strbuf_append(buf, "unlimited");
        return;
    }
    strbuf_appendf(buf, "%" PRIu32 "/", rate.count);
    quantity_append_duration_ms(buf, (int64_t)rate.seconds * 1000);
}
