/* store_test - the store against a real server, a part for each argument */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_test.h"

#include "store_apply_test.h"

#include "clock.h"
#include "store_domain.h"
#include "store_schema.h"

#include <inttypes.h>
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

void check(bool held, const char *sentence, const struct errtext *err)
{
    printf("%s - %s\n", held ? "ok" : "not ok", sentence);
    if (!held) {
        failures++;
        if (err != NULL)
            printf("#   %s\n", err->text);
    }
    (void)fflush(stdout);
}

int64_t in_ms(int64_t milliseconds)
{
    return clock_ms() + milliseconds;
}

void make_domain(struct lab *lab, const char *name, uint64_t max_mailboxes,
                 uint64_t quota_bytes, uint64_t max_quota_bytes)
{
    char text[256];
    struct errtext err = {{0}};
    struct store_domain domain = {
        .name = text,
        .name_unicode = text,
        .active = true,
        .max_mailboxes = max_mailboxes,
        .quota_bytes = quota_bytes,
        .max_quota_bytes = max_quota_bytes,
    };

    (void)snprintf(text, sizeof(text), "%s", name);
    if (store_domain_add(lab->store, &domain, "admin:test", in_ms(5000),
                         &err) != STATUS_OK)
        check(false, "a domain can be made", &err);
}

struct store_domain read_domain(struct lab *lab, const char *name)
{
    struct store_domain domain = {0};
    struct errtext err = {{0}};

    if (store_domain_find(lab->store, name, in_ms(5000), &domain, &err) !=
        STATUS_OK)
        check(false, "a domain can be read", &err);
    return domain;
}

/* Statements of the tests themselves go around the store. */
static MYSQL *test_connection(const struct lab *lab)
{
    MYSQL *mysql = mysql_init(NULL);

    if (mysql == NULL ||
        mysql_real_connect(mysql, NULL, lab->set.user, lab->set.password,
                           lab->set.database, 0, lab->set.socket, 0) == NULL)
        abort();
    return mysql;
}

/* Runs a statement; *number_r (may be NULL) gets its first column. */
static bool run_statement(const struct lab *lab, const char *text,
                          uint64_t *number_r)
{
    MYSQL *mysql = test_connection(lab);
    MYSQL_STMT *stmt = mysql_stmt_init(mysql);
    MYSQL_BIND bind = {
        .buffer_type = MYSQL_TYPE_LONGLONG,
        .buffer = number_r,
        .is_unsigned = 1,
    };
    bool done;

    if (stmt == NULL)
        abort();
    done = mysql_stmt_prepare(stmt, text, (unsigned long)strlen(text)) == 0 &&
           mysql_stmt_execute(stmt) == 0;
    if (done && number_r != NULL)
        done = mysql_stmt_bind_result(stmt, &bind) == 0 &&
               mysql_stmt_fetch(stmt) == 0;
    if (!done)
        printf("#   %s\n", mysql_stmt_error(stmt));
    (void)mysql_stmt_close(stmt);
    mysql_close(mysql);
    return done;
}

bool lab_sql(struct lab *lab, const char *text)
{
    return run_statement(lab, text, NULL);
}

uint64_t lab_count(struct lab *lab, const char *text)
{
    uint64_t number = 0;

    return run_statement(lab, text, &number) ? number : UINT64_MAX;
}

static void migrate(struct lab *lab)
{
    struct strbuf report = STRBUF_INIT(4096);
    struct errtext err = {{0}};
    enum status status;

    status = store_check_schema(lab->store, in_ms(5000), &err);
    check(status == STATUS_INVALID && strstr(err.text, "db migrate") != NULL,
          "an empty database is named as one without a schema", &err);
    status = store_migrate(lab->store, lab->schema, true, in_ms(20000), &report,
                           &err);
    check(status == STATUS_OK &&
              strstr(strbuf_text(&report), "001-tables.sql") != NULL,
          "the plan names the files", &err);
    status = store_check_schema(lab->store, in_ms(5000), &err);
    check(status == STATUS_INVALID, "the plan writes nothing", NULL);
    status = store_migrate(lab->store, lab->schema, false, in_ms(60000),
                           &report, &err);
    check(status == STATUS_OK, "the schema is made", &err);
    status = store_check_schema(lab->store, in_ms(5000), &err);
    check(status == STATUS_OK, "the schema is then right", &err);
    strbuf_truncate(&report, 0);
    status = store_migrate(lab->store, lab->schema, false, in_ms(60000),
                           &report, &err);
    check(status == STATUS_OK &&
              strstr(strbuf_text(&report), "nothing to do") != NULL,
          "a second migration does nothing", &err);
    strbuf_clear(&report);
}

static void find(struct lab *lab)
{
    struct store_found found = {0};
    struct errtext err = {{0}};
    struct account account = {0};

    make_domain(lab, "find.example", 10, 0, 0);
    check(store_find(lab->store, "a@unknown.example", in_ms(2000), &found,
                     &err) == STATUS_OK &&
              found.domain.name == NULL && found.account.address == NULL,
          "an unknown domain is an answer", &err);
    check(store_find(lab->store, "a@find.example", in_ms(2000), &found, &err) ==
                  STATUS_OK &&
              found.domain.name != NULL && found.domain.max_mailboxes == 10 &&
              found.account.address == NULL,
          "a domain without the mailbox is an answer", &err);
    store_found_clear(&found);
    check(store_find_id(lab->store, "corp", "id", in_ms(2000), &account,
                        &err) == STATUS_NOT_FOUND,
          "an unknown id is not found", &err);
}

/* One mailbox for the views, and what SQL is to make of it. */
static void make_person(struct lab *lab, const char *address, const char *alias,
                        const char *sql)
{
    struct plan plan = plan_create(address, address, GIB);
    struct apply_outcome outcome;

    if (alias != NULL)
        plan_alias(&plan, alias);
    outcome = carry_out(lab, &plan);
    check(outcome.kind == APPLY_DONE, "somebody for the views",
          &outcome.reason);
    if (sql != NULL && !lab_sql(lab, sql))
        check(false, "a row can be changed", NULL);
}

static void views(struct lab *lab)
{
    static char ascii[] = "xn--bcher-kva.example";
    static char unicode[] = "b\xc3\xbc"
                            "cher.example";
    struct store_domain domain = {
        .name = ascii, .name_unicode = unicode, .active = true};
    struct errtext err = {{0}};

    make_domain(lab, "views.example", 0, 0, 0);
    check(store_domain_add(lab->store, &domain, "admin:test", in_ms(5000),
                           &err) == STATUS_OK,
          "a domain with an umlaut", &err);
    check(store_alias_domain_add(lab->store, "alias-of-views.example",
                                 "alias-of-views.example", "views.example",
                                 "admin:test", in_ms(5000), &err) == STATUS_OK,
          "an alias domain", &err);
    check(store_domain_add(lab->store,
                           &(struct store_domain){
                               .name = (char[]){"alias-of-views.example"},
                           },
                           "admin:test", in_ms(5000), &err) == STATUS_DENIED,
          "an alias domain is no domain", &err);
    check(store_domain_remove(lab->store, "views.example", "admin:test",
                              in_ms(5000), &err) == STATUS_DENIED,
          "a domain with an alias domain stays", &err);
    make_person(lab, "anna@views.example", "a@views.example",
                "INSERT INTO alias (address, domain, local_part, targets, "
                "kind, expires) VALUES ('expired@views.example', "
                "'views.example', 'expired', 'anna@views.example', 'admin', "
                "'2020-01-01')");
    make_person(lab, "o'hara@views.example", NULL, NULL);
    make_person(lab, "j\xc3\xbcrgen@xn--bcher-kva.example", NULL,
                "INSERT INTO sender_acl (login, sender) VALUES "
                "('anna@views.example', '@xn--bcher-kva.example')");
    make_person(lab, "off@views.example", "off.alias@views.example",
                "UPDATE mailbox SET admin_state = 'block_all' WHERE address "
                "= 'off@views.example'");
    make_person(lab, "blocked@views.example", NULL,
                "UPDATE mailbox SET admin_state = 'block_login' WHERE address "
                "= 'blocked@views.example'");
    make_person(lab, "tls@views.example", "tls.alias@views.example",
                "UPDATE mailbox SET tls_enforce_in = 1, tls_enforce_out = 1 "
                "WHERE address = 'tls@views.example'");
    check(store_domain_remove(lab->store, "views.example", "admin:test",
                              in_ms(5000), &err) == STATUS_DENIED &&
              strstr(err.text, "5 mailboxes") != NULL,
          "a domain with mailboxes stays, and says why", &err);
}

static const struct {
    const char *name;
    void (*run)(struct lab *lab);
} parts[] = {
    {"migrate", migrate},
    {"find", find},
    {"create", test_create},
    {"limits", test_limits},
    {"update", test_update},
    {"aliases", test_aliases},
    {"rename", test_rename},
    {"names", test_names},
    {"views", views},
    {"cleartext", test_cleartext},
    {"hosts", test_hosts},
    {"tls", test_tls},
    {"domains", test_domains},
    {"events", test_events},
    {"history", test_history},
    {"logins", test_logins},
    {"versions", test_versions},
    {"lost_commit", test_lost_commit},
    {"race", test_race},
    {"deadlock", test_deadlock},
    {"busy", test_busy},
    {"hang", test_hang},
    {"outage", test_outage},
};

int main(int argc, char **argv)
{
    static char user[] = "provost";
    static char none[] = "";
    struct errtext err = {{0}};
    struct lab lab = {0};

    if (argc < 4) {
        (void)fprintf(stderr, "usage: store_test SOCKET SCHEMA PART...\n");
        return EXIT_FAILURE;
    }
    lab.set = (struct store_settings){
        .socket = argv[1],
        .user = user,
        .password = getenv("STORE_PASSWORD"),
        .database = user,
        .ca_file = none,
        .max_connections = 8,
        .timeout_ms = 8000,
    };
    lab.schema = argv[2];
    if (store_open(&lab.set, &lab.store, &err) != STATUS_OK)
        return EXIT_FAILURE;
    for (int i = 3; i < argc; i++) {
        for (size_t part = 0; part < ARRAY_SIZE(parts); part++) {
            if (strcmp(argv[i], parts[part].name) == 0)
                parts[part].run(&lab);
        }
    }
    store_close(&lab.store);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
