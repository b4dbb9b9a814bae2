/* directory_follow_sync - the messages of RFC 4533; see directory_follow.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_follow_private.h"

#include "clock.h"
#include "directory_filter.h"
#include "directory_private.h"
#include "directory_result.h"
#include "strbuf.h"

#include <stdlib.h>
#include <string.h>

#define REFRESH_ONLY 1
#define REFRESH_AND_PERSIST 3
#define STATE_ADD 1
#define STATE_MODIFY 2
#define FILTER_TEXT_MAX 131072
/* Of one poll; more is a complete reading's task. */
#define CHANGED_MAX 100000

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
enum status directory_follow_ask(struct directory_follow *follow,
                                 struct errtext *err)
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
    return rc == LDAP_SUCCESS ? STATUS_OK
                              : directory_follow_failed("syncrepl", rc, err);
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
    if (status != STATUS_OK || entry.usernames.count == 0) {
        directory_entry_clear(&entry);
        return STATUS_OK;
    }
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
        return directory_follow_failed("syncrepl", rc, err);
    if (code == LDAP_SUCCESS && follow->persists && status == STATUS_OK) {
        errtext_set(err, "syncrepl: the server ended the search");
        return STATUS_TEMPFAIL;
    }
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
enum status directory_follow_take(struct directory_follow *follow,
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

bool directory_follow_done(const struct directory_follow *follow)
{
    for (size_t i = 0; i < follow->line_count; i++) {
        if (!follow->lines[i].done)
            return false;
    }
    return true;
}
