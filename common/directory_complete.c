/* directory_complete - see directory_complete.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_complete.h"

#include "directory_result.h"
#include "filter.h"
#include "strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIELDS 3
#define NAME_BYTES_MAX 512
#define FILTER_TEXT_MAX 16384
#define PAGE_GROUPS 500

/* The matching rule "in chain": a group, or a group in it, and so on. */
#define MEMBER_IN_CHAIN "(member:1.2.840.113556.1.4.1941:="

struct completing {
    const struct directory_settings *set;
    struct directory_connection *conn;
    int64_t deadline_ms;
    struct directory_entry *entry;
    struct errtext *err;
};

/* One search; *answer_r is owned. Returns as directory_connection_wait. */
static int ask(struct completing *in, const char *base, int scope,
               const char *filter, char **attributes, LDAPControl *more,
               LDAPMessage **answer_r)
{
    int msgid = 0;
    int rc;

    directory_connection_begin(in->conn);
    rc = directory_connection_search(in->conn, base, scope, filter, attributes,
                                     LDAP_NO_LIMIT, more, &msgid);
    if (rc == LDAP_SUCCESS)
        rc = directory_connection_wait(in->conn, false, in->deadline_ms,
                                       answer_r);
    if (rc == LDAP_SUCCESS && ldap_msgid(*answer_r) != msgid) {
        ldap_msgfree(*answer_r);
        *answer_r = NULL;
        rc = LDAP_SERVER_DOWN;
    }
    if (rc != LDAP_SUCCESS)
        errtext_set(in->err, "more of %.100s: %s", in->entry->dn,
                    directory_code_text(rc));
    return rc;
}

/* Reads the answer's code. */
static enum status judge(struct completing *in, LDAPMessage *answer)
{
    struct directory_answer result = {.code = LDAP_OTHER};

    if (directory_connection_read(in->conn, answer, &result) != LDAP_SUCCESS) {
        errtext_set(in->err, "an answer could not be decoded");
        return STATUS_TEMPFAIL;
    }
    if (result.code == LDAP_SUCCESS)
        return STATUS_OK;
    errtext_set(in->err, "more of %.100s: %s", in->entry->dn,
                directory_code_text(result.code));
    return STATUS_TEMPFAIL;
}

static enum status too_many(const struct completing *in, const char *field)
{
    errtext_set(in->err, "attribute %.64s of %.100s: too many values", field,
                in->entry->dn);
    return STATUS_INVALID;
}

/* Moves all items of from behind those of to. */
static enum status append_list(struct completing *in, const char *field,
                               struct text_list *from, struct text_list *to)
{
    size_t count = to->count + from->count;
    char **items;

    if (count > DIRECTORY_VALUES_MAX)
        return too_many(in, field);
    if (from->count == 0)
        return STATUS_OK;
    items = reallocarray(to->items, count, sizeof(*items));
    if (items == NULL)
        return status_no_memory(in->err);
    memcpy(items + to->count, from->items, from->count * sizeof(*items));
    to->items = items;
    to->count = count;
    from->count = 0;
    return STATUS_OK;
}

/* A list that is not whole yet. */
struct part {
    const char *field;
    size_t *next;
    size_t *next_now; /* as the last answer says */
    struct text_list *list;
    struct text_list *more;
};

/* Takes what came. An answer without values ends a list: it became shorter. */
static enum status take_parts(struct completing *in, struct part parts[FIELDS])
{
    for (size_t i = 0; i < FIELDS; i++) {
        struct part *part = &parts[i];
        enum status status;

        if (*part->next == 0)
            continue;
        if (*part->next_now != 0 && *part->next_now <= *part->next)
            return too_many(in, part->field);
        status = append_list(in, part->field, part->more, part->list);
        if (status != STATUS_OK)
            return status;
        *part->next = *part->next_now;
    }
    return STATUS_OK;
}

/* Writes the attributes to ask for, each once; false: none is left. */
static bool name_parts(const struct part parts[FIELDS],
                       char names[FIELDS][NAME_BYTES_MAX],
                       char *attributes[FIELDS + 1])
{
    size_t count = 0;

    for (size_t i = 0; i < FIELDS; i++) {
        bool asked = false;

        if (*parts[i].next == 0)
            continue;
        (void)snprintf(names[count], NAME_BYTES_MAX, "%s;range=%zu-*",
                       parts[i].field, *parts[i].next);
        for (size_t j = 0; j < count; j++)
            asked = asked || strcasecmp(names[j], names[count]) == 0;
        if (!asked) {
            attributes[count] = names[count];
            count++;
        }
    }
    attributes[count] = NULL;
    return count > 0;
}

int directory_complete_lists(const struct directory_settings *set,
                             struct directory_connection *conn,
                             const struct directory_rest *rest,
                             int64_t deadline_ms, struct directory_entry *entry,
                             enum status *status_r, struct errtext *err)
{
    struct completing in = {set, conn, deadline_ms, entry, err};
    struct directory_rest left = *rest;
    struct directory_rest now = {0};
    struct directory_entry more = {.dn = NULL};
    struct part parts[FIELDS] = {
        {set->username_field, &left.usernames, &now.usernames,
         &entry->usernames, &more.usernames},
        {set->attribute_field, &left.values, &now.values, &entry->values,
         &more.values},
        {set->alias_field, &left.aliases, &now.aliases, &entry->aliases,
         &more.aliases},
    };
    char names[FIELDS][NAME_BYTES_MAX];
    char *attributes[FIELDS + 1];

    *status_r = STATUS_OK;
    while (*status_r == STATUS_OK && name_parts(parts, names, attributes)) {
        LDAPMessage *answer = NULL;
        LDAPMessage *message;
        int rc = ask(&in, entry->dn, LDAP_SCOPE_BASE, "(objectClass=*)",
                     attributes, NULL, &answer);

        if (rc != LDAP_SUCCESS)
            return rc;
        memset(&now, 0, sizeof(now));
        *status_r = judge(&in, answer);
        message = ldap_first_entry(conn->ld, answer);
        if (*status_r == STATUS_OK && message != NULL)
            *status_r =
                directory_entry_read(set, conn->ld, message, &more, &now, err);
        if (*status_r == STATUS_OK)
            *status_r = take_parts(&in, parts);
        directory_entry_clear(&more);
        ldap_msgfree(answer);
    }
    return LDAP_SUCCESS;
}

bool directory_nests_groups(const struct directory_settings *set)
{
    return set->group_method == GROUP_IN_CHAIN && set->mapping_count > 0 &&
           strcasecmp(set->attribute_field, "memberOf") == 0;
}

static bool is_domain_part(LDAPRDN rdn)
{
    return rdn != NULL && rdn[0] != NULL && rdn[1] == NULL &&
           rdn[0]->la_attr.bv_len == 2 &&
           strncasecmp(rdn[0]->la_attr.bv_val, "dc", 2) == 0;
}

char *directory_domain_of(const char *dn)
{
    LDAPDN parts = NULL;
    char *domain = NULL;
    size_t count = 0;
    size_t first;

    if (ldap_str2dn(dn, &parts, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS ||
        parts == NULL)
        return NULL;
    while (parts[count] != NULL)
        count++;
    first = count;
    while (first > 0 && is_domain_part(parts[first - 1]))
        first--;
    if (first < count)
        (void)ldap_dn2str(parts + first, &domain, LDAP_DN_FORMAT_LDAPV3);
    ldap_dnfree(parts);
    return domain;
}

static bool has_item(const struct text_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcasecmp(list->items[i], text) == 0)
            return true;
    }
    return false;
}

/* Adds the names of the answer's entries to the values. */
static enum status take_groups(struct completing *in, LDAPMessage *answer)
{
    struct text_list *values = &in->entry->values;
    LDAP *ld = in->conn->ld;
    LDAPMessage *message = ldap_first_entry(ld, answer);
    enum status status = STATUS_OK;

    for (; status == STATUS_OK && message != NULL;
         message = ldap_next_entry(ld, message)) {
        char *dn = ldap_get_dn(ld, message);

        if (dn == NULL)
            status = status_no_memory(in->err);
        else if (has_item(values, dn))
            status = STATUS_OK;
        else if (values->count == DIRECTORY_VALUES_MAX)
            status = too_many(in, in->set->attribute_field);
        else
            status = text_list_add(values, dn, in->err);
        ldap_memfree(dn);
    }
    return status;
}

/* Reads the cookie for the next page; empty: that was the last. */
static enum status next_page(struct completing *in, LDAPMessage *answer,
                             struct berval *cookie)
{
    LDAPControl **controls = NULL;
    LDAPControl *page = NULL;
    ber_int_t estimate = 0;
    int code = 0;
    int rc = ldap_parse_result(in->conn->ld, answer, &code, NULL, NULL, NULL,
                               &controls, 0);

    ber_memfree(cookie->bv_val);
    *cookie = (struct berval){0, NULL};
    if (rc == LDAP_SUCCESS && controls != NULL)
        page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
    if (page != NULL)
        rc = ldap_parse_pageresponse_control(in->conn->ld, page, &estimate,
                                             cookie);
    ldap_controls_free(controls);
    if (rc == LDAP_SUCCESS)
        return STATUS_OK;
    errtext_set(in->err, "an answer could not be decoded");
    return STATUS_TEMPFAIL;
}

/*
 * Adds all groups that the filter finds, page by page: the server gives no more
 * than so many at once. Returns as directory_complete_groups.
 */
static int add_groups(struct completing *in, const char *base,
                      const char *filter, enum status *status_r)
{
    char no_attributes[] = LDAP_NO_ATTRS;
    char *none[] = {no_attributes, NULL};
    struct berval cookie = {0, NULL};
    int rc;

    do {
        LDAPControl *page = NULL;
        LDAPMessage *answer = NULL;

        rc = ldap_create_page_control(in->conn->ld, PAGE_GROUPS, &cookie, 0,
                                      &page);
        if (rc == LDAP_SUCCESS)
            rc = ask(in, base, LDAP_SCOPE_SUBTREE, filter, none, page, &answer);
        ldap_control_free(page);
        if (rc == LDAP_SUCCESS) {
            *status_r = judge(in, answer);
            if (*status_r == STATUS_OK)
                *status_r = take_groups(in, answer);
            if (*status_r == STATUS_OK)
                *status_r = next_page(in, answer, &cookie);
        }
        ldap_msgfree(answer);
    } while (rc == LDAP_SUCCESS && *status_r == STATUS_OK && cookie.bv_len > 0);
    ber_memfree(cookie.bv_val);
    return rc;
}

int directory_complete_groups(const struct directory_settings *set,
                              struct directory_connection *conn,
                              int64_t deadline_ms,
                              struct directory_entry *entry,
                              enum status *status_r, struct errtext *err)
{
    struct completing in = {set, conn, deadline_ms, entry, err};
    struct strbuf filter = STRBUF_INIT(FILTER_TEXT_MAX);
    char *domain = NULL;
    int rc = LDAP_SUCCESS;

    *status_r = STATUS_OK;
    /* Who is in no group is in none by way of another. */
    if (!directory_nests_groups(set) || entry->values.count == 0)
        return LDAP_SUCCESS;
    domain = directory_domain_of(entry->dn);
    strbuf_append(&filter, MEMBER_IN_CHAIN);
    filter_escape(&filter, entry->dn);
    strbuf_append_char(&filter, ')');
    if (filter.failed)
        *status_r = status_no_memory(err);
    else
        rc = add_groups(&in, domain != NULL ? domain : set->base_dns.items[0],
                        strbuf_text(&filter), status_r);
    ldap_memfree(domain);
    strbuf_clear(&filter);
    return rc;
}
