/* directory_follow - see directory_follow.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_follow.h"

#include "clock.h"
#include "directory_follow_private.h"
#include "directory_private.h"
#include "directory_result.h"
#include "strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* For clocks that differ; what is told twice does no harm. */
#define SPARE_SECONDS 600
#define CHANGED_A_RUN 500
#define FILTER_TEXT_MAX 131072

const char *directory_way_name(enum directory_way way)
{
    static const char *const names[] = {
        [DIRECTORY_BY_SYNCREPL] = "syncrepl",
        [DIRECTORY_BY_USN] = "uSNChanged",
        [DIRECTORY_BY_TIME] = "modifyTimestamp",
    };

    return names[way];
}

enum directory_way directory_follow_way(const struct directory_follow *follow)
{
    return follow->way;
}

void directory_follow_use(struct directory_follow *follow, const char *cookie)
{
    if (strncmp(cookie, "time ", 5) == 0)
        follow->way = DIRECTORY_BY_TIME;
}

/* Copies the first value of an attribute; "" if there is none. */
static void copy_first(LDAP *ld, LDAPMessage *entry, const char *attribute,
                       char *out, size_t size)
{
    struct berval **values = ldap_get_values_len(ld, entry, attribute);

    out[0] = '\0';
    if (values != NULL && values[0] != NULL && values[0]->bv_len < size) {
        memcpy(out, values[0]->bv_val, values[0]->bv_len);
        out[values[0]->bv_len] = '\0';
    }
    ldap_value_free_len(values);
}

/* Reads one entry; *answer_r is owned and may hold none. */
static int read_base(struct directory_follow *follow, const char *base,
                     char **attributes, int64_t deadline_ms,
                     LDAPMessage **answer_r)
{
    int msgid = 0;
    int rc;

    directory_connection_begin(follow->conn);
    rc = ldap_search_ext(follow->conn->ld, base, LDAP_SCOPE_BASE,
                         "(objectClass=*)", attributes, 0, NULL, NULL, NULL, 0,
                         &msgid);
    return rc == LDAP_SUCCESS ? directory_connection_wait(follow->conn, false,
                                                          deadline_ms, answer_r)
                              : rc;
}

/* What the server says of itself: which server it is, and how far it came. */
static int ask_server(struct directory_follow *follow, int64_t deadline_ms)
{
    static char service[] = "dsServiceName";
    static char highest[] = "highestCommittedUSN";
    char *attributes[] = {service, highest, NULL};
    LDAPMessage *answer = NULL;
    LDAPMessage *entry;
    int rc = read_base(follow, "", attributes, deadline_ms, &answer);

    if (rc != LDAP_SUCCESS)
        return rc;
    entry = ldap_first_entry(follow->conn->ld, answer);
    if (entry != NULL) {
        copy_first(follow->conn->ld, entry, service, follow->server,
                   sizeof(follow->server));
        copy_first(follow->conn->ld, entry, highest, follow->highest,
                   sizeof(follow->highest));
    }
    ldap_msgfree(answer);
    return LDAP_SUCCESS;
}

enum status directory_follow_failed(const char *what, int rc,
                                    struct errtext *err)
{
    errtext_set(err, "%s: %s", what, directory_code_text(rc));
    return STATUS_TEMPFAIL;
}

static enum status make_lines(struct directory_follow *follow,
                              struct errtext *err)
{
    const struct text_list *bases = &follow->dir->set->base_dns;

    follow->lines = calloc(bases->count + 1, sizeof(*follow->lines));
    if (follow->lines == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < bases->count; i++)
        follow->lines[i].base = bases->items[i];
    follow->line_count = bases->count;
    return STATUS_OK;
}

enum status directory_follow_open(struct directory *dir, int64_t deadline_ms,
                                  struct directory_follow **follow_r,
                                  struct errtext *err)
{
    struct directory_abilities abilities;
    struct directory_follow *follow;
    int rc;
    enum status status =
        directory_ask_abilities(dir, deadline_ms, &abilities, err);

    if (status != STATUS_OK)
        return status;
    follow = calloc(1, sizeof(*follow));
    if (follow == NULL)
        return status_no_memory(err);
    follow->dir = dir;
    follow->way = abilities.syncrepl           ? DIRECTORY_BY_SYNCREPL
                  : abilities.active_directory ? DIRECTORY_BY_USN
                                               : DIRECTORY_BY_TIME;
    status = make_lines(follow, err);
    if (status == STATUS_OK)
        status = directory_pool_take(dir->pool, DIRECTORY_SEARCH, true,
                                     deadline_ms, &follow->conn, err);
    if (status == STATUS_OK && follow->way == DIRECTORY_BY_USN) {
        rc = ask_server(follow, deadline_ms);
        if (rc != LDAP_SUCCESS)
            status = directory_follow_failed("root entry", rc, err);
    }
    if (status == STATUS_OK)
        *follow_r = follow;
    else
        directory_follow_close(&follow);
    return status;
}

void directory_follow_close(struct directory_follow **follow)
{
    struct directory_follow *old = *follow;

    if (old == NULL)
        return;
    if (old->conn != NULL)
        directory_pool_give(old->dir->pool, DIRECTORY_SEARCH, &old->conn,
                            DIRECTORY_SPENT, NULL);
    for (size_t i = 0; i < old->line_count; i++)
        free(old->lines[i].cookie);
    free(old->lines);
    text_list_clear(&old->changed);
    free(old);
    *follow = NULL;
}

/* ------------------------------------------------------------- cookies ---- */

/* Where OpenLDAP keeps how far a database is: the entry of its suffix. */
static void suffix_of(struct directory_follow *follow, const char *base,
                      int64_t deadline_ms, char *out, size_t size)
{
    static char contexts[] = "namingContexts";
    char *attributes[] = {contexts, NULL};
    LDAPMessage *answer = NULL;
    LDAPMessage *entry;
    struct berval **values;
    size_t len = strlen(base);

    out[0] = '\0';
    if (read_base(follow, "", attributes, deadline_ms, &answer) != LDAP_SUCCESS)
        return;
    entry = ldap_first_entry(follow->conn->ld, answer);
    values = entry != NULL
                 ? ldap_get_values_len(follow->conn->ld, entry, contexts)
                 : NULL;
    for (size_t i = 0; values != NULL && values[i] != NULL; i++) {
        const struct berval *value = values[i];

        if (value->bv_len <= len && value->bv_len < size &&
            value->bv_len > strlen(out) &&
            strncasecmp(base + len - value->bv_len, value->bv_val,
                        value->bv_len) == 0) {
            memcpy(out, value->bv_val, value->bv_len);
            out[value->bv_len] = '\0';
        }
    }
    ldap_value_free_len(values);
    ldap_msgfree(answer);
}

/* "rid=000,csn=A;B", as slapd writes it; "" where there is none to be read. */
static enum status csn_cookie(struct directory_follow *follow, const char *base,
                              int64_t deadline_ms, struct strbuf *cookie,
                              struct errtext *err)
{
    static char csn[] = "contextCSN";
    char *attributes[] = {csn, NULL};
    char suffix[4096];
    LDAPMessage *answer = NULL;
    LDAPMessage *entry;
    struct berval **values = NULL;
    int rc;

    suffix_of(follow, base, deadline_ms, suffix, sizeof(suffix));
    rc = read_base(follow, suffix[0] != '\0' ? suffix : base, attributes,
                   deadline_ms, &answer);
    if (rc != LDAP_SUCCESS)
        return directory_follow_failed("contextCSN", rc, err);
    entry = ldap_first_entry(follow->conn->ld, answer);
    if (entry != NULL)
        values = ldap_get_values_len(follow->conn->ld, entry, csn);
    for (size_t i = 0; values != NULL && values[i] != NULL; i++) {
        strbuf_append(cookie, i == 0 ? "rid=000,csn=" : ";");
        strbuf_append_len(cookie, values[i]->bv_val, values[i]->bv_len);
    }
    ldap_value_free_len(values);
    ldap_msgfree(answer);
    return cookie->len > 0 ? STATUS_OK : STATUS_NOT_FOUND;
}

/* "sync" and the cookie of each base, a line each. */
static enum status join_cookies(struct directory_follow *follow,
                                char **cookie_r, struct errtext *err)
{
    struct strbuf text = STRBUF_INIT(DIRECTORY_COOKIE_BYTES_MAX);

    strbuf_append(&text, "sync");
    for (size_t i = 0; i < follow->line_count; i++)
        strbuf_appendf(&text, "\n%s",
                       follow->lines[i].cookie != NULL ? follow->lines[i].cookie
                                                       : "");
    return strbuf_take(&text, cookie_r, err);
}

/* The way back; false for a cookie of another kind or number of bases. */
static bool split_cookies(struct directory_follow *follow, const char *cookie)
{
    const char *p = cookie;

    if (strncmp(p, "sync", 4) != 0)
        return false;
    p += 4;
    for (size_t i = 0; i < follow->line_count; i++) {
        size_t len;

        if (*p != '\n')
            return false;
        len = strcspn(++p, "\n");
        free(follow->lines[i].cookie);
        follow->lines[i].cookie = strndup(p, len);
        if (len == 0 || follow->lines[i].cookie == NULL)
            return false;
        p += len;
    }
    return *p == '\0';
}

static enum status now_sync(struct directory_follow *follow,
                            int64_t deadline_ms, char **cookie_r,
                            struct errtext *err)
{
    for (size_t i = 0; i < follow->line_count; i++) {
        struct strbuf cookie = STRBUF_INIT(DIRECTORY_COOKIE_BYTES_MAX);
        enum status status = csn_cookie(follow, follow->lines[i].base,
                                        deadline_ms, &cookie, err);

        free(follow->lines[i].cookie);
        follow->lines[i].cookie = NULL;
        if (status == STATUS_OK)
            status = strbuf_take(&cookie, &follow->lines[i].cookie, err);
        strbuf_clear(&cookie);
        if (status != STATUS_OK)
            return status;
    }
    return join_cookies(follow, cookie_r, err);
}

/* "time 20261124143000Z" */
static enum status now_time(char **cookie_r, struct errtext *err)
{
    struct strbuf text = STRBUF_INIT(64);
    time_t at = (time_t)(clock_wall_seconds() - SPARE_SECONDS);
    char digits[32] = "";
    struct tm parts;

    if (gmtime_r(&at, &parts) != NULL)
        (void)strftime(digits, sizeof(digits), "%Y%m%d%H%M%SZ", &parts);
    strbuf_appendf(&text, "time %s", digits);
    return strbuf_take(&text, cookie_r, err);
}

/* "usn 4711 CN=NTDS Settings,..." */
static enum status now_usn(struct directory_follow *follow, int64_t deadline_ms,
                           char **cookie_r, struct errtext *err)
{
    struct strbuf text = STRBUF_INIT(DIRECTORY_COOKIE_BYTES_MAX);
    int rc = ask_server(follow, deadline_ms);

    if (rc != LDAP_SUCCESS)
        return directory_follow_failed("root entry", rc, err);
    if (follow->highest[0] == '\0' || follow->server[0] == '\0')
        return STATUS_NOT_FOUND;
    strbuf_appendf(&text, "usn %s %s", follow->highest, follow->server);
    return strbuf_take(&text, cookie_r, err);
}

enum status directory_follow_now(struct directory_follow *follow,
                                 int64_t deadline_ms, char **cookie_r,
                                 struct errtext *err)
{
    switch (follow->way) {
    case DIRECTORY_BY_SYNCREPL: {
        enum status status = now_sync(follow, deadline_ms, cookie_r, err);

        if (status != STATUS_NOT_FOUND)
            return status;
        break;
    }
    case DIRECTORY_BY_USN:
        return now_usn(follow, deadline_ms, cookie_r, err);
    case DIRECTORY_BY_TIME:
        break;
    }
    return now_time(cookie_r, err);
}

/* ---------------------------------------------- uSNChanged, modifyTimestamp */

/* The condition that a cookie stands for; false if it is not this server's. */
static bool condition_of(const struct directory_follow *follow,
                         const char *cookie, struct strbuf *filter)
{
    const char *from = cookie + strcspn(cookie, " ");
    size_t len;

    if (*from != ' ')
        return false;
    from++;
    len = strcspn(from, " ");
    if (len == 0 || strspn(from, "0123456789Z") < len)
        return false;
    if (follow->way == DIRECTORY_BY_TIME) {
        if (strncmp(cookie, "time ", 5) != 0 || from[len] != '\0')
            return false;
        strbuf_appendf(filter, "(modifyTimestamp>=%.*s)", (int)len, from);
        return true;
    }
    if (strncmp(cookie, "usn ", 4) != 0 || from[len] != ' ' ||
        strcmp(from + len + 1, follow->server) != 0)
        return false;
    /* That number was the last one when the cookie was made. */
    strbuf_appendf(filter, "(uSNChanged>=%llu)", strtoull(from, NULL, 10) + 1);
    return true;
}

/* Walks as for everybody, with one more condition. */
static enum status poll_filter(struct directory_follow *follow,
                               const char *cookie,
                               const struct directory_walker *walker,
                               int64_t deadline_ms, struct errtext *err)
{
    struct directory_settings set = *follow->dir->set;
    struct directory other = {.set = &set,
                              .pool = follow->dir->pool,
                              .memory = follow->dir->memory,
                              .attributes = follow->dir->attributes,
                              .lent = follow->conn};
    struct strbuf filter = STRBUF_INIT(FILTER_TEXT_MAX);
    struct directory_walked walked;
    enum status status = STATUS_OK;

    strbuf_appendf(&filter, "(&%s", set.filter);
    if (!condition_of(follow, cookie, &filter)) {
        errtext_set(err, "the cookie is not this server's");
        status = STATUS_DENIED;
    }
    strbuf_append_char(&filter, ')');
    if (status == STATUS_OK && filter.failed)
        status = status_no_memory(err);
    if (status == STATUS_OK) {
        set.filter = filter.data;
        status = directory_walk(&other, walker, clock_left_ms(deadline_ms),
                                &walked, err);
        /* References say nothing about who changed here. */
        if (status == STATUS_TEMPFAIL && walked.gap == DIRECTORY_REFERENCES)
            status = STATUS_OK;
    }
    strbuf_clear(&filter);
    return status == STATUS_INVALID ? STATUS_TEMPFAIL : status;
}

/* Finds those who changed, as a login finds them, and tells the walker. */
static enum status tell_changed(struct directory_follow *follow,
                                const struct directory_walker *walker,
                                struct errtext *err)
{
    enum status status = STATUS_OK;

    (void)directory_forget(follow->dir, NULL);
    for (size_t i = 0; status == STATUS_OK && i < follow->changed.count; i++) {
        struct directory_entry entry = {.dn = NULL};
        bool remembered = false;

        status =
            directory_find(follow->dir, follow->changed.items[i],
                           clock_ms() + follow->dir->set->operation_timeout_ms,
                           &entry, &remembered, err);
        /* Gone again, or two of that name: a complete reading will tell. */
        if (status == STATUS_NOT_FOUND || status == STATUS_DENIED ||
            status == STATUS_INVALID) {
            status = STATUS_OK;
            continue;
        }
        if (status == STATUS_OK && !walker->person(walker->context, &entry)) {
            errtext_set(err, "stopped");
            status = STATUS_TEMPFAIL;
        }
        directory_entry_clear(&entry);
    }
    text_list_clear(&follow->changed);
    return status;
}

/*
 * Takes messages until all searches ended, or, where they stay, until somebody
 * changed and it was quiet for quiet_ms, or until deadline_ms.
 */
static enum status listen_for(struct directory_follow *follow, int quiet_ms,
                              int64_t deadline_ms, struct errtext *err)
{
    enum status status = STATUS_OK;

    while (status == STATUS_OK && !directory_follow_done(follow)) {
        int64_t until_ms = deadline_ms;
        LDAPMessage *one = NULL;
        int rc;

        /* Enough for one run; the rest waits in the connection. */
        if (follow->persists && follow->changed.count >= CHANGED_A_RUN)
            return STATUS_OK;
        if (follow->persists && follow->changed.count > 0 &&
            clock_ms() + quiet_ms < until_ms)
            until_ms = clock_ms() + quiet_ms;
        rc = directory_connection_next(follow->conn, until_ms, &one);
        if (rc == LDAP_TIMEOUT && follow->persists)
            return STATUS_OK;
        if (rc != LDAP_SUCCESS)
            return directory_follow_failed("syncrepl", rc, err);
        status = directory_follow_take(follow, one, err);
        ldap_msgfree(one);
    }
    return status;
}

static enum status poll_sync(struct directory_follow *follow,
                             const char *cookie,
                             const struct directory_walker *walker,
                             int64_t deadline_ms, char **cookie_r,
                             struct errtext *err)
{
    enum status status;

    if (!split_cookies(follow, cookie)) {
        errtext_set(err, "the cookie is not of this kind");
        return STATUS_DENIED;
    }
    follow->persists = false;
    status = directory_follow_ask(follow, err);
    if (status == STATUS_OK)
        status = listen_for(follow, 0, deadline_ms, err);
    if (status == STATUS_OK)
        status = tell_changed(follow, walker, err);
    return status == STATUS_OK ? join_cookies(follow, cookie_r, err) : status;
}

enum status directory_follow_poll(struct directory_follow *follow,
                                  const char *cookie,
                                  const struct directory_walker *walker,
                                  int64_t deadline_ms, char **cookie_r,
                                  struct errtext *err)
{
    char *now = NULL;
    enum status status;

    if (follow->way == DIRECTORY_BY_SYNCREPL)
        return poll_sync(follow, cookie, walker, deadline_ms, cookie_r, err);
    status = directory_follow_now(follow, deadline_ms, &now, err);
    if (status == STATUS_OK)
        status = poll_filter(follow, cookie, walker, deadline_ms, err);
    if (status == STATUS_OK)
        *cookie_r = now;
    else
        free(now);
    return status == STATUS_NOT_FOUND ? STATUS_DENIED : status;
}

enum status directory_follow_wait(struct directory_follow *follow,
                                  const char *cookie,
                                  const struct directory_walker *walker,
                                  int quiet_ms, int64_t deadline_ms,
                                  char **cookie_r, struct errtext *err)
{
    enum status status = STATUS_OK;

    *cookie_r = NULL;
    if (!follow->persists) {
        if (!split_cookies(follow, cookie)) {
            errtext_set(err, "the cookie is not of this kind");
            return STATUS_DENIED;
        }
        follow->persists = true;
        status = directory_follow_ask(follow, err);
    }
    if (status == STATUS_OK)
        status = listen_for(follow, quiet_ms, deadline_ms, err);
    if (status != STATUS_OK || follow->changed.count == 0)
        return status;
    status = tell_changed(follow, walker, err);
    return status == STATUS_OK ? join_cookies(follow, cookie_r, err) : status;
}
