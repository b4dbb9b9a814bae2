/* doctor_store - the database, as doctor sees it; see doctor.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include "clock.h"
#include "doctor_words.h"
#include "store_grants.h"
#include "store_inspect.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#define CLOCK_SECONDS 5 /* clocks further apart are worth a warning */
#define DOMAINS_MAX 64  /* that are named, or mended in one run */

void doctor_store(struct doctor *doctor)
{
    struct tool *tool = doctor->tool;
    int64_t began = clock_ms();
    struct errtext err = {{0}};
    enum status status = store_open(&tool->settings->store, &tool->store, &err);

    if (status == STATUS_OK)
        status = store_check_schema(tool->store, tool_deadline(tool), &err);
    doctor->has_store = status == STATUS_OK;
    if (status == STATUS_OK)
        findings_add(doctor->findings, FINDING_OK, "database",
                     clock_ms() - began, NULL,
                     "answers, schema version is fit");
    else
        findings_add(
            doctor->findings, FINDING_ERROR, "database", clock_ms() - began,
            status == STATUS_INVALID
                ? "provostctl db migrate"
                : "systemctl status mariadb; \"store\" in the settings",
            "%s", err.text);
}

/* Asks, and tells if there was no answer. */
static bool ask(struct doctor *doctor, enum store_question question,
                const char *what, const struct store_answer_visitor *visitor)
{
    struct errtext err = {{0}};

    if (store_ask(doctor->tool->store, question, visitor,
                  tool_deadline(doctor->tool), &err) == STATUS_OK)
        return true;
    findings_add(doctor->findings, FINDING_WARNING, what, -1, NULL, "%s",
                 err.text);
    return false;
}

/* ----------------------------------------------------------------- rights --
 */

/* What SHOW GRANTS comes to. */
struct rights {
    const char *database;
    struct strbuf wide;
    struct strbuf missing;
    const struct store_grant *grant; /* that is being read */
    unsigned have;                   /* a bit for each of needed */
};

/* As README grants them. */
static const char *const needed[] = {
    "SELECT", "INSERT", "UPDATE", "DELETE",      "CREATE",
    "ALTER",  "INDEX",  "DROP",   "CREATE VIEW", "SHOW VIEW",
};

static void add_wide(struct rights *rights, const char *right)
{
    const struct store_grant *grant = rights->grant;

    if (rights->wide.len > 0)
        strbuf_append(&rights->wide, ", ");
    if (grant->is_role)
        strbuf_appendf(&rights->wide, "the role %s", right);
    else
        strbuf_appendf(&rights->wide, "%s on %s.%s", right, grant->database,
                       grant->table);
}

static void see_right(const char *name, void *arg)
{
    struct rights *rights = arg;
    bool is_all = strncasecmp(name, "ALL", 3) == 0;
    bool here = store_grant_covers(rights->grant, rights->database);
    bool is_needed = false;

    if (strcasecmp(name, "USAGE") == 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        bool same = strcasecmp(needed[i], name) == 0;

        is_needed = is_needed || same;
        if ((same || is_all) && strcmp(rights->grant->table, "*") == 0 &&
            (here || strcmp(rights->grant->database, "*") == 0))
            rights->have |= 1U << i;
    }
    if (!here || !is_needed)
        add_wide(rights, name);
}

static void see_grant(const char *line, const char *value, void *arg)
{
    struct rights *rights = arg;
    struct store_grant grant = {.rights = NULL};
    struct errtext err = {{0}};

    (void)value;
    if (store_grant_read(line, &grant, &err) != STATUS_OK)
        return;
    rights->grant = &grant;
    if (grant.is_role)
        add_wide(rights, grant.rights);
    else
        store_grant_each(&grant, see_right, rights);
    if (grant.may_grant)
        add_wide(rights, "GRANT OPTION");
    rights->grant = NULL;
    store_grant_clear(&grant);
}

void doctor_grants(struct doctor *doctor)
{
    struct rights rights = {.database = doctor->tool->settings->store.database,
                            .wide = STRBUF_INIT(4096),
                            .missing = STRBUF_INIT(1024)};
    const struct store_answer_visitor visitor = {see_grant, &rights};

    if (!ask(doctor, STORE_ASK_GRANTS, "grants", &visitor))
        goto out;
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        if ((rights.have & (1U << i)) == 0)
            strbuf_appendf(&rights.missing, "%s%s",
                           rights.missing.len > 0 ? ", " : "", needed[i]);
    }
    if (rights.missing.len > 0)
        findings_add(doctor->findings, FINDING_WARNING, "grants", -1,
                     "grant them, at least while provostctl db migrate runs",
                     "the account lacks %s", strbuf_text(&rights.missing));
    if (rights.wide.len > 0)
        findings_add(doctor->findings, FINDING_WARNING, "grants", -1,
                     "REVOKE ALL PRIVILEGES, GRANT OPTION FROM the account; "
                     "then grant what README's step 4 grants",
                     "wider than needed: %s", strbuf_text(&rights.wide));
    if (rights.missing.len == 0 && rights.wide.len == 0)
        findings_add(doctor->findings, FINDING_OK, "grants", -1, NULL,
                     "as wide as needed");
out:
    strbuf_clear(&rights.wide);
    strbuf_clear(&rights.missing);
}

/* --------------------------------------------------- engines and cluster -- */

static void see_engine(const char *name, const char *value, void *arg)
{
    struct doctor *doctor = arg;
    struct errtext fix = {{0}};

    errtext_set(&fix, "ALTER TABLE %s ENGINE=InnoDB", name);
    findings_add(doctor->findings, FINDING_ERROR, "InnoDB", -1, fix.text,
                 "table %s is %s: a crash may leave half a mailbox", name,
                 value != NULL ? value : "broken");
}

static void see_keyless(const char *name, const char *value, void *arg)
{
    struct doctor *doctor = arg;

    (void)value;
    findings_add(doctor->findings, FINDING_WARNING, "InnoDB", -1,
                 "give it a primary key, or take it out of this database",
                 "table %s has no primary key: a cluster cannot delete in it",
                 name);
}

void doctor_engines(struct doctor *doctor)
{
    const struct store_answer_visitor engines = {see_engine, doctor};
    const struct store_answer_visitor keyless = {see_keyless, doctor};
    unsigned before = findings_count(doctor->findings, FINDING_ERROR);

    if (!ask(doctor, STORE_ASK_ENGINES, "InnoDB", &engines) ||
        !ask(doctor, STORE_ASK_KEYLESS, "InnoDB", &keyless))
        return;
    if (findings_count(doctor->findings, FINDING_ERROR) == before)
        findings_add(doctor->findings, FINDING_OK, "InnoDB", -1, NULL,
                     "every table");
}

/* What is kept of the server's variables. */
struct variables {
    bool wsrep;
    struct {
        char name[48];
        char value[48];
    } list[16];
    size_t count;
};

static void see_variable(const char *name, const char *value, void *arg)
{
    struct variables *seen = arg;

    if (strcmp(name, "wsrep_on") == 0)
        seen->wsrep = value != NULL && strcmp(value, "ON") == 0;
    if (seen->count == ARRAY_SIZE(seen->list))
        return;
    (void)snprintf(seen->list[seen->count].name,
                   sizeof(seen->list[seen->count].name), "%s", name);
    (void)snprintf(seen->list[seen->count].value,
                   sizeof(seen->list[seen->count].value), "%s",
                   value != NULL ? value : "");
    seen->count++;
}

static const char *variable(const struct variables *seen, const char *name)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (strcmp(seen->list[i].name, name) == 0)
            return seen->list[i].value;
    }
    return "unknown";
}

static void tell_cluster(struct doctor *doctor, const struct variables *seen)
{
    for (size_t i = 0; i < seen->count; i++) {
        bool bad = false;
        const char *advice = doctor_cluster_advice(seen->list[i].name,
                                                   seen->list[i].value, &bad);

        if (advice != NULL)
            findings_add(doctor->findings,
                         bad ? FINDING_ERROR : FINDING_WARNING, "Galera", -1,
                         advice, "%s is %s", seen->list[i].name,
                         seen->list[i].value);
    }
    findings_add(
        doctor->findings, FINDING_OK, "Galera", -1, NULL,
        "a cluster of %s; auto_increment_increment %s; "
        "wsrep_sync_wait is %s, and 1 for what a login or a write depends on",
        variable(seen, "wsrep_cluster_size"),
        variable(seen, "auto_increment_increment"),
        variable(seen, "wsrep_sync_wait"));
}

void doctor_cluster(struct doctor *doctor)
{
    struct variables seen = {.wsrep = false};
    const struct store_answer_visitor visitor = {see_variable, &seen};

    if (!ask(doctor, STORE_ASK_VARIABLES, "Galera", &visitor))
        return;
    if (!seen.wsrep &&
        strcmp(variable(&seen, "innodb_flush_log_at_trx_commit"), "0") == 0)
        findings_add(doctor->findings, FINDING_WARNING, "durability", -1,
                     "innodb_flush_log_at_trx_commit = 1 (or 2)",
                     "innodb_flush_log_at_trx_commit is 0: a crash loses the "
                     "last second");
    if (seen.wsrep)
        tell_cluster(doctor, &seen);
    else
        findings_add(doctor->findings, FINDING_SKIPPED, "Galera", -1, NULL,
                     "MariaDB %s is no cluster", variable(&seen, "version"));
}

/* ----------------------------------------------------- clock and counters --
 */

static void see_clock(const char *name, const char *value, void *arg)
{
    (void)name;
    *(int64_t *)arg = value != NULL ? strtoll(value, NULL, 10) : 0;
}

void doctor_clock(struct doctor *doctor)
{
    int64_t theirs = 0;
    const struct store_answer_visitor visitor = {see_clock, &theirs};
    int64_t apart;

    if (!ask(doctor, STORE_ASK_CLOCK, "clock", &visitor))
        return;
    apart = llabs(theirs - clock_wall_seconds());
    if (apart <= CLOCK_SECONDS)
        findings_add(doctor->findings, FINDING_OK, "clock", -1, NULL,
                     "the database's agrees with ours");
    else
        findings_add(doctor->findings, FINDING_WARNING, "clock", -1,
                     "run an NTP client on both hosts",
                     "the database's is %lld s from ours: app passwords and "
                     "aliases expire at another time",
                     (long long)apart);
}

/* Domains whose counters disagree with their rows; owned texts. */
struct wrong_counters {
    struct {
        char *name;
        char *text;
    } list[DOMAINS_MAX];
    size_t count;
    bool more;
};

static void see_counter(const char *name, const char *value, void *arg)
{
    struct wrong_counters *wrong = arg;
    size_t i = wrong->count;

    if (i == DOMAINS_MAX) {
        wrong->more = true;
        return;
    }
    wrong->list[i].name = strdup(name);
    wrong->list[i].text = strdup(value != NULL ? value : "");
    wrong->count++;
}

/* Counts one domain anew, if that is wanted; true: it agrees now. */
static bool mend(struct doctor *doctor, const char *name, const char *text)
{
    struct errtext err = {{0}};
    enum status status;

    if (doctor->fix == NULL ||
        !tool_confirm(doctor->tool, "Count %s anew (%s)?", name, text))
        return false;
    status = store_domain_recount(doctor->tool->store, name, doctor->tool->who,
                                  tool_deadline(doctor->tool), &err);
    if (status == STATUS_OK)
        findings_add(doctor->findings, FINDING_OK, "counters", -1, NULL,
                     "%s was counted anew: %s", name, text);
    else
        findings_add(doctor->findings, FINDING_ERROR, "counters", -1,
                     "try it again", "%s was not counted: %s", name, err.text);
    return true;
}

void doctor_counters(struct doctor *doctor)
{
    static const char advice[] = "provostctl doctor --fix counters";
    struct wrong_counters wrong = {.count = 0};
    const struct store_answer_visitor visitor = {see_counter, &wrong};

    if (ask(doctor, STORE_ASK_COUNTERS, "counters", &visitor) &&
        wrong.count == 0)
        findings_add(doctor->findings, FINDING_OK, "counters", -1, NULL,
                     "agree with the rows");
    for (size_t i = 0; i < wrong.count; i++) {
        const char *name = wrong.list[i].name;
        const char *text = wrong.list[i].text;

        if (name != NULL && text != NULL && !mend(doctor, name, text))
            findings_add(doctor->findings, FINDING_ERROR, "counters", -1,
                         advice, "%s: %s", name, text);
        free(wrong.list[i].name);
        free(wrong.list[i].text);
    }
    if (wrong.more)
        findings_add(doctor->findings, FINDING_ERROR, "counters", -1,
                     "mend these, and look again",
                     "there are more than %d such domains", DOMAINS_MAX);
}
