/* command_why - provostctl why: a login, gate by gate, writing nothing */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "ask.h"
#include "why.h"

#include "tool.h"
#include "why_words.h"

#include "account.h"
#include "clock.h"
#include "control.h"
#include "decision.h"
#include "login_choice.h"
#include "quantity.h"
#include "store_attempt.h"
#include "store_history.h"
#include "throttle.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ATTEMPTS_SHOWN 10
#define EVENTS_READ 200 /* to find so many that are no attempts */

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

void why_not_reached(struct why *why, const char *gate)
{
    findings_add(why->findings, FINDING_SKIPPED, gate, -1, NULL, "not reached");
}

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

/*
 * A line of the throttle's list, "person client failures seconds"; cut up. A
 * closed pair is this login's gate only if it is this client's.
 */
static bool closed_for(struct why *why, char *line)
{
    const char *person = strsep(&line, " ");
    const char *client = strsep(&line, " ");
    const char *failures = strsep(&line, " ");
    const char *seconds = line;
    bool all = strcmp(person, "*") == 0;
    char counted[64];

    if (seconds == NULL || (!all && strcmp(person, why->name.text) != 0))
        return false;
    if (why->client[0] == '\0' && !all) {
        findings_add(why->findings, FINDING_WARNING, "throttle", -1,
                     "is it the person's own? why ADDRESS --client IP tells",
                     "%s wrong passwords from %s: closed for %s s", failures,
                     client, seconds);
        return true;
    }
    throttle_counted(why->client, counted, sizeof(counted));
    if (strcmp(client, counted) != 0)
        return false;
    why->throttled = true;
    findings_add(why->findings, FINDING_ERROR, "throttle", -1,
                 why_fix("throttled"),
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
        findings_add(why->findings, FINDING_ERROR, "database",
                     clock_ms() - began, why_fix("store_no_answer"), "%s",
                     err.text);
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
    struct login_choice choice = {.set = NULL};

    if (why->name.has_domain)
        login_choose(why->tool->settings, why->name.text, &why->found, &choice);
    if (!why->name.has_domain) {
        findings_add(why->findings, FINDING_WARNING, "domain", -1,
                     "let people log in by their mail address",
                     "the name has no domain: all directories are searched");
    } else if (domain->name == NULL && choice.set != NULL) {
        findings_add(why->findings, FINDING_WARNING, "domain", -1, NULL,
                     "%s is not a domain of this host; people of %s log in by "
                     "other names, too",
                     typed, choice.set->name);
    } else if (domain->name == NULL) {
        findings_add(why->findings, FINDING_ERROR, "domain", -1,
                     why_fix("unknown_domain"),
                     "%s is not a domain of this host", typed);
    } else if (!domain->active) {
        findings_add(why->findings, FINDING_ERROR, "domain", -1,
                     why_fix("domain_inactive"), "%s is switched off",
                     domain->name);
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
                     why_fix("blocked_by_administrator"),
                     "an administrator has closed it (%s)",
                     account_admin_state_name(account->admin_state));
    if (account->directory_state != ACCOUNT_PRESENT)
        findings_add(why->findings, FINDING_ERROR, "mailbox", -1,
                     why_fix(account->directory_state == ACCOUNT_DISABLED
                                 ? "disabled_in_directory"
                                 : "missing_in_directory"),
                     "the directory says: %s",
                     account_directory_state_name(account->directory_state));
    if (account->set.active != ACCOUNT_ACTIVE)
        findings_add(why->findings, FINDING_ERROR, "mailbox", -1,
                     why_fix("closed_by_template"), "template %s says: %s",
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
                     why_fix("no_local_password"),
                     "the mailbox is local and has no password");
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

static void tell_limits(struct why *why, const struct login_answer *answer)
{
    bool closed = why_gate_of(answer->reason) == WHY_LIMIT;
    const struct store_domain *domain = &why->found.domain;
    struct strbuf text = STRBUF_INIT(1024);

    if (domain->name == NULL) {
        why_not_reached(why, "limits");
        return;
    }
    append_limit(&text, "mailboxes", domain->mailboxes_used,
                 domain->max_mailboxes, false);
    append_limit(&text, "quota", domain->quota_allotted, domain->quota_bytes,
                 true);
    append_limit(&text, "aliases", domain->aliases_used, domain->max_aliases,
                 false);
    if (domain->max_quota_bytes > 0)
        append_limit(&text, "largest mailbox", domain->max_quota_bytes, 0,
                     true);
    findings_add(why->findings, closed ? FINDING_ERROR : FINDING_OK, "limits",
                 -1, closed ? why_fix(answer->reason) : NULL, "%s: %s%s%s",
                 domain->name, strbuf_text(&text), closed ? ": " : "",
                 closed ? why_meaning(answer->reason) : "");
    strbuf_clear(&text);
}

/* ---------------------------------------------------------- the verdict -- */

static void tell_protocol(struct why *why, const struct login_answer *answer)
{
    if (why_gate_of(answer->reason) == WHY_PROTOCOL)
        findings_add(why->findings, FINDING_ERROR, "protocol", -1,
                     why_fix(answer->reason), "%s: %s", why->service,
                     why_meaning(answer->reason));
    else if (answer->result == LOGIN_IN)
        findings_add(why->findings, FINDING_OK, "protocol", -1, NULL,
                     "%s is allowed", why->service);
    else
        why_not_reached(why, "protocol");
}

/* Did the attempt get as far as a password? Then `how` says what judged it. */
static void tell_password(struct why *why, const struct login_answer *answer)
{
    enum why_gate gate = why_gate_of(answer->reason);

    if (gate == WHY_ACCOUNT)
        findings_add(why->findings, FINDING_ERROR, "account", -1,
                     why_fix(answer->reason), "the directory says: %s (%s)",
                     why_meaning(answer->reason), answer->text.text);
    if (why->password == NULL)
        findings_add(why->findings, FINDING_SKIPPED, "password", -1, NULL,
                     "not given (--password-stdin): taken for the right one");
    else if (gate == WHY_PASSWORD)
        findings_add(why->findings, FINDING_ERROR, "password", -1,
                     why_fix(answer->reason), "%s, asked: %s (%s)",
                     answer->reason, answer->how, why_meaning(answer->reason));
    else if (answer->how[0] == '\0' || gate == WHY_ACCOUNT ||
             strcmp(answer->reason, "no_answer") == 0)
        why_not_reached(why, "password");
    else
        findings_add(why->findings, FINDING_OK, "password", -1, NULL,
                     "asked: %s", answer->how);
}

/* What the client would be told; a closed throttle is authd's, not ours. */
static void tell_verdict(struct why *why, const struct login_answer *answer,
                         int64_t took_ms)
{
    const char *reason = answer->reason;
    const char *meaning;

    if (why->throttled) {
        reason = "throttled";
        findings_add(why->findings, FINDING_ERROR, "verdict", took_ms,
                     why_fix(reason), "%s: %s, %s; later: %s, %s",
                     why_reply(LOGIN_TEMPORARY), reason, why_meaning(reason),
                     why_reply(answer->result), answer->reason);
        return;
    }
    meaning = why_meaning(reason);
    findings_add(
        why->findings, answer->result == LOGIN_IN ? FINDING_OK : FINDING_ERROR,
        "verdict", took_ms, why_fix(reason), "%s: %s%s%s%s%s%s%s",
        why_reply(answer->result), reason, meaning[0] != '\0' ? ", " : "",
        meaning, answer->text.text[0] != '\0' ? "; " : "", answer->text.text,
        answer->made[0] != '\0' ? "; the login would do: " : "", answer->made);
}

/* Runs the login itself, up to the point where it would write. */
static void rehearse(struct why *why, const char *typed)
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
    began = clock_ms() - began;
    tell_limits(why, &answer);
    tell_protocol(why, &answer);
    tell_password(why, &answer);
    tell_verdict(why, &answer, began);
    login_answer_clear(&answer);
}

static bool tell_attempt(const struct store_attempt_row *row, void *arg)
{
    struct why *why = arg;
    char times[96] = "";

    if (row->times > 1)
        (void)snprintf(times, sizeof(times), ", %llu times since %s",
                       (unsigned long long)row->times, row->first);
    findings_add(why->findings, FINDING_SKIPPED, "before", -1, NULL,
                 "%s %s: %s by %s from %s%s", row->last, row->result,
                 row->reason, row->service,
                 row->client[0] != '\0' ? row->client : "an unknown client",
                 times);
    return ++why->attempts < ATTEMPTS_SHOWN;
}

/* What is no attempt: changes, and refusals with the whole sentence. */
static bool tell_event(const struct store_event_row *row, void *arg)
{
    struct why *why = arg;

    if (strcmp(row->kind, login_result_name(LOGIN_WRONG)) == 0 ||
        strcmp(row->kind, login_result_name(LOGIN_TEMPORARY)) == 0)
        return true;
    if (why->events_shown++ >= ATTEMPTS_SHOWN)
        return false;
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
        .address = address, .newest_first = true, .max = EVENTS_READ};
    struct store_event_visitor visitor = {tell_event, why};
    struct store_attempt_visitor attempts = {tell_attempt, why};
    struct errtext err = {{0}};

    if (store_attempt_list(login_store(why->login), address, &attempts,
                           why->deadline_ms, &err) != STATUS_OK ||
        store_event_list(login_store(why->login), &query, &visitor,
                         why->deadline_ms, &err) != STATUS_OK)
        findings_add(why->findings, FINDING_WARNING, "before", -1, NULL, "%s",
                     err.text);
}

/* ---------------------------------------------------------- the command -- */

static void walk(struct why *why, const char *typed)
{
    bool named = look_at_address(why, typed);
    bool read = false;

    if (named) {
        look_at_throttle(why);
        read = look_at_store(why);
    } else {
        why_not_reached(why, "throttle");
        why_not_reached(why, "database");
    }
    if (read) {
        look_at_domain(why);
        look_at_mailbox(why);
    } else {
        why_not_reached(why, "domain");
        why_not_reached(why, "mailbox");
    }
    why_look_at_directory(why, read);
    rehearse(why, typed);
    if (read)
        tell_history(why);
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
    throttle_client(client, why.client, sizeof(why.client));
    if (client[0] != '\0' && why.client[0] == '\0') {
        tool_error("--client is an IP address");
        return EX_USAGE;
    }
    why.deadline_ms = clock_ms() + 4 * tool->settings->auth.deadline_ms;
    if (reads_password) {
        code = ask_password(true, &why.password);
        if (code != EX_OK)
            return code;
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
