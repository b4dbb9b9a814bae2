/* why_directory - the gates between a name and its template */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "why.h"

#include "look.h"
#include "why_words.h"

#include "account.h"
#include "clock.h"
#include "login_choice.h"
#include "provision.h"
#include "quantity.h"
#include "strbuf.h"

#include <stdlib.h>
#include <string.h>

#define FILTER_BYTES_MAX 65536
#define VALUES_BYTES_MAX 2048

/* Which directory is asked; sets why->set. False: none, and it is told. */
static bool choose(struct why *why)
{
    const struct account *account = &why->found.account;
    struct login_choice choice;

    if (account->address != NULL && account->source == ACCOUNT_LOCAL) {
        findings_add(why->findings, FINDING_SKIPPED, "directory", -1, NULL,
                     "the mailbox is local: no directory is asked");
        return false;
    }
    login_choose(why->tool->settings, why->name.text, &why->found, &choice);
    why->set = choice.set;
    if (why->set != NULL)
        findings_add(why->findings, FINDING_OK, "directory", -1, NULL,
                     account->directory != NULL ? "%s, the mailbox's own"
                                                : "%s, the domain's",
                     why->set->name);
    else if (why->found.domain.name == NULL)
        why_not_reached(why, "directory");
    else if (account->directory != NULL)
        findings_add(why->findings, FINDING_ERROR, "directory", -1,
                     why_fix(choice.decision.reason),
                     "%s is the mailbox's, and is not in the settings",
                     account->directory);
    else
        findings_add(why->findings, FINDING_ERROR, "directory", -1,
                     "name the domain in \"domains\" of a directory",
                     "no directory serves %s",
                     address_domain_of(why->name.text));
    return why->set != NULL;
}

static struct directory *directory_of(const struct why *why)
{
    for (size_t i = 0; i < why->tool->settings->directory_count; i++) {
        if (&why->tool->settings->directories[i] == why->set)
            return login_directory(why->login, i);
    }
    return NULL;
}

/* How many entries there are without the administrator's filter, in words. */
static const char *count_without_filter(const struct why *why, const char *name)
{
    struct directory_settings other = *why->set;
    struct directory_entry entry = {.dn = NULL};
    struct directory *dir = NULL;
    struct errtext err;
    bool remembered;
    enum status status;

    other.filter = (char[]){""};
    other.disabled_filter = (char[]){""};
    status = directory_open(&other, &dir, &err);
    if (status == STATUS_OK)
        status = directory_find(dir, name, why->deadline_ms, &entry,
                                &remembered, &err);
    directory_entry_clear(&entry);
    directory_close(&dir);
    switch (status) {
    case STATUS_OK:
    case STATUS_INVALID:
        return "1";
    case STATUS_DENIED:
        return "several";
    case STATUS_NOT_FOUND:
        return "0";
    case STATUS_TEMPFAIL:
        break;
    }
    return "nobody can say how many";
}

/* Nobody was found: does the filter leave the person out? */
static void tell_nobody(struct why *why, const char *name, const char *filter,
                        int64_t took_ms)
{
    const char *without =
        why->set->filter[0] != '\0' ? count_without_filter(why, name) : "0";
    /* A bare name may be in the next directory. */
    enum finding_level level =
        why->name.has_domain ? FINDING_ERROR : FINDING_SKIPPED;

    if (strcmp(without, "0") == 0)
        findings_add(
            why->findings, level, "search", took_ms,
            "is the address in the directory, and in the attribute "
            "that username_field or login_fields names?",
            "no entry under base_dn has %s=%s%s; searched for %s",
            why->set->username_field, name,
            why->set->filter[0] != '\0' ? ", with and without the filter" : "",
            filter);
    else
        findings_add(why->findings, level, "search", took_ms,
                     "correct \"filter\", or the entry",
                     "no entry matches with the filter %s; without it %s; "
                     "searched for %s",
                     why->set->filter, without, filter);
}

static void tell_found(struct why *why, const char *name, const char *filter,
                       int64_t took_ms)
{
    if (why->set->filter[0] == '\0')
        findings_add(why->findings, FINDING_OK, "search", took_ms, NULL,
                     "1 entry: %s; searched for %s", why->entry.dn, filter);
    else
        findings_add(why->findings, FINDING_OK, "search", took_ms, NULL,
                     "1 entry: %s; without the filter %s; searched for %s",
                     why->entry.dn, count_without_filter(why, name), filter);
}

/* Searches as the login does, and tells what came. */
static void search_for(struct why *why, const char *name, const char *filter)
{
    struct directory *dir = directory_of(why);
    int64_t began = clock_ms();
    struct errtext err = {{0}};
    bool remembered = false;
    enum status status = directory_find(dir, name, why->deadline_ms,
                                        &why->entry, &remembered, &err);
    int64_t took_ms = clock_ms() - began;

    why->has_entry = status == STATUS_OK;
    switch (status) {
    case STATUS_OK:
        tell_found(why, name, filter, took_ms);
        break;
    case STATUS_NOT_FOUND:
        tell_nobody(why, name, filter, took_ms);
        break;
    case STATUS_DENIED:
        findings_add(why->findings, FINDING_ERROR, "search", took_ms,
                     why_fix("several_entries"), "%s; searched for %s",
                     err.text, filter);
        break;
    case STATUS_INVALID:
        findings_add(why->findings, FINDING_ERROR, "search", took_ms,
                     "correct the entry, or \"filter\"", "%s; searched for %s",
                     err.text, filter);
        break;
    case STATUS_TEMPFAIL:
        findings_add(why->findings, FINDING_ERROR, "search", took_ms,
                     why_fix("no_answer"), "%s; searched for %s", err.text,
                     filter);
        break;
    }
}

static void look_at_entry(struct why *why)
{
    struct strbuf filter = STRBUF_INIT(FILTER_BYTES_MAX);
    struct errtext err = {{0}};
    char *name = NULL;
    enum status status =
        login_search_name(why->tool->settings, why->set, why->name.text,
                          &why->found, &name, &err);

    if (status == STATUS_OK)
        status = directory_find_filter(why->set, name, &filter, &err);
    if (status == STATUS_OK)
        search_for(why, name, strbuf_text(&filter));
    else if (status == STATUS_NOT_FOUND)
        findings_add(why->findings, FINDING_SKIPPED, "search", -1, NULL, "%s",
                     err.text);
    else
        findings_add(why->findings, FINDING_ERROR, "search", -1, NULL, "%s",
                     err.text);
    strbuf_clear(&filter);
    free(name);
}

/* A bare name is searched in all directories; the first that has it counts. */
static void look_everywhere(struct why *why)
{
    const struct settings *settings = why->tool->settings;
    bool answered = true;

    for (size_t i = 0; i < settings->directory_count && !why->has_entry; i++) {
        unsigned before = findings_count(why->findings, FINDING_ERROR);

        why->set = &settings->directories[i];
        findings_add(why->findings, FINDING_OK, "directory", -1, NULL, "%s",
                     why->set->name);
        (void)look_at_hosts(why->findings, why->set);
        look_at_entry(why);
        if (findings_count(why->findings, FINDING_ERROR) != before)
            answered = false;
    }
    if (!why->has_entry && answered)
        findings_add(why->findings, FINDING_ERROR, "search", -1,
                     why_fix("unknown_user"), "no directory knows %s",
                     why->name.text);
}

/* Values of a list, with commas. */
static void join(const struct text_list *list, struct strbuf *buf)
{
    for (size_t i = 0; i < list->count; i++)
        strbuf_appendf(buf, "%s\"%s\"", i > 0 ? ", " : "", list->items[i]);
    if (list->count == 0)
        strbuf_append(buf, "none");
}

static void tell_template(struct why *why,
                          const struct template_settings *found)
{
    static const enum account_service services[] = {
        ACCOUNT_SMTP, ACCOUNT_IMAP, ACCOUNT_POP3, ACCOUNT_SIEVE};
    struct strbuf text = STRBUF_INIT(1024);

    strbuf_append(&text, "quota ");
    if (found->set.quota_bytes == 0)
        strbuf_append(&text, "unlimited");
    else
        quantity_append_size(&text, found->set.quota_bytes);
    strbuf_append(&text, ", services");
    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        if ((found->set.services & services[i]) != 0)
            strbuf_appendf(&text, " %s", account_service_name(services[i]));
    }
    if (found->set.services == 0)
        strbuf_append(&text, " none");
    findings_add(
        why->findings,
        found->set.active == ACCOUNT_ACTIVE ? FINDING_OK : FINDING_ERROR,
        "template", -1,
        found->set.active == ACCOUNT_ACTIVE ? NULL
                                            : why_fix("closed_by_template"),
        "%s: %s, %s", found->name, strbuf_text(&text),
        account_template_state_name(found->set.active));
    strbuf_clear(&text);
}

static void look_at_mapping(struct why *why)
{
    const char *field = why->set->attribute_field[0] != '\0'
                            ? why->set->attribute_field
                            : "attribute_field";
    struct strbuf values = STRBUF_INIT(VALUES_BYTES_MAX);
    const char *value = NULL;
    const struct template_settings *found =
        provision_template(why->tool->settings, why->set, &why->entry, &value);

    join(&why->entry.values, &values);
    if (found == NULL)
        findings_add(why->findings, FINDING_ERROR, "mapping", -1,
                     why_fix("no_template"), "nothing maps: %s is %s", field,
                     strbuf_text(&values));
    else if (value != NULL)
        findings_add(why->findings, FINDING_OK, "mapping", -1, NULL,
                     "%s is %s; \"%s\" maps to template %s", field,
                     strbuf_text(&values), value, found->name);
    else
        findings_add(why->findings, FINDING_OK, "mapping", -1, NULL,
                     "%s is %s: default_template %s", field,
                     strbuf_text(&values), found->name);
    strbuf_clear(&values);
    if (found != NULL)
        tell_template(why, found);
    else
        why_not_reached(why, "template");
}

/* What the directory says of the account before a password is tried. */
static void look_at_account(struct why *why)
{
    if (why->entry.disabled)
        findings_add(why->findings, FINDING_ERROR, "account", -1,
                     why_fix("disabled_in_directory"),
                     "disabled_filter %s matches the entry",
                     why->set->disabled_filter);
    else if (why->set->disabled_filter[0] != '\0')
        findings_add(why->findings, FINDING_OK, "account", -1, NULL,
                     "not disabled: disabled_filter does not match");
    else
        findings_add(why->findings, FINDING_OK, "account", -1, NULL,
                     "not disabled, as far as is asked (no disabled_filter)");
}

void why_look_at_directory(struct why *why, bool read)
{
    if (!read)
        why_not_reached(why, "directory");
    else if (!why->name.has_domain)
        look_everywhere(why);
    else if (choose(why)) {
        (void)look_at_hosts(why->findings, why->set);
        look_at_entry(why);
    }
    if (why->set == NULL) {
        why_not_reached(why, "host");
        why_not_reached(why, "search");
    }
    if (why->set != NULL && !why->has_entry && why->name.has_domain &&
        why->found.domain.name == NULL)
        findings_add(why->findings, FINDING_ERROR, "domain", -1,
                     why_fix("unknown_domain"),
                     "%s is not a domain of this host, nor the end of a login "
                     "name",
                     address_domain_of(why->name.text));
    if (why->has_entry) {
        look_at_account(why);
        look_at_mapping(why);
    } else {
        why_not_reached(why, "account");
        why_not_reached(why, "mapping");
        why_not_reached(why, "template");
    }
}
