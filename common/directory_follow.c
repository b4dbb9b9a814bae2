/* directory_follow - see directory_follow.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_follow.h"

#include "clock.h"
#include "directory_filter.h"
#include "directory_private.h"
#include "directory_result.h"
#include "strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define SPARE_SECONDS                                                          \
    600 /* clocks that differ; what is told twice does no harm */
#define FILTER_TEXT_MAX 131072
#define REFRESH_ONLY 1
#define REFRESH_AND_PERSIST 3
#define STATE_ADD 1
#define STATE_MODIFY 2
#define CHANGED_MAX                                                            \
    100000 /* of one poll; more is a complete reading's task                   \
            */

/* One base DN that is followed. */
struct line {
    const char *base;
    char *cookie; /* owned; "": none yet */
    int msgid;    /* 0: not asked */
    bool done;
};

struct directory_follow {
    struct directory *dir;
    struct directory_connection *conn;
    enum directory_way way;
    char server[256]; /* dsServiceName */
    char highest[32]; /* highestCommittedUSN when asked */
    struct line *lines;
    size_t line_count;
    bool persists;
    struct text_list changed; /* usernames to be found */
};

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

static enum status no_answer(const char *what, int rc, struct errtext *err)
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
            status = no_answer("root entry", rc, err);
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
        return no_answer("contextCSN", rc, err);
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
        return no_answer("root entry", rc, err);
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
    case DIRECTORY_BY_SYNCREPL:
        return now_sync(follow, deadline_ms, cookie_r, err);
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
    strbuf_appendf(filter, "(uSNChanged>=%.*s)", (int)len, from);
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
                              .attributes = follow->dir->attributes};
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

/* --------------------------------------------------------------- RFC 4533 --
 */

/* Sends the search of one base. Returns an LDAP result code. */
static int ask_line(struct directory_follow *follow, struct line *line,
                    const char *filter)
{
    int mode = follow->persists ? REFRESH_AND_PERSIST : REFRESH_ONLY;
    struct berval value = {.bv_val = NULL};
    LDAPControl *controls[] = {NULL, NULL};
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    int rc = LDAP_NO_MEMORY;

    if (ber == NULL)
        return rc;
    if (ber_printf(ber, "{es}", mode, line->cookie) != -1 &&
        ber_flatten2(ber, &value, 0) == 0)
        rc = ldap_control_create(LDAP_CONTROL_SYNC, 1, &value, 1, &controls[0]);
    if (rc == LDAP_SUCCESS)
        rc = ldap_search_ext(follow->conn->ld, line->base, LDAP_SCOPE_SUBTREE,
                             filter, follow->dir->attributes.names, 0, controls,
                             NULL, NULL, LDAP_NO_LIMIT, &line->msgid);
    ldap_control_free(controls[0]);
    ber_free(ber, 1);
    return rc;
}

/* Sends all searches that are not under way. */
static enum status ask_all(struct directory_follow *follow, struct errtext *err)
{
    const struct directory_settings *set = follow->dir->set;
    struct strbuf filter = STRBUF_INIT(FILTER_TEXT_MAX);
    int rc = LDAP_SUCCESS;

    strbuf_append(&filter, "(&");
    directory_filter_append(set, set->filter, clock_wall_seconds(), &filter);
    strbuf_appendf(&filter, "(%s=*))", set->username_field);
    if (filter.failed)
        rc = LDAP_NO_MEMORY;
    directory_connection_begin(follow->conn);
    for (size_t i = 0; rc == LDAP_SUCCESS && i < follow->line_count; i++) {
        follow->lines[i].done = false;
        if (follow->lines[i].msgid == 0)
            rc = ask_line(follow, &follow->lines[i], strbuf_text(&filter));
    }
    strbuf_clear(&filter);
    return rc == LDAP_SUCCESS ? STATUS_OK : no_answer("syncrepl", rc, err);
}

static struct line *line_of(struct directory_follow *follow, LDAPMessage *one)
{
    for (size_t i = 0; i < follow->line_count; i++) {
        if (follow->lines[i].msgid == ldap_msgid(one))
            return &follow->lines[i];
    }
    return NULL;
}

/* Keeps a cookie; one without it changes nothing. */
static bool keep_cookie(struct line *line, const struct berval *cookie)
{
    char *copy;

    if (cookie->bv_len == 0 || cookie->bv_len > DIRECTORY_COOKIE_BYTES_MAX ||
        memchr(cookie->bv_val, '\n', cookie->bv_len) != NULL)
        return true;
    copy = strndup(cookie->bv_val, cookie->bv_len);
    if (copy == NULL)
        return false;
    free(line->cookie);
    line->cookie = copy;
    return true;
}

/* Reads SyncStateValue; -1 if there is none. */
static int state_of(LDAP *ld, LDAPMessage *one, struct line *line)
{
    LDAPControl **controls = NULL;
    LDAPControl *control = NULL;
    BerElement *ber = NULL;
    ber_int_t state = -1;
    struct berval uuid;
    struct berval cookie = {0, NULL};
    ber_len_t len = 0;

    if (ldap_get_entry_controls(ld, one, &controls) == LDAP_SUCCESS &&
        controls != NULL)
        control = ldap_control_find(LDAP_CONTROL_SYNC_STATE, controls, NULL);
    if (control != NULL)
        ber = ber_init(&control->ldctl_value);
    if (ber == NULL || ber_scanf(ber, "{em", &state, &uuid) == LBER_ERROR)
        state = -1;
    else if (ber_peek_tag(ber, &len) == LDAP_TAG_SYNC_COOKIE &&
             (ber_scanf(ber, "m", &cookie) == LBER_ERROR ||
              !keep_cookie(line, &cookie)))
        state = -1;
    ber_free(ber, 1);
    ldap_controls_free(controls);
    return state;
}

/* An entry that came or changed: its person is found when all are in. */
static enum status take_entry(struct directory_follow *follow, LDAPMessage *one,
                              struct line *line, struct errtext *err)
{
    struct directory_entry entry = {.dn = NULL};
    struct directory_rest rest = {0};
    struct errtext why = {{0}};
    int state = state_of(follow->conn->ld, one, line);
    enum status status;

    if (state != STATE_ADD && state != STATE_MODIFY)
        return STATUS_OK;
    /* The name is all that is wanted: the rest comes with the finding. */
    status = directory_entry_read(follow->dir->set, follow->conn->ld, one,
                                  &entry, &rest, &why);
    if (status == STATUS_TEMPFAIL) {
        *err = why;
        return status;
    }
    /* What cannot be used is told by a complete reading. */
    if (status != STATUS_OK || entry.usernames.count == 0)
        return STATUS_OK;
    if (follow->changed.count >= CHANGED_MAX) {
        errtext_set(err, "over %d people changed", CHANGED_MAX);
        status = STATUS_DENIED;
    } else {
        status = text_list_add(&follow->changed, entry.usernames.items[0], err);
    }
    directory_entry_clear(&entry);
    return status;
}

/* Sync Info: of it only cookies matter to us. */
static enum status take_info(struct directory_follow *follow, LDAPMessage *one,
                             struct line *line, struct errtext *err)
{
    char *oid = NULL;
    struct berval *value = NULL;
    struct berval cookie = {0, NULL};
    BerElement *ber = NULL;
    ber_len_t len = 0;
    bool kept = true;

    if (ldap_parse_intermediate(follow->conn->ld, one, &oid, &value, NULL, 0) ==
            LDAP_SUCCESS &&
        oid != NULL && strcmp(oid, LDAP_SYNC_INFO) == 0 && value != NULL)
        ber = ber_init(value);
    if (ber != NULL) {
        ber_tag_t tag = ber_peek_tag(ber, &len);

        if (tag == LDAP_TAG_SYNC_NEW_COOKIE)
            kept = ber_scanf(ber, "tm", &tag, &cookie) != LBER_ERROR &&
                   keep_cookie(line, &cookie);
        else if (tag != LBER_ERROR &&
                 ber_scanf(ber, "t{", &tag) != LBER_ERROR &&
                 ber_peek_tag(ber, &len) == LDAP_TAG_SYNC_COOKIE)
            kept = ber_scanf(ber, "m", &cookie) != LBER_ERROR &&
                   keep_cookie(line, &cookie);
    }
    ber_free(ber, 1);
    ber_bvfree(value);
    ldap_memfree(oid);
    return kept ? STATUS_OK : status_no_memory(err);
}

/* The end of a search: its cookie, or why the server does not go on. */
static enum status take_end(struct directory_follow *follow, LDAPMessage *one,
                            struct line *line, struct errtext *err)
{
    LDAPControl **controls = NULL;
    LDAPControl *done = NULL;
    BerElement *ber = NULL;
    struct berval cookie = {0, NULL};
    ber_len_t len = 0;
    int code = LDAP_OTHER;
    enum status status = STATUS_OK;
    int rc = ldap_parse_result(follow->conn->ld, one, &code, NULL, NULL, NULL,
                               &controls, 0);

    line->done = true;
    line->msgid = 0;
    if (rc == LDAP_SUCCESS && code == LDAP_SUCCESS && controls != NULL)
        done = ldap_control_find(LDAP_CONTROL_SYNC_DONE, controls, NULL);
    if (done != NULL)
        ber = ber_init(&done->ldctl_value);
    if (ber != NULL && ber_scanf(ber, "{") != LBER_ERROR &&
        ber_peek_tag(ber, &len) == LDAP_TAG_SYNC_COOKIE &&
        (ber_scanf(ber, "m", &cookie) == LBER_ERROR ||
         !keep_cookie(line, &cookie)))
        status = status_no_memory(err);
    ber_free(ber, 1);
    ldap_controls_free(controls);
    if (rc != LDAP_SUCCESS)
        return no_answer("syncrepl", rc, err);
    if (code == LDAP_SUCCESS)
        return status;
    errtext_set(err, "syncrepl: %s", directory_code_text(code));
    /* A cookie it does not know, or whose changes it has forgotten. */
    if (code == LDAP_SYNC_REFRESH_REQUIRED ||
        code == LDAP_UNWILLING_TO_PERFORM || code == LDAP_PROTOCOL_ERROR)
        return STATUS_DENIED;
    return STATUS_TEMPFAIL;
}

/* One message; *changed_r tells that somebody did. */
static enum status take_message(struct directory_follow *follow,
                                LDAPMessage *one, struct errtext *err)
{
    struct line *line = line_of(follow, one);

    if (line == NULL)
        return STATUS_OK;
    switch (ldap_msgtype(one)) {
    case LDAP_RES_SEARCH_ENTRY:
        return take_entry(follow, one, line, err);
    case LDAP_RES_INTERMEDIATE:
        return take_info(follow, one, line, err);
    case LDAP_RES_SEARCH_RESULT:
        return take_end(follow, one, line, err);
    default:
        return STATUS_OK;
    }
}

static bool all_done(const struct directory_follow *follow)
{
    for (size_t i = 0; i < follow->line_count; i++) {
        if (!follow->lines[i].done)
            return false;
    }
    return true;
}

/* Finds those who changed, as a login finds them, and tells the walker. */
static enum status tell_changed(struct directory_follow *follow,
                                const struct directory_walker *walker,
                                int64_t deadline_ms, struct errtext *err)
{
    enum status status = STATUS_OK;

    (void)directory_forget(follow->dir, NULL);
    for (size_t i = 0; status == STATUS_OK && i < follow->changed.count; i++) {
        struct directory_entry entry = {.dn = NULL};
        bool remembered = false;

        status = directory_find(follow->dir, follow->changed.items[i],
                                deadline_ms, &entry, &remembered, err);
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
    bool first = true;

    while (status == STATUS_OK && !all_done(follow)) {
        int64_t until_ms = deadline_ms;
        LDAPMessage *one = NULL;
        int rc;

        if (follow->persists && follow->changed.count > 0 &&
            clock_ms() + quiet_ms < until_ms)
            until_ms = clock_ms() + quiet_ms;
        /* What may be received is counted for each message. */
        directory_connection_begin(follow->conn);
        rc = directory_connection_next(follow->conn, until_ms, &one);
        if (rc == LDAP_TIMEOUT && follow->persists)
            return STATUS_OK;
        if (rc != LDAP_SUCCESS)
            return no_answer("syncrepl", rc, err);
        status = take_message(follow, one, err);
        ldap_msgfree(one);
        first = false;
    }
    if (status == STATUS_OK && follow->persists && !first) {
        errtext_set(err, "syncrepl: the server ended the search");
        status = STATUS_TEMPFAIL;
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
    status = ask_all(follow, err);
    if (status == STATUS_OK)
        status = listen_for(follow, 0, deadline_ms, err);
    if (status == STATUS_OK)
        status = tell_changed(follow, walker, deadline_ms, err);
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
        status = ask_all(follow, err);
    }
    if (status == STATUS_OK)
        status = listen_for(follow, quiet_ms, deadline_ms, err);
    if (status != STATUS_OK || follow->changed.count == 0)
        return status;
    status =
        tell_changed(follow, walker,
                     clock_ms() + follow->dir->set->operation_timeout_ms, err);
    return status == STATUS_OK ? join_cookies(follow, cookie_r, err) : status;
}
