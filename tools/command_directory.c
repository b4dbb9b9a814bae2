/* command_directory - provostctl directory ... */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "finding.h"
#include "look.h"
#include "tool.h"

#include "address.h"
#include "clock.h"
#include "directory.h"
#include "directory_walk.h"
#include "login_choice.h"
#include "provision.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define PAGE_MS 30000

/* What was counted of everybody. */
struct census {
    const struct settings *settings;
    const struct directory_settings *set;
    uint64_t *templates; /* as many as the settings have */
    uint64_t without_template;
    uint64_t elsewhere; /* no address in a domain of this directory */
    uint64_t disabled;
    uint64_t with_values, with_name, with_aliases, with_id, with_quota;
    struct errtext unusable; /* the first */
};

static bool count_person(void *context, const struct directory_entry *entry)
{
    struct census *census = context;
    const struct template_settings *found = provision_template(
        census->settings, census->set, entry, &(const char *){NULL});
    char *address = NULL;

    if (found != NULL)
        census->templates[found - census->settings->templates]++;
    else
        census->without_template++;
    if (provision_address(census->settings, census->set, entry, NULL, &address,
                          NULL) != STATUS_OK)
        census->elsewhere++;
    free(address);
    census->disabled += entry->disabled;
    census->with_values += entry->values.count > 0;
    census->with_name += entry->name != NULL && entry->name[0] != '\0';
    census->with_aliases += entry->aliases.count > 0;
    census->with_id += entry->id != NULL;
    census->with_quota += entry->quota != NULL;
    return true;
}

static bool count_unusable(void *context, const char *id,
                           const struct errtext *err)
{
    struct census *census = context;

    (void)id;
    if (census->unusable.text[0] == '\0')
        census->unusable = *err;
    return true;
}

static bool count_one(void *context, const struct directory_entry *entry)
{
    (void)entry;
    return ++*(uint64_t *)context < UINT64_MAX;
}

static bool skip_unusable(void *context, const char *id,
                          const struct errtext *err)
{
    (void)id;
    (void)err;
    return ++*(uint64_t *)context < UINT64_MAX;
}

/* How many entries there are with other settings; 0 also if nobody can say. */
static uint64_t count_with(const struct directory_settings *set)
{
    uint64_t count = 0;
    struct directory_walker walker = {count_one, skip_unusable, &count};
    struct directory_walked walked;
    struct directory *dir = NULL;
    struct errtext err;

    if (directory_open(set, &dir, &err) != STATUS_OK)
        return 0;
    if (directory_walk(dir, &walker, PAGE_MS, &walked, &err) != STATUS_OK &&
        walked.gap == DIRECTORY_BROKEN)
        count = 0;
    directory_close(&dir);
    return count;
}

/* Nobody was found: is it the filter, or the name of the attribute? */
static void explain_nobody(struct findings *findings,
                           const struct directory_settings *set)
{
    char any[] = "objectClass";
    struct directory_settings other = *set;
    uint64_t count;

    other.filter = (char[]){""};
    other.disabled_filter = (char[]){""};
    count = set->filter[0] != '\0' ? count_with(&other) : 0;
    if (count > 0) {
        findings_add(findings, FINDING_ERROR, "people", -1,
                     "correct \"filter\", or leave it empty",
                     "the filter %s leaves nobody; without it there are %llu",
                     set->filter, (unsigned long long)count);
        return;
    }
    other.username_field = any;
    count = count_with(&other);
    if (count > 0)
        findings_add(findings, FINDING_ERROR, "people", -1,
                     "let \"username_field\" name the attribute that has "
                     "people's mail addresses, and let bind_dn read it",
                     "no entry has %s; %llu entries lie under base_dn",
                     set->username_field, (unsigned long long)count);
    else
        findings_add(findings, FINDING_ERROR, "people", -1,
                     "let \"base_dn\" name the branch where people are, and "
                     "bind_dn be an account that may read it",
                     "under base_dn there is nothing that bind_dn may read");
}

/* One attribute of the settings: does anybody have it? */
static void tell_field(struct findings *findings, const char *key,
                       const char *field, uint64_t with, uint64_t people)
{
    char what[64];

    if (field[0] == '\0' || people == 0)
        return;
    (void)snprintf(what, sizeof(what), "%s", key);
    if (with > 0)
        findings_add(findings, FINDING_OK, what, -1, NULL,
                     "%llu of %llu have %s", (unsigned long long)with,
                     (unsigned long long)people, field);
    else
        findings_add(findings, FINDING_WARNING, what, -1,
                     "check the attribute's name, and that bind_dn may read it",
                     "nobody has %s", field);
}

static void tell_templates(struct findings *findings,
                           const struct census *census)
{
    const struct settings *settings = census->settings;

    for (size_t i = 0; i < settings->template_count; i++) {
        if (census->templates[i] > 0)
            findings_add(findings, FINDING_OK, "template", -1, NULL,
                         "%llu map to %s",
                         (unsigned long long)census->templates[i],
                         settings->templates[i].name);
    }
    if (census->without_template > 0)
        findings_add(findings, FINDING_WARNING, "template", -1,
                     "add a row to attribute_mapping, or set default_template",
                     "%llu map to no template and get no mailbox",
                     (unsigned long long)census->without_template);
}

static void tell_census(struct findings *findings, const struct census *census,
                        const struct directory_walked *walked, int64_t took_ms)
{
    const struct directory_settings *set = census->set;
    uint64_t people = walked->people;

    findings_add(findings, FINDING_OK, "people", took_ms, NULL,
                 "%llu match in %llu pages", (unsigned long long)people,
                 (unsigned long long)walked->pages);
    if (walked->unusable > 0)
        findings_add(findings, FINDING_WARNING, "people", -1,
                     "correct these entries in the directory",
                     "%llu entries cannot be used, the first: %s",
                     (unsigned long long)walked->unusable,
                     census->unusable.text);
    if (census->elsewhere > 0)
        findings_add(findings, FINDING_WARNING, "domains", -1,
                     "name their domains in \"domains\", if this directory is "
                     "to serve them",
                     "%llu have no address in a domain of this directory",
                     (unsigned long long)census->elsewhere);
    if (census->disabled > 0)
        findings_add(findings, FINDING_OK, "disabled_filter", -1, NULL,
                     "%llu are disabled", (unsigned long long)census->disabled);
    tell_field(findings, "id_field", set->id_field, census->with_id, people);
    tell_field(findings, "attribute_field", set->attribute_field,
               census->with_values, people);
    tell_field(findings, "name_field", set->name_field, census->with_name,
               people);
    tell_field(findings, "alias_field", set->alias_field, census->with_aliases,
               people);
    tell_field(findings, "quota_field", set->quota_field, census->with_quota,
               people);
    tell_templates(findings, census);
}

/* What to do about a reading that is not complete. */
static const char *gap_fix(enum directory_gap gap)
{
    switch (gap) {
    case DIRECTORY_NO_BASE:
        return "correct \"base_dn\", or the rights of bind_dn";
    case DIRECTORY_SIZE_LIMIT:
        return "lift the server's size limit for bind_dn (slapd: limits; "
               "Active Directory: MaxPageSize)";
    case DIRECTORY_REFERENCES:
        return "let \"host\" and \"base_dn\" name the server that has the "
               "people";
    case DIRECTORY_BROKEN:
        return "look into the directory's log; is operation_timeout too short?";
    case DIRECTORY_NO_GAP:
    case DIRECTORY_STOPPED:
        break;
    }
    return "";
}

/* Reads everybody and tells what there is. */
static void take_census(struct findings *findings, const struct tool *tool,
                        const struct directory_settings *set,
                        struct directory *dir)
{
    struct census census = {.settings = tool->settings, .set = set};
    struct directory_walker walker = {count_person, count_unusable, &census};
    int64_t began = clock_ms();
    struct directory_walked walked;
    struct errtext err = {{0}};
    enum status status;

    census.templates =
        calloc(tool->settings->template_count + 1, sizeof(*census.templates));
    if (census.templates == NULL)
        return;
    status = directory_walk(dir, &walker, PAGE_MS, &walked, &err);
    if (status == STATUS_OK && walked.people + walked.unusable == 0)
        explain_nobody(findings, set);
    else if (status == STATUS_OK || walked.people > 0)
        tell_census(findings, &census, &walked, clock_ms() - began);
    if (status == STATUS_INVALID)
        findings_add(findings, FINDING_ERROR, "filter", -1,
                     "correct \"filter\" or \"disabled_filter\"", "%s",
                     err.text);
    else if (status != STATUS_OK)
        findings_add(findings, FINDING_ERROR,
                     walked.gap == DIRECTORY_NO_BASE      ? "base_dn"
                     : walked.gap == DIRECTORY_SIZE_LIMIT ? "size limit"
                                                          : "people",
                     -1, gap_fix(walked.gap), "not everybody could be read: %s",
                     err.text);
    free(census.templates);
}

static void tell_abilities(struct findings *findings,
                           const struct directory_settings *set,
                           struct directory *dir)
{
    struct directory_abilities found;
    struct errtext err = {{0}};

    if (directory_ask_abilities(dir, clock_ms() + set->operation_timeout_ms,
                                &found, &err) != STATUS_OK) {
        findings_add(findings, FINDING_ERROR, "root entry", -1, NULL, "%s",
                     err.text);
        return;
    }
    findings_add(findings, found.paged ? FINDING_OK : FINDING_WARNING, "paging",
                 -1,
                 found.paged ? NULL
                             : "raise the server's size limit for bind_dn: "
                               "everybody has to fit into one answer",
                 "paged results %s, syncrepl %s%s%s%s",
                 found.paged ? "yes" : "no", found.syncrepl ? "yes" : "no",
                 found.active_directory ? ", Active Directory" : "",
                 found.vendor[0] != '\0' ? ", by " : "", found.vendor);
}

/* Everything about one directory. */
static void test_one(struct findings *findings, const struct tool *tool,
                     const struct directory_settings *set)
{
    struct directory *dir = NULL;
    struct errtext err = {{0}};

    findings_add(findings, FINDING_OK, "directory", -1, NULL, "%s", set->name);
    if (!look_at_hosts(findings, set)) {
        findings_add(findings, FINDING_SKIPPED, "people", -1, NULL,
                     "no host could be asked");
        return;
    }
    if (directory_open(set, &dir, &err) != STATUS_OK) {
        findings_add(findings, FINDING_ERROR, "settings", -1, NULL, "%s",
                     err.text);
        return;
    }
    tell_abilities(findings, set, dir);
    take_census(findings, tool, set, dir);
    directory_close(&dir);
}

int directory_test(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    const struct directory_settings *only = NULL;
    struct findings *findings;
    int code;

    if (!tool_arguments(arguments, none, 0, 1))
        return EX_USAGE;
    code = tool_settings(tool);
    if (code != EX_OK)
        return code;
    if (arguments->count == 1) {
        only = settings_directory(tool->settings, arguments->words[0]);
        if (only == NULL) {
            tool_error("there is no directory \"%s\" in the settings",
                       arguments->words[0]);
            return EX_USAGE;
        }
    }
    findings = findings_begin(tool);
    if (findings == NULL)
        return EX_TEMPFAIL;
    for (size_t i = 0; i < tool->settings->directory_count; i++) {
        const struct directory_settings *set = &tool->settings->directories[i];

        if (only == NULL || only == set)
            test_one(findings, tool, set);
    }
    return findings_end(&findings);
}

/* ------------------------------------------------------- directory show -- */

static void show_list(struct output *out, const char *field,
                      const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        output_text(out, field);
        output_text(out, list->items[i]);
        output_row(out);
    }
}

static void show_value(struct output *out, const char *field, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    output_text(out, field);
    output_text(out, value);
    output_row(out);
}

static int show_entry(const struct tool *tool,
                      const struct directory_settings *set,
                      const struct directory_entry *entry)
{
    static const struct output_column columns[] = {
        {"field", "FIELD", OUTPUT_TEXT}, {"value", "VALUE", OUTPUT_TEXT}};
    struct output *out = output_begin(stdout, tool->format, tool->headers,
                                      columns, ARRAY_SIZE(columns));
    const struct template_settings *found;
    const char *value = NULL;
    char *address = NULL;
    struct errtext err = {{0}};

    if (out == NULL)
        return EX_TEMPFAIL;
    found = provision_template(tool->settings, set, entry, &value);
    show_value(out, "directory", set->name);
    show_value(out, "dn", entry->dn);
    show_value(out, "id", entry->id);
    show_list(out, set->username_field, &entry->usernames);
    show_list(out, set->attribute_field, &entry->values);
    show_value(out, set->name_field, entry->name);
    show_list(out, set->alias_field, &entry->aliases);
    show_value(out, set->quota_field, entry->quota);
    show_value(out, "disabled", entry->disabled ? "yes" : "no");
    if (provision_address(tool->settings, set, entry, NULL, &address, &err) ==
        STATUS_OK)
        show_value(out, "mailbox", address);
    else
        show_value(out, "mailbox", err.text);
    show_value(out, "template",
               found != NULL ? found->name
                             : "none: nothing maps, and no default_template");
    free(address);
    return output_end(&out) ? EX_OK : EX_IOERR;
}

/* What the store has of the name; without a store, nothing. */
static void look_up(struct tool *tool, const char *address,
                    struct store_found *found_r)
{
    struct errtext err;

    if (store_open(&tool->settings->store, &tool->store, &err) == STATUS_OK &&
        store_find(tool->store, address, tool_deadline(tool), found_r, &err) !=
            STATUS_OK)
        store_found_clear(found_r);
}

int directory_show(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    struct directory_entry entry = {.dn = NULL};
    struct store_found found = {{0}, {0}};
    const struct directory_settings *set;
    struct directory *dir = NULL;
    struct login_choice choice;
    struct errtext err = {{0}};
    bool remembered = false;
    char *address = NULL;
    char *name = NULL;
    enum status status;
    int code;

    if (!tool_arguments(arguments, none, 1, 1))
        return EX_USAGE;
    code = tool_settings(tool);
    if (code == EX_OK)
        code = tool_address(arguments->words[0], &address);
    if (code != EX_OK)
        return code;
    look_up(tool, address, &found);
    login_choose(tool->settings, address, &found, &choice);
    set = choice.set != NULL ? choice.set
                             : settings_directory_for(
                                   tool->settings, address_domain_of(address));
    if (set == NULL) {
        tool_error("no directory in the settings serves %s",
                   address_domain_of(address));
        store_found_clear(&found);
        free(address);
        return EX_CONFIG;
    }
    status =
        login_search_name(tool->settings, set, address, &found, &name, &err);
    store_found_clear(&found);
    if (status == STATUS_OK)
        status = directory_open(set, &dir, &err);
    if (status == STATUS_OK)
        status = directory_find(dir, name,
                                clock_ms() + tool->settings->auth.deadline_ms,
                                &entry, &remembered, &err);
    if (status == STATUS_NOT_FOUND) {
        tool_error("directory %s has no entry for %s", set->name, address);
        code = EX_NOUSER;
    } else if (status == STATUS_OK) {
        code = show_entry(tool, set, &entry);
    } else {
        code = tool_failed(status, &err);
    }
    directory_entry_clear(&entry);
    directory_close(&dir);
    free(address);
    free(name);
    return code;
}
