/* directory - see directory.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory.h"

#include "address.h"
#include "clock.h"
#include "directory_complete.h"
#include "directory_filter.h"
#include "directory_private.h"
#include "directory_result.h"
#include "filter.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FILTER_TEXT_MAX 65536 /* of the two filters we make */
#define BLAME_MS 1000 /* a shorter wait is no proof that a host is dead */
#define LOGIN_BYTES_MAX 1024 /* no door lets more through */

enum status directory_open(const struct directory_settings *set,
                           struct directory **dir_r, struct errtext *err)
{
    struct directory *dir;
    enum status status;

    if (set->bind_dn[0] != '\0' &&
        (set->bind_password == NULL || set->bind_password[0] == '\0')) {
        errtext_set(err, "bind_dn without a password would bind anonymously");
        return STATUS_INVALID;
    }
    directory_library_init();
    dir = calloc(1, sizeof(*dir));
    if (dir == NULL)
        return status_no_memory(err);
    dir->set = set;
    directory_entry_attributes(set, &dir->attributes);
    status = directory_memory_new(set->entry_ttl_ms, set->entry_max,
                                  &dir->memory, err);
    if (status == STATUS_OK)
        status = directory_pool_open(set, &dir->pool, err);
    if (status == STATUS_OK)
        *dir_r = dir;
    else
        directory_close(&dir);
    return status;
}

void directory_close(struct directory **dir)
{
    if (*dir == NULL)
        return;
    directory_pool_close(&(*dir)->pool);
    directory_memory_free(&(*dir)->memory);
    free(*dir);
    *dir = NULL;
}

/* One operation on a lent connection. */
struct task {
    struct directory *dir;
    enum directory_kind kind;
    /*
     * Runs it. Returns how the connection fared; for DIRECTORY_ANSWERED and
     * DIRECTORY_SPENT, *status_r is the caller's result.
     */
    enum directory_outcome (*run)(struct task *task,
                                  struct directory_connection *conn,
                                  int64_t deadline_ms, enum status *status_r,
                                  struct errtext *err);
};

/*
 * What an operation that broke says about the host: a reused connection may
 * have died long ago, and who had hardly any time cannot blame anybody.
 */
static enum directory_outcome broken(const struct task *task,
                                     const struct directory_connection *conn,
                                     int rc, int64_t started_ms)
{
    int64_t waited_ms = clock_ms() - started_ms;

    if (rc == LDAP_TIMEOUT && waited_ms < BLAME_MS &&
        waited_ms < task->dir->set->operation_timeout_ms)
        return DIRECTORY_ABORTED;
    if (rc != LDAP_TIMEOUT && conn->reused)
        return DIRECTORY_STALE;
    return DIRECTORY_FAILED;
}

/*
 * Runs the task on the first host that gives an answer. A dead pooled
 * connection is replaced by a fresh one once; a host at fault is left.
 */
static enum status carry_out(struct task *task, int64_t deadline_ms,
                             struct errtext *err)
{
    struct directory *dir = task->dir;
    size_t tries = dir->set->hosts.count + 1;
    bool fresh = false;

    while (tries-- > 0) {
        struct directory_connection *conn = NULL;
        struct errtext reason = {{0}};
        int64_t limit_ms;
        enum directory_outcome outcome;
        enum status status = STATUS_TEMPFAIL;

        if (directory_pool_take(dir->pool, task->kind, fresh, deadline_ms,
                                &conn, err) != STATUS_OK)
            return STATUS_TEMPFAIL;
        limit_ms = clock_ms() + dir->set->operation_timeout_ms;
        if (limit_ms > deadline_ms)
            limit_ms = deadline_ms;
        outcome = task->run(task, conn, limit_ms, &status, &reason);
        if (reason.text[0] != '\0')
            errtext_set(err, "%s: %s", directory_pool_host(dir->pool, conn),
                        reason.text);
        directory_pool_give(dir->pool, task->kind, &conn, outcome, &reason);
        if (outcome == DIRECTORY_ANSWERED || outcome == DIRECTORY_SPENT)
            return status;
        if (clock_left_ms(deadline_ms) == 0)
            return STATUS_TEMPFAIL;
        fresh = outcome == DIRECTORY_STALE;
    }
    return STATUS_TEMPFAIL;
}

/* One search of one base: which entries match, or which are disabled. */
struct query {
    int msgid;
    const char *base;
    bool asks_disabled;
    LDAPMessage *answer;
};

struct find_task {
    struct task task;
    const char *filter;
    const char *disabled_filter; /* NULL: not asked */
    struct query *queries;
    size_t count;
    struct directory_entry *entry_r;
};

/* Sends all searches at once; the answers come in any order. */
static int send_queries(struct find_task *find,
                        struct directory_connection *conn)
{
    struct directory *dir = find->task.dir;
    char no_attributes[] = LDAP_NO_ATTRS;
    char *none[] = {no_attributes, NULL};

    directory_connection_begin(conn);
    for (size_t i = 0; i < find->count; i++) {
        struct query *query = &find->queries[i];
        bool asks = query->asks_disabled;
        /* Two is enough to tell "one" from "several". */
        int rc = directory_connection_search(
            conn, query->base, LDAP_SCOPE_SUBTREE,
            asks ? find->disabled_filter : find->filter,
            asks ? none : dir->attributes.names, 2, NULL, &query->msgid);

        if (rc != LDAP_SUCCESS)
            return rc;
        atomic_fetch_add_explicit(&dir->searches, 1, memory_order_relaxed);
    }
    return LDAP_SUCCESS;
}

static struct query *query_of(struct find_task *find, int msgid)
{
    for (size_t i = 0; i < find->count; i++) {
        if (find->queries[i].msgid == msgid && find->queries[i].answer == NULL)
            return &find->queries[i];
    }
    return NULL;
}

static int wait_queries(struct find_task *find,
                        struct directory_connection *conn, int64_t deadline_ms)
{
    for (size_t i = 0; i < find->count; i++) {
        LDAPMessage *answer = NULL;
        struct query *query;
        int rc = directory_connection_wait(conn, i > 0, deadline_ms, &answer);

        if (rc != LDAP_SUCCESS)
            return rc;
        query = query_of(find, ldap_msgid(answer));
        if (query == NULL) {
            /* A notice of disconnection, or nothing we asked for. */
            ldap_msgfree(answer);
            return LDAP_SERVER_DOWN;
        }
        query->answer = answer;
    }
    return LDAP_SUCCESS;
}

static void free_answers(struct find_task *find)
{
    for (size_t i = 0; i < find->count; i++) {
        ldap_msgfree(find->queries[i].answer);
        find->queries[i].answer = NULL;
    }
}

/* Returns true if the entry's DN is dn. Both come from the same server. */
static bool has_dn(LDAP *ld, LDAPMessage *entry, const char *dn)
{
    char *text = ldap_get_dn(ld, entry);
    bool same = text != NULL && strcasecmp(text, dn) == 0;

    ldap_memfree(text);
    return same;
}

/* What the answers to all bases hold; DNs are owned (ldap_memfree). */
struct matches {
    LDAPMessage *first;
    char *first_dn;
    char *second_dn; /* NULL: only one */
};

/* Bases may overlap, so the same entry twice is one. */
static enum status collect(LDAP *ld, LDAPMessage *answer,
                           struct matches *matches, struct errtext *err)
{
    LDAPMessage *entry = ldap_first_entry(ld, answer);

    for (; entry != NULL; entry = ldap_next_entry(ld, entry)) {
        char *dn = ldap_get_dn(ld, entry);

        if (dn == NULL) {
            errtext_set(err, "an entry could not be decoded");
            return STATUS_TEMPFAIL;
        }
        if (matches->first == NULL) {
            matches->first = entry;
            matches->first_dn = dn;
        } else if (matches->second_dn == NULL &&
                   strcasecmp(dn, matches->first_dn) != 0) {
            matches->second_dn = dn;
        } else {
            ldap_memfree(dn);
        }
    }
    return STATUS_OK;
}

/*
 * Reads the code of one answer. A size limit with two entries in the answer
 * is our own, and complete enough: there are several.
 */
static enum status check_answer(LDAP *ld, const struct query *query,
                                const struct directory_answer *answer,
                                struct errtext *err)
{
    switch (directory_search_class(answer->code)) {
    case DIRECTORY_YES:
        return STATUS_OK;
    case DIRECTORY_NO:
        errtext_set(err,
                    "base_dn %s is not there, or may not be read by the "
                    "service identity",
                    query->base);
        return STATUS_TEMPFAIL;
    case DIRECTORY_NO_ANSWER:
        break;
    }
    if (answer->code == LDAP_SIZELIMIT_EXCEEDED &&
        ldap_count_entries(ld, query->answer) >= 2)
        return STATUS_OK;
    errtext_set(err, "search under %s: %s%s%s", query->base,
                directory_code_text(answer->code),
                answer->text[0] != '\0' ? ": " : "", answer->text);
    return STATUS_TEMPFAIL;
}

/* Busy and unavailable are the host's; other faults would be the next's too. */
static enum directory_outcome outcome_of(int code)
{
    switch (code) {
    case LDAP_BUSY:
    case LDAP_UNAVAILABLE:
        return DIRECTORY_FAILED;
    case LDAP_SUCCESS:
    case LDAP_NO_SUCH_OBJECT:
    case LDAP_SIZELIMIT_EXCEEDED:
    case LDAP_TIMELIMIT_EXCEEDED:
    case LDAP_ADMINLIMIT_EXCEEDED:
        return DIRECTORY_ANSWERED;
    default:
        return DIRECTORY_SPENT;
    }
}

/* True if the entry is among those that the disabled_filter matched. */
static bool is_disabled(const struct find_task *find, LDAP *ld, const char *dn)
{
    for (size_t i = 0; i < find->count; i++) {
        LDAPMessage *entry;

        if (!find->queries[i].asks_disabled)
            continue;
        entry = ldap_first_entry(ld, find->queries[i].answer);
        for (; entry != NULL; entry = ldap_next_entry(ld, entry)) {
            if (has_dn(ld, entry, dn))
                return true;
        }
    }
    return false;
}

/* Reads all codes; *outcome_r is what they say about the connection. */
static enum status check_answers(struct find_task *find,
                                 struct directory_connection *conn,
                                 enum directory_outcome *outcome_r,
                                 struct errtext *err)
{
    enum status status = STATUS_OK;

    *outcome_r = DIRECTORY_ANSWERED;
    for (size_t i = 0; status == STATUS_OK && i < find->count; i++) {
        struct query *query = &find->queries[i];
        struct directory_answer answer = {.code = LDAP_OTHER};

        if (directory_connection_read(conn, query->answer, &answer) !=
            LDAP_SUCCESS) {
            errtext_set(err, "an answer could not be decoded");
            *outcome_r = DIRECTORY_SPENT;
            return STATUS_TEMPFAIL;
        }
        *outcome_r = outcome_of(answer.code);
        status = check_answer(conn->ld, query, &answer, err);
    }
    return status;
}

/* Finds the one entry in complete answers. */
static enum status conclude(struct find_task *find, LDAP *ld,
                            struct directory_rest *rest_r, struct errtext *err)
{
    struct matches matches = {.first = NULL};
    struct directory_entry entry = {.dn = NULL};
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < find->count; i++) {
        if (!find->queries[i].asks_disabled)
            status = collect(ld, find->queries[i].answer, &matches, err);
    }
    if (status != STATUS_OK) {
        goto out;
    } else if (matches.first == NULL) {
        status = STATUS_NOT_FOUND;
    } else if (matches.second_dn != NULL) {
        errtext_set(err, "several entries match: %.100s and %.100s",
                    matches.first_dn, matches.second_dn);
        status = STATUS_DENIED;
    } else {
        status = directory_entry_read(find->task.dir->set, ld, matches.first,
                                      &entry, rest_r, err);
    }
    if (status == STATUS_OK) {
        entry.disabled = is_disabled(find, ld, matches.first_dn);
        *find->entry_r = entry;
    }
out:
    ldap_memfree(matches.first_dn);
    ldap_memfree(matches.second_dn);
    return status;
}

/*
 * Reads the answers, and asks for what they leave out. Returns LDAP_SUCCESS, or
 * what became of the connection.
 */
static int read_answers(struct find_task *find,
                        struct directory_connection *conn, int64_t deadline_ms,
                        enum directory_outcome *outcome_r,
                        enum status *status_r, struct errtext *err)
{
    const struct directory_settings *set = find->task.dir->set;
    struct directory_rest rest = {0};
    int rc = LDAP_SUCCESS;

    *status_r = check_answers(find, conn, outcome_r, err);
    if (*status_r == STATUS_OK)
        *status_r = conclude(find, conn->ld, &rest, err);
    if (*status_r != STATUS_OK)
        return LDAP_SUCCESS;
    rc = directory_complete_lists(set, conn, &rest, deadline_ms, find->entry_r,
                                  status_r, err);
    if (rc == LDAP_SUCCESS && *status_r == STATUS_OK)
        rc = directory_complete_groups(set, conn, deadline_ms, find->entry_r,
                                       status_r, err);
    if (rc != LDAP_SUCCESS || *status_r != STATUS_OK)
        directory_entry_clear(find->entry_r);
    return rc;
}

static enum directory_outcome
run_find(struct task *task, struct directory_connection *conn,
         int64_t deadline_ms, enum status *status_r, struct errtext *err)
{
    struct find_task *find = (struct find_task *)task;
    int64_t started_ms = clock_ms();
    enum directory_outcome outcome = DIRECTORY_SPENT;
    bool answered;
    int rc = send_queries(find, conn);

    if (rc == LDAP_SUCCESS)
        rc = wait_queries(find, conn, deadline_ms);
    answered = rc == LDAP_SUCCESS;
    if (answered)
        rc = read_answers(find, conn, deadline_ms, &outcome, status_r, err);
    if (rc != LDAP_SUCCESS) {
        *status_r = STATUS_TEMPFAIL;
        if (!answered)
            errtext_set(err, "search: %s", directory_code_text(rc));
        /* Who found the person is well, if slow with one person's groups. */
        if (rc == LDAP_FILTER_ERROR || rc == LDAP_NO_MEMORY ||
            (answered && rc == LDAP_TIMEOUT))
            outcome = DIRECTORY_SPENT;
        else
            outcome = broken(task, conn, rc, started_ms);
    }
    free_answers(find);
    return outcome;
}

/* Appends the login fields' test for one form of the name. */
static void append_fields(const struct directory_settings *set,
                          const char *name, struct strbuf *buf)
{
    const struct text_list *fields = &set->login_fields;

    for (size_t i = 0; i < fields->count; i++)
        filter_equals(buf, fields->items[i], name);
    if (fields->count == 0)
        filter_equals(buf, set->username_field, name);
}

/*
 * (&<filter>(|(field=login)(...))). A directory may hold an international
 * domain in either form, and no matching rule of its knows that they are the
 * same: unicode, if not NULL, is the U-label form of login.
 */
static void append_filter(const struct directory_settings *set,
                          const char *login, const char *unicode,
                          struct strbuf *buf)
{
    bool has_filter = set->filter[0] != '\0';
    bool either = set->login_fields.count > 1 || unicode != NULL;

    if (has_filter) {
        strbuf_append(buf, "(&");
        directory_filter_append(set, set->filter, clock_wall_seconds(), buf);
    }
    if (either)
        strbuf_append(buf, "(|");
    append_fields(set, login, buf);
    if (unicode != NULL)
        append_fields(set, unicode, buf);
    if (either)
        strbuf_append_char(buf, ')');
    if (has_filter)
        strbuf_append_char(buf, ')');
}

/* The U-label form of a login whose domain has one, owned; else NULL. */
static enum status unicode_form(const char *login, char **unicode_r,
                                struct errtext *err)
{
    const char *domain = address_domain_of(login);
    struct strbuf text = STRBUF_INIT(4 * ADDRESS_BYTES_MAX);
    char *wide = NULL;
    enum status status;

    *unicode_r = NULL;
    if (strchr(login, '@') == NULL || strstr(domain, "xn--") == NULL)
        return STATUS_OK;
    status = address_domain_unicode(domain, &wide, err);
    if (status == STATUS_TEMPFAIL)
        return status;
    if (status != STATUS_OK || strcmp(wide, domain) == 0) {
        free(wide);
        return STATUS_OK;
    }
    strbuf_append_len(&text, login, (size_t)(domain - login));
    strbuf_append(&text, wide);
    free(wide);
    return strbuf_take(&text, unicode_r, err);
}

enum status directory_find_filter(const struct directory_settings *set,
                                  const char *login, struct strbuf *filter,
                                  struct errtext *err)
{
    char *unicode = NULL;
    enum status status = unicode_form(login, &unicode, err);

    if (status != STATUS_OK)
        return STATUS_TEMPFAIL;
    append_filter(set, login, unicode, filter);
    free(unicode);
    return filter->failed ? status_no_memory(err) : STATUS_OK;
}

/* One query for each base, and a second one where disabled_filter is set. */
static bool make_queries(struct find_task *find)
{
    const struct text_list *bases = &find->task.dir->set->base_dns;
    size_t each = find->disabled_filter != NULL ? 2 : 1;

    find->queries = calloc(bases->count * each + 1, sizeof(*find->queries));
    if (find->queries == NULL)
        return false;
    for (size_t i = 0; i < bases->count; i++) {
        find->queries[find->count++].base = bases->items[i];
        if (each == 2) {
            find->queries[find->count].asks_disabled = true;
            find->queries[find->count++].base = bases->items[i];
        }
    }
    return true;
}

/* Asks the directory itself. */
static enum status ask(struct directory *dir, const char *login,
                       int64_t deadline_ms, struct directory_entry *entry_r,
                       struct errtext *err)
{
    struct find_task find = {
        .task = {.dir = dir, .kind = DIRECTORY_SEARCH, .run = run_find},
        .entry_r = entry_r,
    };
    struct strbuf filter = STRBUF_INIT(FILTER_TEXT_MAX);
    struct strbuf disabled = STRBUF_INIT(2 * FILTER_TEXT_MAX);
    enum status status = STATUS_TEMPFAIL;

    if (strlen(login) > LOGIN_BYTES_MAX) {
        errtext_set(err, "login name too long");
        return STATUS_INVALID;
    }
    if (directory_find_filter(dir->set, login, &filter, err) != STATUS_OK) {
        strbuf_clear(&filter);
        return STATUS_TEMPFAIL;
    }
    find.filter = strbuf_text(&filter);
    if (dir->set->disabled_filter[0] != '\0') {
        strbuf_appendf(&disabled, "(&%s", find.filter);
        directory_filter_append(dir->set, dir->set->disabled_filter,
                                clock_wall_seconds(), &disabled);
        strbuf_append_char(&disabled, ')');
        find.disabled_filter = strbuf_text(&disabled);
    }
    if (disabled.failed || !make_queries(&find))
        status = status_no_memory(err);
    else
        status = carry_out(&find.task, deadline_ms, err);
    free(find.queries);
    strbuf_clear(&filter);
    strbuf_clear(&disabled);
    return status;
}

enum status directory_find(struct directory *dir, const char *login,
                           int64_t deadline_ms, struct directory_entry *entry_r,
                           bool *remembered_r, struct errtext *err)
{
    struct directory_entry entry = {.dn = NULL};
    enum status status;

    /* Nobody has an empty name, and "(uid=)" would match oddly. */
    if (login[0] == '\0')
        return STATUS_NOT_FOUND;
    if (directory_memory_find(dir->memory, login, clock_ms(), entry_r)) {
        *remembered_r = true;
        return STATUS_OK;
    }
    status = ask(dir, login, deadline_ms, &entry, err);
    if (status != STATUS_OK)
        return status;
    /* Who is let in again has not to wait until we have forgotten. */
    if (!entry.disabled)
        directory_memory_keep(dir->memory, login, &entry, clock_ms());
    *entry_r = entry;
    *remembered_r = false;
    return STATUS_OK;
}

struct verify_task {
    struct task task;
    const char *dn;
    const char *password;
    enum directory_reason reason;
};

static enum directory_outcome
run_verify(struct task *task, struct directory_connection *conn,
           int64_t deadline_ms, enum status *status_r, struct errtext *err)
{
    struct verify_task *verify = (struct verify_task *)task;
    struct directory_answer answer = {.code = LDAP_OTHER};
    int64_t started_ms = clock_ms();
    int rc;

    atomic_fetch_add_explicit(&task->dir->binds, 1, memory_order_relaxed);
    rc = directory_connection_bind(conn, verify->dn, verify->password,
                                   deadline_ms, &answer);
    if (rc == LDAP_NO_MEMORY) {
        *status_r = status_no_memory(err);
        return DIRECTORY_SPENT;
    }
    if (rc != LDAP_SUCCESS) {
        errtext_set(err, "bind: %s", directory_code_text(rc));
        return broken(task, conn, rc, started_ms);
    }
    switch (directory_bind_class(answer.code, answer.text, &verify->reason)) {
    case DIRECTORY_YES:
        errtext_set(err, "%s", answer.text);
        *status_r = answer.must_change ? STATUS_DENIED : STATUS_OK;
        verify->reason = DIRECTORY_MUST_CHANGE;
        return DIRECTORY_ANSWERED;
    case DIRECTORY_NO:
        errtext_set(err, "bind: %s%s%s", directory_code_text(answer.code),
                    answer.text[0] != '\0' ? ": " : "", answer.text);
        *status_r = STATUS_DENIED;
        return DIRECTORY_ANSWERED;
    case DIRECTORY_NO_ANSWER:
        break;
    }
    errtext_set(err, "bind: %s%s%s", directory_code_text(answer.code),
                answer.text[0] != '\0' ? ": " : "", answer.text);
    return outcome_of(answer.code) == DIRECTORY_FAILED ? DIRECTORY_FAILED
                                                       : DIRECTORY_SPENT;
}

enum status directory_verify(struct directory *dir, const char *dn,
                             const char *password, int64_t deadline_ms,
                             enum directory_reason *reason_r,
                             struct errtext *err)
{
    struct verify_task verify = {
        .task = {.dir = dir, .kind = DIRECTORY_BIND, .run = run_verify},
        .dn = dn,
        .password = password,
    };
    enum status status;

    /* Many servers call a bind without either of them a success. */
    if (dn[0] == '\0' || password[0] == '\0') {
        errtext_set(err, "%s is empty", dn[0] == '\0' ? "DN" : "password");
        return STATUS_INVALID;
    }
    status = carry_out(&verify.task, deadline_ms, err);
    if (status == STATUS_DENIED)
        *reason_r = verify.reason;
    return status;
}

size_t directory_forget(struct directory *dir, const char *login)
{
    return directory_memory_forget(dir->memory, login);
}

size_t directory_hosts(struct directory *dir, struct directory_host_state *out,
                       size_t max)
{
    return directory_pool_hosts(dir->pool, out, max);
}

void directory_counts(struct directory *dir, struct directory_counts *out)
{
    memset(out, 0, sizeof(*out));
    directory_pool_counts(dir->pool, out);
    out->searches = atomic_load_explicit(&dir->searches, memory_order_relaxed);
    out->binds = atomic_load_explicit(&dir->binds, memory_order_relaxed);
    out->entries_remembered = directory_memory_count(dir->memory);
}
