/* directory_walk - see directory_walk.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_walk.h"

#include "clock.h"
#include "directory_complete.h"
#include "directory_filter.h"
#include "directory_groups.h"
#include "directory_private.h"
#include "directory_result.h"
#include "strbuf.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FILTER_TEXT_MAX 131072
#define DN_DIGEST_BYTES 16

static const char ad_capability_oid[] = "1.2.840.113556.1.4.800";
static const char sync_oid[] = "1.3.6.1.4.1.4203.1.9.1.1";
static const char policy_oid[] = "1.3.6.1.4.1.42.2.27.8.5.1";

const char *directory_gap_name(enum directory_gap gap)
{
    static const char *const names[] = {
        [DIRECTORY_NO_GAP] = "none",
        [DIRECTORY_SIZE_LIMIT] = "size_limit",
        [DIRECTORY_REFERENCES] = "references",
        [DIRECTORY_NO_BASE] = "no_base",
        [DIRECTORY_STOPPED] = "stopped",
        [DIRECTORY_BROKEN] = "broken",
    };

    return names[gap];
}

/* DNs of disabled people, as digests: 16 bytes each, sorted when all are in. */
struct digest_set {
    unsigned char (*items)[DN_DIGEST_BYTES];
    size_t count, size;
};

struct walk {
    struct directory *dir;
    const struct directory_walker *walker;
    struct directory_walked *walked;
    int64_t page_ms;
    struct directory_connection *conn;
    bool asks_disabled;
    struct digest_set disabled;
    struct directory_groups *groups; /* NULL: groups in groups do not count */
    bool page_ended;                 /* other questions may be asked */
    LDAPMessage **late; /* entries that need some, kept until then */
    size_t late_count, late_room;
};

static int compare_digests(const void *left, const void *right)
{
    return memcmp(left, right, DN_DIGEST_BYTES);
}

/* Both DNs come from the same server, so that letters' case is all there is. */
static bool digest_dn(const char *dn, unsigned char out[DN_DIGEST_BYTES])
{
    unsigned char whole[EVP_MAX_MD_SIZE];
    char *lower = strdup(dn);
    bool done = false;

    if (lower == NULL)
        return false;
    for (char *c = lower; *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    done =
        EVP_Digest(lower, strlen(lower), whole, NULL, EVP_sha256(), NULL) == 1;
    free(lower);
    memcpy(out, whole, DN_DIGEST_BYTES);
    return done;
}

static bool add_disabled(struct digest_set *set, const char *dn)
{
    if (set->count == set->size) {
        size_t size = set->size == 0 ? 64 : set->size * 2;
        void *items = realloc(set->items, size * DN_DIGEST_BYTES);

        if (items == NULL)
            return false;
        set->items = items;
        set->size = size;
    }
    return digest_dn(dn, set->items[set->count]) && ++set->count > 0;
}

static bool is_disabled(const struct digest_set *set, const char *dn)
{
    unsigned char digest[DN_DIGEST_BYTES];

    return set->count > 0 && digest_dn(dn, digest) &&
           bsearch(digest, set->items, set->count, DN_DIGEST_BYTES,
                   compare_digests) != NULL;
}

/* Ends the walk: no complete answer. */
static enum status end_with(struct walk *walk, enum directory_gap gap)
{
    if (walk->walked->gap == DIRECTORY_NO_GAP)
        walk->walked->gap = gap;
    return STATUS_TEMPFAIL;
}

static bool has_more(const struct directory_rest *rest)
{
    return rest->usernames > 0 || rest->values > 0 || rest->aliases > 0;
}

/* Keeps an entry until its page has ended. */
static enum status put_off(struct walk *walk, LDAPMessage **message,
                           struct errtext *err)
{
    if (walk->late_count == walk->late_room) {
        size_t room = walk->late_room == 0 ? 16 : walk->late_room * 2;
        LDAPMessage **late = realloc(walk->late, room * sizeof(LDAPMessage *));

        if (late == NULL) {
            errtext_set(err, "out of memory");
            return end_with(walk, DIRECTORY_BROKEN);
        }
        walk->late = late;
        walk->late_room = room;
    }
    walk->late[walk->late_count++] = *message;
    *message = NULL;
    return STATUS_OK;
}

/* Adds to an entry what its server keeps back of long lists, and groups. */
static enum status complete(struct walk *walk,
                            const struct directory_rest *rest,
                            struct directory_entry *entry, struct errtext *err)
{
    enum status status = STATUS_OK;

    if (has_more(rest) &&
        directory_complete_lists(walk->dir->set, walk->conn, rest,
                                 clock_ms() + walk->page_ms, entry, &status,
                                 err) != LDAP_SUCCESS)
        status = STATUS_TEMPFAIL;
    if (status == STATUS_OK && walk->groups != NULL)
        status = directory_groups_expand(walk->groups, entry, err);
    return status;
}

/* One entry of a page of people; *message is taken over if it has to wait. */
static enum status take_person(struct walk *walk, LDAPMessage **message,
                               struct errtext *err)
{
    const struct directory_settings *set = walk->dir->set;
    struct directory_entry entry = {.dn = NULL};
    struct directory_rest rest = {0};
    struct errtext why = {{0}};
    enum status status = directory_entry_read(set, walk->conn->ld, *message,
                                              &entry, &rest, &why);
    bool more;

    if (status == STATUS_OK && has_more(&rest) && !walk->page_ended) {
        directory_entry_clear(&entry);
        return put_off(walk, message, err);
    }
    if (status == STATUS_OK)
        status = complete(walk, &rest, &entry, &why);
    if (status == STATUS_OK) {
        entry.disabled = is_disabled(&walk->disabled, entry.dn);
        walk->walked->people++;
        more = walk->walker->person(walk->walker->context, &entry);
    } else if (status == STATUS_TEMPFAIL) {
        *err = why;
        (void)end_with(walk, DIRECTORY_BROKEN);
        more = false;
    } else {
        char *id = directory_entry_id(set, walk->conn->ld, *message);

        walk->walked->unusable++;
        more = walk->walker->unusable(walk->walker->context, id, &why);
        free(id);
    }
    directory_entry_clear(&entry);
    return more ? STATUS_OK : end_with(walk, DIRECTORY_STOPPED);
}

/* Those who had to wait for the end of their page. */
static enum status take_late(struct walk *walk, struct errtext *err)
{
    enum status status = STATUS_OK;

    walk->page_ended = true;
    for (size_t i = 0; status == STATUS_OK && i < walk->late_count; i++)
        status = take_person(walk, &walk->late[i], err);
    walk->page_ended = false;
    return status;
}

static void drop_late(struct walk *walk)
{
    for (size_t i = 0; i < walk->late_count; i++)
        ldap_msgfree(walk->late[i]);
    walk->late_count = 0;
}

/* One entry of a page of disabled people: its name is all that came. */
static enum status take_disabled(struct walk *walk, LDAPMessage *message,
                                 struct errtext *err)
{
    char *dn = ldap_get_dn(walk->conn->ld, message);
    bool added = dn != NULL && add_disabled(&walk->disabled, dn);

    ldap_memfree(dn);
    if (added)
        return STATUS_OK;
    errtext_set(err, "an entry could not be read");
    return end_with(walk, DIRECTORY_BROKEN);
}

/* One message of a page, which is taken over where it has to wait. */
static enum status take_message(struct walk *walk, LDAPMessage **message,
                                struct errtext *err)
{
    switch (ldap_msgtype(*message)) {
    case LDAP_RES_SEARCH_ENTRY:
        return walk->asks_disabled ? take_disabled(walk, *message, err)
                                   : take_person(walk, message, err);
    case LDAP_RES_SEARCH_REFERENCE:
        walk->walked->references++;
        return STATUS_OK;
    default:
        return STATUS_OK;
    }
}

/* Asks for one page; returns an LDAP result code. */
static int ask_page(struct walk *walk, const char *base, const char *filter,
                    struct berval *cookie, int *msgid_r)
{
    char no_attributes[] = LDAP_NO_ATTRS;
    char *none[] = {no_attributes, NULL};
    LDAPControl *page = NULL;
    int rc = ldap_create_page_control(walk->conn->ld, DIRECTORY_PAGE_ENTRIES,
                                      cookie, 0, &page);

    directory_connection_begin(walk->conn);
    if (rc == LDAP_SUCCESS)
        rc = directory_connection_search(
            walk->conn, base, LDAP_SCOPE_SUBTREE, filter,
            walk->asks_disabled ? none : walk->dir->attributes.names,
            LDAP_NO_LIMIT, page, msgid_r);
    atomic_fetch_add_explicit(&walk->dir->searches, 1, memory_order_relaxed);
    ldap_control_free(page);
    return rc;
}

/*
 * Waits for the next message of a page; *message_r is owned. *left_ms is what
 * is left to the server: what is done with the messages takes nothing of it.
 */
static int next_message(struct walk *walk, int msgid, int64_t *left_ms,
                        LDAPMessage **message_r)
{
    int64_t began_ms = clock_ms();
    int rc =
        directory_connection_next(walk->conn, began_ms + *left_ms, message_r);

    *left_ms -= clock_ms() - began_ms;
    if (rc != LDAP_SUCCESS || ldap_msgid(*message_r) == msgid)
        return rc;
    ldap_msgfree(*message_r);
    *message_r = NULL;
    return LDAP_SERVER_DOWN;
}

/* Takes what a page holds as it comes; *end_r is its end, owned. */
static enum status take_page(struct walk *walk, const char *base, int msgid,
                             LDAPMessage **end_r, struct errtext *err)
{
    int64_t left_ms = walk->page_ms;
    enum status status = STATUS_OK;

    while (status == STATUS_OK) {
        LDAPMessage *message = NULL;
        int rc = next_message(walk, msgid, &left_ms, &message);

        if (rc != LDAP_SUCCESS) {
            errtext_set(err, "reading %s: %s", base, directory_code_text(rc));
            return end_with(walk, DIRECTORY_BROKEN);
        }
        if (ldap_msgtype(message) == LDAP_RES_SEARCH_RESULT) {
            *end_r = message;
            walk->walked->pages++;
            return take_late(walk, err);
        }
        status = take_message(walk, &message, err);
        ldap_msgfree(message);
    }
    return status;
}

/* Reads the cookie for the next page; empty: that was the last. */
static enum status next_cookie(struct walk *walk, LDAPMessage *answer,
                               struct berval *cookie, struct errtext *err)
{
    LDAPControl **controls = NULL;
    LDAPControl *page;
    int code = 0;
    int rc = ldap_parse_result(walk->conn->ld, answer, &code, NULL, NULL, NULL,
                               &controls, 0);

    ber_memfree(cookie->bv_val);
    cookie->bv_val = NULL;
    cookie->bv_len = 0;
    page = rc == LDAP_SUCCESS && controls != NULL
               ? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL)
               : NULL;
    /* A server that knows no pages has sent everything at once. */
    if (page != NULL) {
        ber_int_t estimate = 0;

        rc = ldap_parse_pageresponse_control(walk->conn->ld, page, &estimate,
                                             cookie);
    }
    ldap_controls_free(controls);
    if (rc == LDAP_SUCCESS)
        return STATUS_OK;
    errtext_set(err, "the end of a page could not be decoded");
    return end_with(walk, DIRECTORY_BROKEN);
}

/* What the code of a page's answer means for the whole. */
static enum status judge_page(struct walk *walk, const char *base,
                              LDAPMessage *answer, struct errtext *err)
{
    struct directory_answer result = {.code = LDAP_OTHER};

    if (directory_connection_read(walk->conn, answer, &result) !=
        LDAP_SUCCESS) {
        errtext_set(err, "an answer could not be decoded");
        return end_with(walk, DIRECTORY_BROKEN);
    }
    switch (result.code) {
    case LDAP_SUCCESS:
        return STATUS_OK;
    case LDAP_SIZELIMIT_EXCEEDED:
    case LDAP_ADMINLIMIT_EXCEEDED:
        errtext_set(err,
                    "under %s the directory gives %s no more entries (%s): "
                    "raise its size limit for this account",
                    base,
                    walk->dir->set->bind_dn[0] != '\0' ? walk->dir->set->bind_dn
                                                       : "anonymous",
                    directory_code_text(result.code));
        return end_with(walk, DIRECTORY_SIZE_LIMIT);
    case LDAP_NO_SUCH_OBJECT:
        errtext_set(err,
                    "base_dn %s is not there, or may not be read by the "
                    "service identity",
                    base);
        return end_with(walk, DIRECTORY_NO_BASE);
    case LDAP_REFERRAL:
        errtext_set(err, "base_dn %s lies on another server", base);
        return end_with(walk, DIRECTORY_REFERENCES);
    default:
        errtext_set(err, "reading %s: %s%s%s", base,
                    directory_code_text(result.code),
                    result.text[0] != '\0' ? ": " : "", result.text);
        return end_with(walk, DIRECTORY_BROKEN);
    }
}

/* One page under a base; *cookie is for the next one then. */
static enum status walk_page(struct walk *walk, const char *base,
                             const char *filter, struct berval *cookie,
                             struct errtext *err)
{
    LDAPMessage *end = NULL;
    int msgid = 0;
    int rc = ask_page(walk, base, filter, cookie, &msgid);
    enum status status;

    if (rc != LDAP_SUCCESS) {
        errtext_set(err, "reading %s: %s", base, directory_code_text(rc));
        status = end_with(walk, DIRECTORY_BROKEN);
        return rc == LDAP_FILTER_ERROR ? STATUS_INVALID : status;
    }
    status = take_page(walk, base, msgid, &end, err);
    drop_late(walk);
    if (status == STATUS_OK)
        status = judge_page(walk, base, end, err);
    if (status == STATUS_OK)
        status = next_cookie(walk, end, cookie, err);
    ldap_msgfree(end);
    return status;
}

/* All pages under one base. */
static enum status walk_base(struct walk *walk, const char *base,
                             const char *filter, struct errtext *err)
{
    struct berval cookie = {0, NULL};
    enum status status;

    do {
        status = walk_page(walk, base, filter, &cookie, err);
    } while (status == STATUS_OK && cookie.bv_len > 0);
    ber_memfree(cookie.bv_val);
    return status;
}

/* (&<filter>[<disabled_filter>](username_field=*)) */
static void make_filter(const struct directory_settings *set, bool disabled,
                        struct strbuf *buf)
{
    strbuf_append(buf, "(&");
    directory_filter_append(set, set->filter, clock_wall_seconds(), buf);
    if (disabled)
        directory_filter_append(set, set->disabled_filter, clock_wall_seconds(),
                                buf);
    strbuf_appendf(buf, "(%s=*))", set->username_field);
}

static enum status walk_bases(struct walk *walk, struct errtext *err)
{
    const struct text_list *bases = &walk->dir->set->base_dns;
    struct strbuf filter = STRBUF_INIT(FILTER_TEXT_MAX);
    enum status status = STATUS_OK;

    make_filter(walk->dir->set, walk->asks_disabled, &filter);
    if (filter.failed)
        status = status_no_memory(err);
    for (size_t i = 0; status == STATUS_OK && i < bases->count; i++)
        status = walk_base(walk, bases->items[i], strbuf_text(&filter), err);
    strbuf_clear(&filter);
    return status;
}

/* Disabled people first, then all. */
static enum status walk_all(struct walk *walk, struct errtext *err)
{
    enum status status = STATUS_OK;

    if (walk->dir->set->disabled_filter[0] != '\0') {
        walk->asks_disabled = true;
        status = walk_bases(walk, err);
        walk->asks_disabled = false;
        if (walk->disabled.count > 0)
            qsort(walk->disabled.items, walk->disabled.count, DN_DIGEST_BYTES,
                  compare_digests);
        /* These count once, in the reading of everybody. */
        walk->walked->references = 0;
    }
    if (status == STATUS_OK)
        status = walk_bases(walk, err);
    if (status == STATUS_OK && walk->walked->references > 0) {
        errtext_set(err,
                    "%llu references to other servers were left unread: "
                    "choose a base_dn without them",
                    (unsigned long long)walk->walked->references);
        status = end_with(walk, DIRECTORY_REFERENCES);
    }
    return status;
}

/* Returns true if the values have this one. */
static bool has_value(struct berval **values, const char *value)
{
    for (size_t i = 0; values != NULL && values[i] != NULL; i++) {
        if (values[i]->bv_len == strlen(value) &&
            memcmp(values[i]->bv_val, value, values[i]->bv_len) == 0)
            return true;
    }
    return false;
}

static void copy_first(LDAP *ld, LDAPMessage *entry, const char *attribute,
                       char *out, size_t size)
{
    struct berval **values = ldap_get_values_len(ld, entry, attribute);
    size_t len = 0;

    if (values != NULL && values[0] != NULL)
        len = values[0]->bv_len < size ? values[0]->bv_len : size - 1;
    if (len > 0)
        memcpy(out, values[0]->bv_val, len);
    out[len] = '\0';
    ldap_value_free_len(values);
}

static void read_abilities(LDAP *ld, LDAPMessage *entry,
                           struct directory_abilities *out)
{
    struct berval **controls =
        ldap_get_values_len(ld, entry, "supportedControl");
    struct berval **capabilities =
        ldap_get_values_len(ld, entry, "supportedCapabilities");

    out->paged = has_value(controls, LDAP_CONTROL_PAGEDRESULTS);
    out->syncrepl = has_value(controls, sync_oid);
    out->domain_scope = has_value(controls, LDAP_CONTROL_X_DOMAIN_SCOPE);
    out->policies = has_value(controls, policy_oid);
    out->active_directory = has_value(capabilities, ad_capability_oid);
    copy_first(ld, entry, "vendorName", out->vendor, sizeof(out->vendor));
    copy_first(ld, entry, "currentTime", out->clock, sizeof(out->clock));
    ldap_value_free_len(controls);
    ldap_value_free_len(capabilities);
}

/* Asks on a lent connection. Returns an LDAP result code. */
static int ask_root(struct directory_connection *conn, int64_t deadline_ms,
                    struct directory_abilities *out)
{
    static char names[][24] = {"supportedControl", "supportedCapabilities",
                               "vendorName", "currentTime"};
    char *attributes[] = {names[0], names[1], names[2], names[3], NULL};
    LDAPMessage *answer = NULL;
    LDAPMessage *entry;
    int msgid = 0;
    int rc;

    memset(out, 0, sizeof(*out));
    directory_connection_begin(conn);
    rc = ldap_search_ext(conn->ld, "", LDAP_SCOPE_BASE, "(objectClass=*)",
                         attributes, 0, NULL, NULL, NULL, 0, &msgid);
    if (rc == LDAP_SUCCESS)
        rc = directory_connection_wait(conn, false, deadline_ms, &answer);
    if (rc != LDAP_SUCCESS)
        return rc;
    entry = ldap_first_entry(conn->ld, answer);
    if (entry != NULL)
        read_abilities(conn->ld, entry, out);
    ldap_msgfree(answer);
    return LDAP_SUCCESS;
}

/*
 * Lends a connection whose server has said what it can do: a pooled one may
 * have died since it was used, and is then replaced once.
 */
static enum status lend(struct directory *dir, int64_t deadline_ms,
                        struct directory_connection **conn_r,
                        struct directory_abilities *out, struct errtext *err)
{
    for (int turn = 0; turn < 2; turn++) {
        struct errtext why = {{0}};
        int rc;

        if (directory_pool_take(dir->pool, DIRECTORY_SEARCH, turn > 0,
                                deadline_ms, conn_r, err) != STATUS_OK)
            return STATUS_TEMPFAIL;
        rc = ask_root(*conn_r, deadline_ms, out);
        if (rc == LDAP_SUCCESS)
            return STATUS_OK;
        errtext_set(&why, "root entry: %s", directory_code_text(rc));
        errtext_set(err, "%s: %s", directory_pool_host(dir->pool, *conn_r),
                    why.text);
        directory_pool_give(dir->pool, DIRECTORY_SEARCH, conn_r,
                            turn == 0 ? DIRECTORY_STALE : DIRECTORY_FAILED,
                            &why);
    }
    return STATUS_TEMPFAIL;
}

enum status directory_ask_abilities(struct directory *dir, int64_t deadline_ms,
                                    struct directory_abilities *out,
                                    struct errtext *err)
{
    struct directory_connection *conn = NULL;
    enum status status = lend(dir, deadline_ms, &conn, out, err);

    if (status == STATUS_OK)
        directory_pool_give(dir->pool, DIRECTORY_SEARCH, &conn,
                            DIRECTORY_ANSWERED, NULL);
    return status;
}

enum status directory_walk(struct directory *dir,
                           const struct directory_walker *walker,
                           int64_t page_ms, struct directory_walked *walked_r,
                           struct errtext *err)
{
    struct walk walk = {
        .dir = dir,
        .walker = walker,
        .walked = walked_r,
        .page_ms = page_ms,
    };
    struct directory_abilities abilities;
    enum status status;

    memset(walked_r, 0, sizeof(*walked_r));
    if (directory_nests_groups(dir->set) &&
        directory_groups_read(dir, page_ms, &walk.groups, &walked_r->gap,
                              err) != STATUS_OK)
        return end_with(&walk, DIRECTORY_BROKEN);
    walk.conn = dir->lent;
    if (dir->lent == NULL && lend(dir, clock_ms() + page_ms, &walk.conn,
                                  &abilities, err) != STATUS_OK) {
        directory_groups_free(&walk.groups);
        return end_with(&walk, DIRECTORY_BROKEN);
    }
    status = walk_all(&walk, err);
    /* After half an answer it may still be sending. */
    if (dir->lent == NULL)
        directory_pool_give(
            dir->pool, DIRECTORY_SEARCH, &walk.conn,
            status == STATUS_OK ? DIRECTORY_ANSWERED : DIRECTORY_SPENT, NULL);
    free(walk.late);
    free(walk.disabled.items);
    directory_groups_free(&walk.groups);
    return status;
}
