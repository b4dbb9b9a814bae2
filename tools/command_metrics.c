/* command_metrics - provostctl metrics, for node_exporter's textfiles */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "daemons.h"
#include "exposition.h"
#include "tool.h"

#include "clock.h"
#include "store_inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ASK_MS 5000
#define ANSWER_BYTES_MAX ((size_t)1 << 20)
#define LABEL_BYTES_MAX 8192

/* ----------------------------------------------------------------- daemons --
 */

/* Asks one daemon; true: it runs, and its metrics were taken in. */
static bool ask_daemon(struct exposition *exposition,
                       const struct daemon *daemon)
{
    struct strbuf text = STRBUF_INIT(ANSWER_BYTES_MAX);
    struct errtext err = {{0}};
    enum status status = daemons_ask(daemon, CONTROL_METRICS, "",
                                     clock_ms() + ASK_MS, &text, &err);

    if (status == STATUS_OK)
        exposition_read(exposition, strbuf_text(&text));
    else if (status != STATUS_NOT_FOUND)
        tool_error("%s: %s", daemon->name,
                   err.text[0] != '\0' ? err.text : strbuf_text(&text));
    strbuf_clear(&text);
    return status == STATUS_OK;
}

static void add_daemons(struct exposition *exposition, const struct tool *tool)
{
    struct daemon list[DAEMONS_MAX];
    bool up[DAEMONS_MAX] = {false};
    size_t count = daemons_list(tool->settings, list);

    for (size_t i = 0; i < count; i++)
        up[i] = ask_daemon(exposition, &list[i]);
    exposition_family(exposition, "provost_up", "gauge",
                      "1: the daemon of this host answers");
    for (size_t i = 0; i < count; i++) {
        struct strbuf labels = STRBUF_INIT(LABEL_BYTES_MAX);
        const char *name = list[i].name;

        if (strncmp(name, "provost-", 8) == 0)
            name += 8;
        exposition_label(&labels, "daemon", name);
        exposition_sample(exposition, strbuf_text(&labels), up[i] ? 1 : 0);
        strbuf_clear(&labels);
    }
}

/* ------------------------------------------------------------------- store --
 */

/* The metrics of a domain, and where their values are. */
static const struct {
    const char *name;
    const char *help;
    size_t offset;
} of_domain[] = {
    {"provost_domain_mailboxes", "Mailboxes of a domain",
     offsetof(struct store_domain_use, mailboxes)},
    {"provost_domain_mailboxes_max", "Mailboxes it may have; 0: any number",
     offsetof(struct store_domain_use, max_mailboxes)},
    {"provost_domain_aliases", "Aliases of a domain, as they are counted",
     offsetof(struct store_domain_use, aliases)},
    {"provost_domain_aliases_max", "Aliases it may have; 0: any number",
     offsetof(struct store_domain_use, max_aliases)},
    {"provost_domain_quota_allotted_bytes", "Sum of its mailboxes' quotas",
     offsetof(struct store_domain_use, allotted_bytes)},
    {"provost_domain_quota_bytes", "What may be allotted; 0: any amount",
     offsetof(struct store_domain_use, quota_bytes)},
    {"provost_domain_used_bytes", "Mail it has, as Dovecot counts",
     offsetof(struct store_domain_use, used_bytes)},
};

/* What is added up while the domains pass. */
struct sums {
    struct exposition *exposition;
    uint64_t domains, allotted_bytes, used_bytes;
};

static void add_domain(const struct store_domain_use *use, void *arg)
{
    struct sums *sums = arg;
    struct strbuf labels = STRBUF_INIT(LABEL_BYTES_MAX);

    sums->domains++;
    sums->allotted_bytes += use->allotted_bytes;
    sums->used_bytes += use->used_bytes;
    exposition_label(&labels, "domain", use->name);
    for (size_t i = 0; i < ARRAY_SIZE(of_domain); i++) {
        uint64_t value;

        memcpy(&value, (const char *)use + of_domain[i].offset, sizeof(value));
        exposition_family(sums->exposition, of_domain[i].name, "gauge",
                          of_domain[i].help);
        exposition_sample(sums->exposition, strbuf_text(&labels), value);
    }
    strbuf_clear(&labels);
}

static void add_sum(struct exposition *exposition, const char *name,
                    const char *help, uint64_t value)
{
    exposition_family(exposition, name, "gauge", help);
    exposition_sample(exposition, "", value);
}

/* "ldap active", "12". */
static void add_mailboxes(const char *name, const char *value, void *arg)
{
    struct strbuf labels = STRBUF_INIT(LABEL_BYTES_MAX);
    const char *blank = strchr(name, ' ');
    char source[32];

    if (blank == NULL || value == NULL)
        return;
    (void)snprintf(source, sizeof(source), "%.*s", (int)(blank - name), name);
    exposition_label(&labels, "source", source);
    exposition_label(&labels, "state", blank + 1);
    exposition_sample(arg, strbuf_text(&labels), strtoull(value, NULL, 10));
    strbuf_clear(&labels);
}

static void add_events(const char *name, const char *value, void *arg)
{
    struct strbuf labels = STRBUF_INIT(LABEL_BYTES_MAX);

    exposition_label(&labels, "kind", name);
    exposition_sample(arg, strbuf_text(&labels),
                      value != NULL ? strtoull(value, NULL, 10) : 0);
    strbuf_clear(&labels);
}

/* False: the store is down, or of another schema. What else fails is told. */
static bool ask_store(struct exposition *exposition, struct tool *tool)
{
    struct sums sums = {.exposition = exposition};
    const struct store_use_visitor uses = {add_domain, &sums};
    const struct store_answer_visitor mailboxes = {add_mailboxes, exposition};
    const struct store_answer_visitor events = {add_events, exposition};
    struct errtext err = {{0}};

    if (store_open(&tool->settings->store, &tool->store, &err) != STATUS_OK ||
        store_check_schema(tool->store, tool_deadline(tool), &err) !=
            STATUS_OK) {
        tool_error("%s", err.text);
        return false;
    }
    if (store_domain_uses(tool->store, &uses, tool_deadline(tool), &err) !=
        STATUS_OK)
        tool_error("%s", err.text);
    add_sum(exposition, "provost_domains", "Domains", sums.domains);
    add_sum(exposition, "provost_quota_allotted_bytes",
            "Sum of all mailboxes' quotas", sums.allotted_bytes);
    add_sum(exposition, "provost_used_bytes", "Mail there is, in all domains",
            sums.used_bytes);
    exposition_family(exposition, "provost_mailboxes", "gauge",
                      "Mailboxes by who checks the password, and state");
    if (store_ask(tool->store, STORE_ASK_MAILBOXES, &mailboxes,
                  tool_deadline(tool), &err) != STATUS_OK)
        tool_error("%s", err.text);
    exposition_family(exposition, "provost_events", "gauge",
                      "Events that are kept, by kind");
    if (store_ask(tool->store, STORE_ASK_EVENTS, &events, tool_deadline(tool),
                  &err) != STATUS_OK)
        tool_error("%s", err.text);
    return true;
}

int metrics_print(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{.name = NULL}};
    struct exposition *exposition;
    bool written;
    bool up;
    int code;

    if (!tool_arguments(arguments, none, 0, 0))
        return EX_USAGE;
    code = tool_settings(tool);
    if (code != EX_OK)
        return code;
    exposition = exposition_new();
    if (exposition == NULL) {
        tool_error("out of memory");
        return EX_TEMPFAIL;
    }
    add_daemons(exposition, tool);
    up = ask_store(exposition, tool);
    add_sum(exposition, "provost_store_up",
            "1: the database answered provostctl", up ? 1 : 0);
    written = exposition_print(exposition, stdout);
    exposition_free(&exposition);
    if (!written)
        tool_error("not all metrics could be written");
    return written ? EX_OK : EX_IOERR;
}
