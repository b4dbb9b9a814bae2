/* directory_clock - see directory_clock.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_clock.h"

#include "clock.h"
#include "directory_connection.h"
#include "directory_pool.h"
#include "directory_private.h"
#include "directory_result.h"

#include <ldap.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TIME_BYTES 40

/* Takes count digits as a number from low to high. */
static bool take_number(const char **text, int count, int low, int high,
                        int *number_r)
{
    int number = 0;

    for (int i = 0; i < count; i++) {
        if (**text < '0' || **text > '9')
            return false;
        number = number * 10 + (*(*text)++ - '0');
    }
    *number_r = number;
    return number >= low && number <= high;
}

/* What stands behind the digits: a fraction, which is dropped, and a zone. */
static bool take_zone(const char *text, int64_t *offset_r)
{
    int sign = 1;
    int hours = 0;
    int minutes = 0;

    *offset_r = 0;
    if (*text == '.' || *text == ',')
        text += 1 + strspn(text + 1, "0123456789");
    if (strcmp(text, "Z") == 0)
        return true;
    if (*text != '+' && *text != '-')
        return false;
    sign = *text++ == '-' ? -1 : 1;
    if (!take_number(&text, 2, 0, 23, &hours) ||
        (*text != '\0' && !take_number(&text, 2, 0, 59, &minutes)))
        return false;
    *offset_r = (int64_t)sign * (hours * 3600 + minutes * 60);
    return *text == '\0';
}

bool directory_clock_read(const char *text, int64_t *seconds_r)
{
    struct tm when = {.tm_isdst = 0};
    int64_t offset;

    if (!take_number(&text, 4, 1970, 9999, &when.tm_year) ||
        !take_number(&text, 2, 1, 12, &when.tm_mon) ||
        !take_number(&text, 2, 1, 31, &when.tm_mday) ||
        !take_number(&text, 2, 0, 23, &when.tm_hour) ||
        !take_number(&text, 2, 0, 59, &when.tm_min) ||
        (*text >= '0' && *text <= '9' &&
         !take_number(&text, 2, 0, 60, &when.tm_sec)) ||
        !take_zone(text, &offset))
        return false;
    when.tm_year -= 1900;
    when.tm_mon -= 1;
    *seconds_r = (int64_t)timegm(&when) - offset;
    return true;
}

/* Reads one attribute of one entry; an LDAP result code. */
static int read_one(struct directory_connection *conn, const char *dn,
                    const char *attribute, int64_t deadline_ms,
                    char value[TIME_BYTES])
{
    char name[TIME_BYTES];
    char *attributes[] = {name, NULL};
    LDAPMessage *answer = NULL;
    LDAPMessage *entry;
    struct berval **values = NULL;
    int msgid = 0;
    int rc;

    value[0] = '\0';
    (void)snprintf(name, sizeof(name), "%s", attribute);
    directory_connection_begin(conn);
    rc = ldap_search_ext(conn->ld, dn, LDAP_SCOPE_BASE, "(objectClass=*)",
                         attributes, 0, NULL, NULL, NULL, 0, &msgid);
    if (rc == LDAP_SUCCESS)
        rc = directory_connection_wait(conn, false, deadline_ms, &answer);
    if (rc != LDAP_SUCCESS)
        return rc;
    entry = ldap_first_entry(conn->ld, answer);
    if (entry != NULL)
        values = ldap_get_values_len(conn->ld, entry, attribute);
    if (values != NULL && values[0] != NULL && values[0]->bv_len < TIME_BYTES) {
        memcpy(value, values[0]->bv_val, values[0]->bv_len);
        value[values[0]->bv_len] = '\0';
    }
    ldap_value_free_len(values);
    ldap_msgfree(answer);
    return LDAP_SUCCESS;
}

/* Asks each place in turn; *rc_r is other than success if nobody answers. */
static bool ask_places(struct directory_connection *conn, int64_t deadline_ms,
                       int64_t *seconds_r, int *rc_r)
{
    static const struct {
        const char *dn;
        const char *attribute;
    } places[] = {
        {"", "currentTime"},
        {"cn=monitor", "currentTime"},
        {"cn=Current,cn=Time,cn=Monitor", "monitorTimestamp"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        char value[TIME_BYTES];

        *rc_r = read_one(conn, places[i].dn, places[i].attribute, deadline_ms,
                         value);
        /* A place that is not there is an answer; a server that is not, none.
         */
        if (*rc_r < 0)
            return false;
        if (*rc_r == LDAP_SUCCESS && directory_clock_read(value, seconds_r))
            return true;
    }
    *rc_r = LDAP_SUCCESS;
    return false;
}

enum status directory_ask_clock(struct directory *dir, int64_t deadline_ms,
                                int64_t *seconds_r, struct errtext *err)
{
    struct directory_connection *conn = NULL;
    struct errtext why = {{0}};
    int rc = LDAP_SUCCESS;

    for (int turn = 0; turn < 2; turn++) {
        bool told;

        /* A pooled one may have died since it was used. */
        if (directory_pool_take(dir->pool, DIRECTORY_SEARCH, turn > 0,
                                deadline_ms, &conn, err) != STATUS_OK)
            return STATUS_TEMPFAIL;
        told = ask_places(conn, deadline_ms, seconds_r, &rc);
        if (rc == LDAP_SUCCESS) {
            directory_pool_give(dir->pool, DIRECTORY_SEARCH, &conn,
                                DIRECTORY_ANSWERED, NULL);
            if (!told)
                errtext_set(err, "it tells no time");
            return told ? STATUS_OK : STATUS_NOT_FOUND;
        }
        errtext_set(&why, "clock: %s", directory_code_text(rc));
        errtext_set(err, "%s: %s", directory_pool_host(dir->pool, conn),
                    why.text);
        directory_pool_give(dir->pool, DIRECTORY_SEARCH, &conn,
                            turn == 0 ? DIRECTORY_STALE : DIRECTORY_FAILED,
                            &why);
    }
    return STATUS_TEMPFAIL;
}
