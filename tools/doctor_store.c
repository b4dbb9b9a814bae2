/* doctor_store - the database, as doctor sees it; see doctor.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include "clock.h"
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

    if (!doctor->has_store)
        return false;
    if (store_ask(doctor->tool->store, question, visitor,
                  tool_deadline(doctor->tool), &err) == STATUS_OK)
        return true;
    findings_add(doctor->findings, FINDING_WARNING, what, -1, NULL, "%s",
                 err.text);
    return false;
}

/* ----------------------------------------------------------------- rights --
 */

struct rights {
    struct strbuf wide;
    struct strbuf missing;
    unsigned have; /* a bit for each of needed */
    bool global;
};

static const char *const needed[] = {
    "SELECT", "INSERT", "UPDATE", "DELETE",      "CREATE",
    "ALTER",  "INDEX",  "DROP",   "CREATE VIEW", "SHOW VIEW",
};

static void add_wide(struct rights *rights, const char *name,
                     const char *suffix)
{
    strbuf_appendf(&rights->wide, "%s%s%s", rights->wide.len > 0 ? ", " : "",
                   name, suffix);
}

static void see_schema_right(const char *name, const char *value, void *arg)
{
    struct rights *rights = arg;

    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        if (strcmp(needed[i], name) == 0) {
            rights->have |= 1U << i;
            if (value != NULL && strcmp(value, "YES") == 0 &&
                strstr(strbuf_text(&rights->wide), "GRANT OPTION") == NULL)
                add_wide(rights, "GRANT OPTION", "");
            return;
        }
    }
    add_wide(rights, name, "");
}

static void see_global_right(const char *name, const char *value, void *arg)
{
    struct rights *rights = arg;

    (void)value;
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        if (strcmp(needed[i], name) == 0)
            rights->have |= 1U << i;
    }
    add_wide(rights, name, " on *.*");
    rights->global = true;
}

static void see_foreign_right(const char *name, const char *value, void *arg)
{
    struct rights *rights = arg;

    (void)value;
    if (strstr(strbuf_text(&rights->wide), name) == NULL)
        add_wide(rights, name, ".*");
}

void doctor_grants(struct doctor *doctor)
{
    struct rights rights = {.wide = STRBUF_INIT(4096),
                            .missing = STRBUF_INIT(1024)};
    const struct store_answer_visitor schema = {see_schema_right, &rights};
    const struct store_answer_visitor global = {see_global_right, &rights};
    const struct store_answer_visitor foreign = {see_foreign_right, &rights};

    if (!ask(doctor, STORE_ASK_SCHEMA_RIGHTS, "grants", &schema) ||
        !ask(doctor, STORE_ASK_GLOBAL_RIGHTS, "grants", &global) ||
        !ask(doctor, STORE_ASK_FOREIGN_RIGHTS, "grants", &foreign))
        goto out;
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        if ((rights.have & (1U << i)) == 0)
            strbuf_appendf(&rights.missing, "%s%s",
                           rights.missing.len > 0 ? ", " : "", needed[i]);
    }
    if (rights.missing.len > 0)
        findings_add(doctor->findings, FINDING_WARNING, "grants", -1,
                     "grant them while provostctl db migrate runs",
                     "the account lacks %s", strbuf_text(&rights.missing));
    if (rights.wide.len > 0)
        findings_add(doctor->findings, FINDING_WARNING, "grants", -1,
                     "revoke what README's step 4 does not grant",
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

    findings_add(doctor->findings, FINDING_ERROR, "InnoDB", -1,
                 "ALTER TABLE ... ENGINE=InnoDB",
                 "table %s is %s: a crash may leave half a mailbox", name,
                 value);
}

void doctor_engines(struct doctor *doctor)
{
    const struct store_answer_visitor visitor = {see_engine, doctor};
    unsigned before = findings_count(doctor->findings, FINDING_ERROR);

    if (ask(doctor, STORE_ASK_ENGINES, "InnoDB", &visitor) &&
        findings_count(doctor->findings, FINDING_ERROR) == before)
        findings_add(doctor->findings, FINDING_OK, "InnoDB", -1, NULL,
                     "every table");
}

struct variables {
    bool wsrep;
    char status[32];
    char ready[8];
    char lock_mode[8];
    char binlog[16];
    char size[16];
    char flush[8];
};

static void see_variable(const char *name, const char *value, void *arg)
{
    struct variables *seen = arg;
    const struct {
        const char *name;
        char *to;
        size_t size;
    } places[] = {
        {"wsrep_cluster_status", seen->status, sizeof(seen->status)},
        {"wsrep_ready", seen->ready, sizeof(seen->ready)},
        {"wsrep_cluster_size", seen->size, sizeof(seen->size)},
        {"innodb_autoinc_lock_mode", seen->lock_mode, sizeof(seen->lock_mode)},
        {"binlog_format", seen->binlog, sizeof(seen->binlog)},
        {"innodb_flush_log_at_trx_commit", seen->flush, sizeof(seen->flush)},
    };

    if (value == NULL)
        return;
    if (strcmp(name, "wsrep_on") == 0)
        seen->wsrep = strcmp(value, "ON") == 0;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        if (strcmp(places[i].name, name) == 0)
            (void)snprintf(places[i].to, places[i].size, "%s", value);
    }
}

static void tell_cluster(struct doctor *doctor, const struct variables *seen)
{
    if (strcmp(seen->status, "Primary") != 0 || strcmp(seen->ready, "ON") != 0)
        findings_add(doctor->findings, FINDING_ERROR, "Galera", -1,
                     "bring the other nodes back: this one has no quorum",
                     "cluster status %s, ready %s", seen->status, seen->ready);
    if (strcmp(seen->lock_mode, "2") != 0)
        findings_add(doctor->findings, FINDING_ERROR, "Galera", -1,
                     "innodb_autoinc_lock_mode = 2",
                     "innodb_autoinc_lock_mode is %s", seen->lock_mode);
    if (strcasecmp(seen->binlog, "ROW") != 0)
        findings_add(doctor->findings, FINDING_ERROR, "Galera", -1,
                     "binlog_format = ROW", "binlog_format is %s",
                     seen->binlog);
    findings_add(doctor->findings, FINDING_OK, "Galera", -1, NULL,
                 "a cluster of %s", seen->size);
}

void doctor_cluster(struct doctor *doctor)
{
    struct variables seen = {.wsrep = false};
    const struct store_answer_visitor visitor = {see_variable, &seen};

    if (!ask(doctor, STORE_ASK_VARIABLES, "Galera", &visitor))
        return;
    if (seen.flush[0] == '0' && !seen.wsrep)
        findings_add(doctor->findings, FINDING_WARNING, "durability", -1,
                     "innodb_flush_log_at_trx_commit = 1 (or 2)",
                     "innodb_flush_log_at_trx_commit is 0: a crash loses the "
                     "last second");
    if (seen.wsrep)
        tell_cluster(doctor, &seen);
    else
        findings_add(doctor->findings, FINDING_SKIPPED, "Galera", -1, NULL,
                     "no cluster");
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
                     "the database's is %lld s from ours", (long long)apart);
}

struct wrong_counters {
    struct doctor *doctor;
    char *names[DOMAINS_MAX];
    size_t count;
};

static void see_counter(const char *name, const char *value, void *arg)
{
    struct wrong_counters *wrong = arg;

    findings_add(wrong->doctor->findings,
                 wrong->doctor->fix != NULL ? FINDING_WARNING : FINDING_ERROR,
                 "counters", -1, "provostctl doctor --fix counters", "%s: %s",
                 name, value);
    if (wrong->count < DOMAINS_MAX)
        wrong->names[wrong->count] = strdup(name);
    if (wrong->count < DOMAINS_MAX && wrong->names[wrong->count] != NULL)
        wrong->count++;
}

static void mend(struct doctor *doctor, const char *name)
{
    struct errtext err = {{0}};

    if (!tool_confirm(doctor->tool, "Count %s anew?", name))
        return;
    if (store_domain_recount(doctor->tool->store, name, doctor->tool->who,
                             tool_deadline(doctor->tool), &err) == STATUS_OK)
        findings_add(doctor->findings, FINDING_OK, "counters", -1, NULL,
                     "%s was counted anew", name);
    else
        findings_add(doctor->findings, FINDING_ERROR, "counters", -1, NULL,
                     "%s: %s", name, err.text);
}

void doctor_counters(struct doctor *doctor)
{
    struct wrong_counters wrong = {.doctor = doctor};
    const struct store_answer_visitor visitor = {see_counter, &wrong};

    if (!ask(doctor, STORE_ASK_COUNTERS, "counters", &visitor))
        return;
    if (wrong.count == 0)
        findings_add(doctor->findings, FINDING_OK, "counters", -1, NULL,
                     "agree with the rows");
    for (size_t i = 0; i < wrong.count; i++) {
        if (doctor->fix != NULL)
            mend(doctor, wrong.names[i]);
        free(wrong.names[i]);
    }
}
