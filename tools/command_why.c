/* command_why - provostctl why: a login, gate by gate, writing nothing */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "finding.h"
#include "look.h"
#include "tool.h"

#include "address.h"
#include "clock.h"
#include "control.h"
#include "login.h"
#include "provision.h"
#include "store_history.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define PASSWORD_BYTES_MAX 4096
#define ATTEMPTS_SHOWN 10

/* What one question is about; see why_clear. */
struct why {
    struct tool *tool;
    struct findings *findings;
    struct login_shared shared;
    struct login *login;
    const char *service;
    const char *client;
    char *password; /* owned, a secret; NULL: not given */
    struct address_login name;
    struct store_found found;
    const struct directory_settings *set; /* the directory to ask; or NULL */
    struct directory_entry entry;
    bool has_entry;
    int64_t deadline_ms;
};

static void why_clear(struct why *why)
{
    login_close(&why->login);
    memory_free(&why->shared.memory);
    throttle_free(&why->shared.throttle);
    password_gate_free(&why->shared.gate);
    store_found_clear(&why->found);
    directory_entry_clear(&why->entry);
    free(why->name.text);
    if (why->password != NULL)
        explicit_bzero(why->password, strlen(why->password));
    free(why->password);
}

/* The login of the daemons, with memories of its own that stay empty. */
static enum status open_login(struct why *why, struct errtext *err)
{
    const struct settings *settings = why->tool->settings;
    const struct memory_limits none = {.verified_max = 1, .refused_max = 1};
    const struct throttle_limits off = {.period_ms = 1000, .buckets_max = 1};
    enum status status = memory_new(none, &why->shared.memory, err);

    if (status == STATUS_OK)
        status = throttle_new(off, NULL, 0, &why->shared.throttle, err);
    if (status == STATUS_OK) {
        why->shared.gate = password_gate_new(settings->auth.hash_workers);
        if (why->shared.gate == NULL)
            status = status_no_memory(err);
    }
    if (status == STATUS_OK)
        status = login_open(settings, &why->shared, &why->login, err);
    return status;
}

/* ------------------------------------------------------------ the gates -- */

static bool look_at_address(struct why *why, const char *typed)
{
    struct errtext err = {{0}};

    if (address_login(typed, "", &why->name, &err) == STATUS_OK) {
        findings_add(why->findings, FINDING_OK, "address", -1, NULL, "%s",
                     why->name.text);
        return true;
    }
    findings_add(why->findings, FINDING_ERROR, "address", -1,
                 "the client has to send the mail address as user name", "%s",
                 err.text);
    return false;
}

/* A line of the throttle's list, "person client failures seconds"; cut up. */
static bool closed_for(const struct why *why, char *line)
{
    const char *person = strsep(&line, " ");
    const char *client = strsep(&line, " ");
    const char *failures = strsep(&line, " ");
    const char *seconds = line;
    bool other_client;

    if (seconds == NULL)
        return false;
    other_client = strcmp(client, why->client) != 0;
    if (strcmp(person, "*") == 0 ? other_client
                                 : strcmp(person, why->name.text) != 0 ||
                                       (why->client[0] != '\0' && other_client))
        return false;
    findings_add(why->findings, FINDING_ERROR, "throttle", -1,
                 "wait, or: provostctl cache flush ADDRESS",
                 "%s wrong passwords from %s: closed for %s s", failures,
                 client, seconds);
    return true;
}

static void look_at_throttle(struct why *why)
{
    const struct settings *settings = why->tool->settings;
    struct strbuf text = STRBUF_INIT(CONTROL_REPLY_BYTES_MAX);
    int64_t began = clock_ms();
    struct errtext err = {{0}};
    bool closed = false;
    char *copy = NULL;
    char *rest;
    char *line;

    if (control_ask(settings->auth.control_path, CONTROL_THROTTLE_LIST, "",
                    clock_ms() + 2000, &text, &err) != STATUS_OK) {
        findings_add(why->findings, FINDING_WARNING, "provost-authd",
                     clock_ms() - began, "systemctl start provost-authd",
                     "it cannot be asked: %s", err.text);
        strbuf_clear(&text);
        return;
    }
    if (strbuf_take(&text, &copy, &err) == STATUS_OK) {
        rest = copy;
        while ((line = strsep(&rest, "\n")) != NULL)
            closed = closed_for(why, line) || closed;
    }
    if (!closed)
        findings_add(why->findings, FINDING_OK, "throttle", clock_ms() - began,
                     NULL, "open");
    free(copy);
}

/* Reads domain and mailbox. False: the store does not answer. */
static bool look_at_store(struct why *why)
{
    int64_t began = clock_ms();
    struct errtext err = {{0}};
    enum status status = STATUS_OK;

    if (why->name.has_domain)
        status = store_find(login_store(why->login), why->name.text,
                            why->deadline_ms, &why->found, &err);
    else
        status =
            store_check_schema(login_store(why->login), why->deadline_ms, &err);
    if (status != STATUS_OK) {
        findings_add(
            why->findings, FINDING_ERROR, "database", clock_ms() - began,
            "systemctl status mariadb; then provostctl doctor", "%s", err.text);
        return false;
    }
    findings_add(why->findings, FINDING_OK, "database", clock_ms() - began,
                 NULL, "answers");
    return true;
}

static void look_at_domain(struct why *why)
{
    const struct store_domain *domain = &why->found.domain;
    const char *typed = address_domain_of(why->name.text);

    if (!why->name.has_domain) {
        findings_add(why->findings, FINDING_WARNING, "domain", -1,
                     "let people log in by their mail address",
                     "the name has no domain: all directories are searched");
    } else if (domain->name == NULL) {
        findings_add(why->findings, FINDING_ERROR, "domain", -1,
                     "provostctl domain add NAME",
                     "%s is not a domain of this host", typed);
    } else if (!domain->active) {
        findings_add(why->findings, FINDING_ERROR, "domain", -1,
                     "provostctl domain edit NAME --active yes",
                     "%s is switched off", domain->name);
    } else if (strcmp(domain->name, typed) != 0) {
        findings_add(why->findings, FINDING_OK, "domain", -1, NULL,
                     "%s is another name of %s", typed, domain->name);
    } else {
        findings_add(why->findings, FINDING_OK, "domain", -1, NULL, "%s",
                     domain->name);
    }
}

/* The three who may close a mailbox, each with what opens it again. */
static void tell_states(struct why *why, const struct account *account)
{
    bool off = account_access(account) == ACCOUNT_OFF;

    if (account->admin_state != ACCOUNT_UNBLOCKED)
        findings_add(why->findings, FINDING_ERROR, "mailbox", -1,
                     "provostctl mailbox unblock ADDRESS",
                     "an administrator has closed it (%s)",
                     account_admin_state_name(account->admin_state));
    if (account->directory_state != ACCOUNT_PRESENT)
        findings_add(why->findings, FINDING_ERROR, "mailbox", -1,
                     "enable the person in the directory; the next sync or "
                     "login opens it",
                     "the directory says: %s",
                     account_directory_state_name(account->directory_state));
    if (account->set.active != ACCOUNT_ACTIVE)
        findings_add(why->findings, FINDING_ERROR, "mailbox", -1,
                     "change \"active\" of the template, or the person's "
                     "template",
                     "template %s says: %s",
                     account->template_name != NULL ? account->template_name
                                                    : "-",
                     account_template_state_name(account->set.active));
    if (off)
        findings_add(why->findings, FINDING_WARNING, "mailbox", -1, NULL,
                     "mail for it is refused, too");
}

static void look_at_mailbox(struct why *why)
{
    const struct account *account = &why->found.account;

    if (account->address == NULL) {
        findings_add(why->findings, FINDING_OK, "mailbox", -1, NULL,
                     "there is none yet");
        return;
    }
    findings_add(why->findings, FINDING_OK, "mailbox", -1, NULL,
                 "%s, source %s%s%s", account->address,
                 account_source_name(account->source),
                 account->template_name != NULL ? ", template " : "",
                 account->template_name != NULL ? account->template_name : "");
    if (account_access(account) != ACCOUNT_OPEN)
        tell_states(why, account);
    if (account->source == ACCOUNT_LOCAL && account->password == NULL)
        findings_add(why->findings, FINDING_ERROR, "source", -1,
                     "provostctl password set ADDRESS, or provostctl mailbox "
                     "source ADDRESS ldap",
                     "the mailbox is local and has no password");
}

/* Which directory is asked; sets why->set. */
static void choose_directory(struct why *why)
{
    const struct settings *settings = why->tool->settings;
    const struct account *account = &why->found.account;
    const char *domain = why->found.domain.name != NULL
                             ? why->found.domain.name
                             : address_domain_of(why->name.text);

    if (account->address != NULL && account->source == ACCOUNT_LOCAL) {
        findings_add(why->findings, FINDING_SKIPPED, "directory", -1, NULL,
                     "the mailbox is local: no directory is asked");
        return;
    }
    if (account->address != NULL && account->directory != NULL) {
        why->set = settings_directory(settings, account->directory);
        if (why->set == NULL)
            findings_add(why->findings, FINDING_ERROR, "directory", -1,
                         "give the directory that name again, or: provostctl "
                         "mailbox source ADDRESS ldap",
                         "%s is the mailbox's, and is not in the settings",
                         account->directory);
    } else if (why->name.has_domain) {
        why->set = settings_directory_for(settings, domain);
        if (why->set == NULL)
            findings_add(why->findings, FINDING_ERROR, "directory", -1,
                         "name the domain in \"domains\" of a directory",
                         "no directory serves %s", domain);
    }
    if (why->set != NULL)
        findings_add(why->findings, FINDING_OK, "directory", -1, NULL, "%s",
                     why->set->name);
}

static struct directory *directory_of(const struct why *why)
{
    for (size_t i = 0; i < why->tool->settings->directory_count; i++) {
        if (&why->tool->settings->directories[i] == why->set)
            return login_directory(why->login, i);
    }
    return NULL;
}

/* How many entries there would be without the administrator's filter. */
static const char *count_without_filter(struct why *why, const char *name)
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
    return "an unknown number of";
}

/* Nobody was found: does the filter leave the person out? */
static void tell_nobody(struct why *why, const char *name, int64_t took_ms)
{
    const char *without =
        why->set->filter[0] != '\0' ? count_without_filter(why, name) : "0";

    if (strcmp(without, "0") == 0)
        findings_add(
            why->findings, FINDING_ERROR, "search", took_ms,
            "is the address in the directory, and in the attribute "
            "that username_field or login_fields names?",
            "no entry under base_dn has %s=%s%s", why->set->username_field,
            name,
            why->set->filter[0] != '\0' ? ", with and without the filter" : "");
    else
        findings_add(why->findings, FINDING_ERROR, "search", took_ms,
                     "correct \"filter\", or the entry",
                     "no entry matches with the filter %s; without it %s",
                     why->set->filter, without);
}

/* Searches as the login does. */
static void look_at_entry(struct why *why)
{
    const char *name = why->found.account.address != NULL
                           ? why->found.account.address
                           : why->name.text;
    struct directory *dir = directory_of(why);
    int64_t began = clock_ms();
    struct errtext err = {{0}};
    bool remembered = false;
    enum status status;

    if (dir == NULL)
        return;
    status = directory_find(dir, name, why->deadline_ms, &why->entry,
                            &remembered, &err);
    why->has_entry = status == STATUS_OK;
    switch (status) {
    case STATUS_OK:
        findings_add(why->findings, FINDING_OK, "search", clock_ms() - began,
                     NULL, "1 entry: %s", why->entry.dn);
        break;
    case STATUS_NOT_FOUND:
        tell_nobody(why, name, clock_ms() - began);
        break;
    case STATUS_DENIED:
        findings_add(why->findings, FINDING_ERROR, "search", clock_ms() - began,
                     "let one entry have the address, or filter the other out",
                     "%s", err.text);
        break;
    case STATUS_INVALID:
        findings_add(why->findings, FINDING_ERROR, "search", clock_ms() - began,
                     "correct the entry", "%s", err.text);
        break;
    case STATUS_TEMPFAIL:
        findings_add(why->findings, FINDING_ERROR, "search", clock_ms() - began,
                     "provostctl directory test", "%s", err.text);
        break;
    }
}

/* Values of a list, with commas. */
static void join(const struct text_list *list, struct strbuf *buf)
{
    for (size_t i = 0; i < list->count; i++)
        strbuf_appendf(buf, "%s\"%s\"", i > 0 ? ", " : "", list->items[i]);
    if (list->count == 0)
        strbuf_append(buf, "none");
}

static void look_at_mapping(struct why *why)
{
    struct strbuf values = STRBUF_INIT(2048);
    const char *value = NULL;
    const struct template_settings *found =
        provision_template(why->tool->settings, why->set, &why->entry, &value);

    if (why->entry.disabled)
        findings_add(why->findings, FINDING_ERROR, "account", -1,
                     "enable the person in the directory",
                     "disabled_filter %s matches the entry",
                     why->set->disabled_filter);
    else
        findings_add(why->findings, FINDING_OK, "account", -1, NULL,
                     "not disabled in the directory");
    join(&why->entry.values, &values);
    if (found == NULL)
        findings_add(why->findings, FINDING_ERROR, "mapping", -1,
                     "add a row to attribute_mapping, or set default_template",
                     "nothing maps: %s is %s",
                     why->set->attribute_field[0] != '\0'
                         ? why->set->attribute_field
                         : "attribute_field",
                     strbuf_text(&values));
    else if (value != NULL)
        findings_add(why->findings, FINDING_OK, "mapping", -1, NULL,
                     "%s is %s; \"%s\" maps to template %s",
                     why->set->attribute_field, strbuf_text(&values), value,
                     found->name);
    else
        findings_add(why->findings, FINDING_OK, "mapping", -1, NULL,
                     "%s is %s: default_template %s",
                     why->set->attribute_field[0] != '\0'
                         ? why->set->attribute_field
                         : "attribute_field",
                     strbuf_text(&values), found->name);
    strbuf_clear(&values);
}

static void append_limit(struct strbuf *buf, const char *what, uint64_t used,
                         uint64_t limit, bool sizes)
{
    strbuf_appendf(buf, "%s%s ", buf->len > 0 ? ", " : "", what);
    if (!sizes)
        strbuf_appendf(buf, "%llu", (unsigned long long)used);
    else if (used == 0)
        strbuf_append_char(buf, '0');
    else
        quantity_append_size(buf, used);
    if (limit == 0)
        return;
    strbuf_append(buf, " of ");
    if (sizes)
        quantity_append_size(buf, limit);
    else
        strbuf_appendf(buf, "%llu", (unsigned long long)limit);
}

static void look_at_limits(struct why *why)
{
    const struct store_domain *domain = &why->found.domain;
    struct strbuf text = STRBUF_INIT(1024);

    if (domain->name == NULL)
        return;
    append_limit(&text, "mailboxes", domain->mailboxes_used,
                 domain->max_mailboxes, false);
    append_limit(&text, "quota", domain->quota_allotted, domain->quota_bytes,
                 true);
    append_limit(&text, "aliases", domain->aliases_used, domain->max_aliases,
                 false);
    findings_add(why->findings, FINDING_OK, "limits", -1, NULL, "%s: %s",
                 domain->name, strbuf_text(&text));
    strbuf_clear(&text);
}

/* ---------------------------------------------------------- the verdict -- */

/* Codes of a decision whose cure is known; the others' text says enough. */
static const struct {
    const char *reason;
    const char *fix;
} cures[] = {
    {"max_mailboxes", "provostctl domain edit NAME --max-mailboxes N"},
    {"domain_quota", "provostctl domain edit NAME --quota SIZE"},
    {"max_quota", "provostctl domain edit NAME --max-quota SIZE, or a smaller "
                  "quota in the template"},
    {"unlimited", "give the template a quota"},
    {"max_aliases", "provostctl domain edit NAME --max-aliases N"},
    {"address_taken", "remove the alias, or give the person another address"},
    {"alias_taken", "the alias belongs to somebody else"},
    {"foreign_address", "correct the address in the directory, or \"domains\""},
    {"provisioning_off", "login_provisioning = true, or import_users"},
    {"local_mailbox", "provostctl mailbox source ADDRESS ldap"},
    {"other_directory", "provostctl mailbox source ADDRESS ldap"},
    {"other_id", "the address was somebody else's: rename or remove the old "
                 "mailbox first"},
    {"no_id", "let id_field name the directory's immutable id"},
    {"no_template", "add a row to attribute_mapping, or set default_template"},
    {"service_off", "the template, or: provostctl mailbox edit ADDRESS"},
    {"hash_unverifiable", "provostctl password set ADDRESS"},
    {"wrong_password", "the password is not the directory's"},
    {"password_expired", "the person has to change the password"},
    {"must_change", "the person has to change the password"},
    {"account_locked", "unlock the account in the directory"},
    {"account_disabled", "enable the account in the directory"},
    {"account_expired", "extend the account in the directory"},
};

static const char *cure_of(const char *reason)
{
    for (size_t i = 0; i < ARRAY_SIZE(cures); i++) {
        if (strcmp(cures[i].reason, reason) == 0)
            return cures[i].fix;
    }
    return NULL;
}

static const char *reply_of(enum login_result result)
{
    switch (result) {
    case LOGIN_IN:
        return "235 2.7.0 Authentication successful";
    case LOGIN_WRONG:
    case LOGIN_REFUSED:
        return "535 5.7.8 Authentication failed";
    case LOGIN_TEMPORARY:
        break;
    }
    return "454 4.7.0 Temporary authentication failure";
}

/* Runs the login itself, up to the point where it would write. */
static void tell_verdict(struct why *why, const char *typed)
{
    struct login_request request = {
        .user = typed,
        .password = why->password,
        .service = why->service,
        .realm = "",
        .client = why->client,
        .rehearse = true,
        .deadline_ms = clock_ms() + why->tool->settings->auth.deadline_ms,
    };
    int64_t began = clock_ms();
    struct login_answer answer;

    login_attempt(why->login, &request, &answer);
    findings_add(why->findings,
                 why->password == NULL          ? FINDING_SKIPPED
                 : answer.result == LOGIN_WRONG ? FINDING_ERROR
                                                : FINDING_OK,
                 "password", -1,
                 why->password == NULL ? "" : cure_of(answer.reason),
                 why->password == NULL ? "not given (--password-stdin): taken "
                                         "for the right one"
                 : answer.result == LOGIN_WRONG ? "%s"
                                                : "asked: %s",
                 answer.result == LOGIN_WRONG ? answer.reason : answer.how);
    findings_add(
        why->findings, answer.result == LOGIN_IN ? FINDING_OK : FINDING_ERROR,
        "verdict", clock_ms() - began, cure_of(answer.reason), "%s: %s%s%s%s%s",
        reply_of(answer.result), answer.reason,
        answer.text.text[0] != '\0' ? ", " : "", answer.text.text,
        answer.made[0] != '\0' ? "; the login would do: " : "", answer.made);
    login_answer_clear(&answer);
}

static bool tell_event(const struct store_event_row *row, void *arg)
{
    struct why *why = arg;

    findings_add(
        why->findings, FINDING_SKIPPED, "before", -1, NULL, "%s %s: %s%s%s",
        row->at, row->kind, row->reason != NULL ? row->reason : "",
        row->after != NULL ? " " : "", row->after != NULL ? row->after : "");
    return true;
}

/* What happened to this person lately. */
static void tell_history(struct why *why)
{
    const char *address = why->found.account.address != NULL
                              ? why->found.account.address
                              : why->name.text;
    struct store_event_query query = {
        .address = address, .newest_first = true, .max = ATTEMPTS_SHOWN};
    struct store_event_visitor visitor = {tell_event, why};
    struct errtext err = {{0}};

    if (store_event_list(login_store(why->login), &query, &visitor,
                         why->deadline_ms, &err) != STATUS_OK)
        findings_add(why->findings, FINDING_WARNING, "before", -1, NULL, "%s",
                     err.text);
}

/* ---------------------------------------------------------- the command -- */

static void walk(struct why *why, const char *typed)
{
    if (!look_at_address(why, typed))
        return;
    look_at_throttle(why);
    if (look_at_store(why)) {
        look_at_domain(why);
        look_at_mailbox(why);
        choose_directory(why);
    }
    for (size_t i = 0; why->set != NULL && i < why->set->hosts.count; i++)
        (void)look_at_host(why->findings, why->set, i);
    if (why->set != NULL)
        look_at_entry(why);
    if (why->has_entry)
        look_at_mapping(why);
    look_at_limits(why);
    tell_verdict(why, typed);
    tell_history(why);
}

/* The first line of standard input; NULL with a message. */
static char *read_password(void)
{
    char line[PASSWORD_BYTES_MAX + 2];
    char *copy = NULL;

    if (fgets(line, sizeof(line), stdin) == NULL || line[0] == '\n')
        tool_error("there is no password on standard input");
    else
        copy = strndup(line, strcspn(line, "\n"));
    explicit_bzero(line, sizeof(line));
    return copy;
}

int why_run(struct tool *tool, struct arguments *arguments)
{
    const char *service = "smtp";
    const char *client = "";
    bool reads_password = false;
    const struct tool_option options[] = {
        {.name = "service", .value = &service},
        {.name = "client", .value = &client},
        {.name = "password-stdin", .flag = &reads_password},
        {.name = NULL}};
    struct why why = {.tool = tool};
    struct errtext err = {{0}};
    enum status status;
    int code;

    if (!tool_arguments(arguments, options, 1, 1))
        return EX_USAGE;
    if (account_service(service) == 0) {
        tool_error("--service is smtp, imap, pop3 or sieve");
        return EX_USAGE;
    }
    code = tool_settings(tool);
    if (code != EX_OK)
        return code;
    why.service = service;
    why.client = client;
    why.deadline_ms = clock_ms() + 4 * tool->settings->auth.deadline_ms;
    if (reads_password) {
        why.password = read_password();
        if (why.password == NULL)
            return EX_DATAERR;
    }
    status = open_login(&why, &err);
    if (status == STATUS_OK)
        why.findings = findings_begin(tool);
    if (why.findings != NULL)
        walk(&why, arguments->words[0]);
    why_clear(&why);
    if (why.findings == NULL)
        return status == STATUS_OK ? EX_TEMPFAIL : tool_failed(status, &err);
    return findings_end(&why.findings);
}
