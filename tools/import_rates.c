/* import_rates - see import_rates.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "import_rates.h"

#include "address.h"
#include "import_rows.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct one_rate {
    char *address;
    struct rate rate;
    UT_hash_handle hh;
};

struct import_rates {
    struct one_rate *first;
};

void import_rates_free(struct import_rates **rates)
{
    struct one_rate *one;
    struct one_rate *next;

    if (*rates == NULL)
        return;
    HASH_ITER(hh, (*rates)->first, one, next)
    {
        HASH_DEL((*rates)->first, one);
        free(one->address);
        free(one);
    }
    free(*rates);
    *rates = NULL;
}

/* Takes a line off *at, without its end and the quotes around it. */
static char *take_line(char **at)
{
    char *line = *at;
    size_t len = strcspn(line, "\n");

    *at = line + len + (line[len] == '\n');
    line[len] = '\0';
    while (len > 0 && strchr("\r \"", line[len - 1]) != NULL)
        line[--len] = '\0';
    while (*line == '"' || *line == ' ')
        line++;
    return line;
}

/* Keeps one; takes address over. */
static enum status keep(struct import_rates *rates, char *address,
                        struct rate rate, struct errtext *err)
{
    struct one_rate *one = NULL;

    HASH_FIND(hh, rates->first, address, strlen(address), one);
    if (one != NULL) {
        free(address);
        one->rate = rate;
        return STATUS_OK;
    }
    one = calloc(1, sizeof(*one));
    if (one == NULL) {
        free(address);
        return status_no_memory(err);
    }
    one->address = address;
    one->rate = rate;
    HASH_ADD_KEYPTR(hh, rates->first, one->address, strlen(one->address), one);
    return STATUS_OK;
}

enum status import_rates_parse(char *text, import_rates_left *left, void *arg,
                               struct import_rates **rates_r,
                               struct errtext *err)
{
    struct import_rates *rates = calloc(1, sizeof(*rates));
    enum status status = STATUS_OK;

    if (rates == NULL)
        return status_no_memory(err);
    while (status != STATUS_TEMPFAIL && *text != '\0') {
        const char *name = take_line(&text);
        const char *value = take_line(&text);
        struct rate rate = {0, 0};
        char *address = NULL;

        status = address_canonical(name, &address, err);
        if (status == STATUS_INVALID)
            left(name, "a rate of a whole domain is not carried over", arg);
        else if (status == STATUS_OK && !import_rate(value, &rate)) {
            left(name, "its rate is not understood", arg);
            free(address);
        } else if (status == STATUS_OK) {
            status = keep(rates, address, rate, err);
        }
    }
    if (status == STATUS_TEMPFAIL) {
        import_rates_free(&rates);
        return status;
    }
    *rates_r = rates;
    return STATUS_OK;
}

bool import_rates_find(const struct import_rates *rates, const char *address,
                       struct rate *rate_r)
{
    struct one_rate *one = NULL;

    if (rates == NULL)
        return false;
    HASH_FIND(hh, rates->first, address, strlen(address), one);
    if (one != NULL)
        *rate_r = one->rate;
    return one != NULL;
}
