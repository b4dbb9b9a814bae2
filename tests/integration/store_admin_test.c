/* store_admin_test - domains, events, logins, app passwords, versions */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_apply_test.h"

#include "clock.h"
#include "store_domain.h"
#include "store_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    int count;
    int stop_at; /* 0: never */
    char last[300];
    bool in_order;
};

static bool see(const struct store_domain *domain, void *arg)
{
    struct walk *walk = arg;

    walk->in_order = walk->in_order && strcmp(walk->last, domain->name) < 0;
    (void)snprintf(walk->last, sizeof(walk->last), "%s", domain->name);
    walk->count++;
    return walk->count != walk->stop_at;
}

static struct walk walk_domains(struct lab *lab, int stop_at)
{
    struct walk walk = {.stop_at = stop_at, .in_order = true};
    struct store_domain_visitor visitor = {.visit = see, .arg = &walk};
    struct errtext err = {{0}};

    if (store_domain_list(lab->store, &visitor, in_ms(5000), &err) != STATUS_OK)
        check(false, "domains can be listed", &err);
    return walk;
}

void test_domains(struct lab *lab)
{
    struct store_domain domain = {0};
    struct errtext err = {{0}};
    int before = (int)lab_count(lab, "SELECT COUNT(*) FROM domain");
    struct walk walk;

    for (int i = 0; i < 230; i++) {
        char name[64];

        (void)snprintf(name, sizeof(name), "list%03d.example", i);
        make_domain(lab, name, 0, 0, 0);
    }
    walk = walk_domains(lab, 0);
    check(walk.count == before + 230 && walk.in_order,
          "a list of several pages has each domain once, in order", NULL);
    walk = walk_domains(lab, 150);
    check(walk.count == 150, "whoever has seen enough ends the list", NULL);
    domain = read_domain(lab, "list000.example");
    domain.max_mailboxes = 7;
    domain.max_quota_bytes = 99;
    check(store_domain_edit(lab->store, &domain, STORE_DOMAIN_MAX_MAILBOXES,
                            "admin:test", in_ms(5000), &err) == STATUS_OK,
          "one limit is changed", &err);
    store_domain_clear(&domain);
    domain = read_domain(lab, "list000.example");
    check(domain.max_mailboxes == 7 && domain.max_quota_bytes == 0,
          "and no other", NULL);
    check(store_domain_add(lab->store, &domain, "admin:test", in_ms(5000),
                           &err) == STATUS_DENIED,
          "a domain is not added twice", &err);
    check(lab_count(lab, "SELECT COUNT(*) FROM event WHERE kind = "
                         "'domain_edit' AND domain = 'list000.example' AND "
                         "JSON_VALUE(before_json, '$.max_mailboxes') = "
                         "'unlimited' AND JSON_VALUE(after_json, "
                         "'$.max_mailboxes') = '7'") == 1,
          "the event tells before and after", NULL);
    check(store_domain_remove(lab->store, "list000.example", "admin:test",
                              in_ms(5000), &err) == STATUS_OK &&
              store_domain_remove(lab->store, "list000.example", "admin:test",
                                  in_ms(5000), &err) == STATUS_NOT_FOUND,
          "a domain is removed once", &err);
    check(store_domain_edit(lab->store, &domain, STORE_DOMAIN_QUOTA,
                            "admin:test", in_ms(5000),
                            &err) == STATUS_NOT_FOUND,
          "what is not there is not changed", &err);
    store_domain_clear(&domain);
}

static enum status write_event(struct lab *lab, const char *reason,
                               unsigned once)
{
    struct store_event event = {.kind = "test",
                                .who = "admin:test",
                                .address = "a@event.example",
                                .reason = reason};
    struct errtext err = {{0}};

    return store_event_write(lab->store, &event, once, in_ms(5000), &err);
}

void test_events(struct lab *lab)
{
    static const char count[] =
        "SELECT COUNT(*) FROM event WHERE address = 'a@event.example'";

    check(write_event(lab, "one", 0) == STATUS_OK &&
              write_event(lab, "one", 0) == STATUS_OK &&
              lab_count(lab, count) == 2,
          "events are written as often as they are", NULL);
    check(write_event(lab, "one", 3600) == STATUS_OK &&
              write_event(lab, "two", 3600) == STATUS_OK &&
              write_event(lab, "two", 3600) == STATUS_OK &&
              lab_count(lab, count) == 3,
          "once in an hour counts what is there for the same reason", NULL);
    check(write_event(lab, NULL, 3600) == STATUS_OK &&
              write_event(lab, NULL, 3600) == STATUS_OK &&
              lab_count(lab, count) == 4,
          "no reason is a reason", NULL);
}

void test_logins(struct lab *lab)
{
    int64_t now = clock_wall_seconds();
    struct errtext err = {{0}};
    struct store_login logins[1200];
    struct store_app_password *list = NULL;
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(logins); i++)
        logins[i] = (struct store_login){
            .address = i % 2 == 0 ? "b@login.example" : "a@login.example",
            .service = ACCOUNT_IMAP,
            .client = "192.0.2.7",
            .at = now - (int64_t)i,
            .app_password = i == 0 ? 3 : 0,
        };
    check(store_logins_write(lab->store, logins, ARRAY_SIZE(logins),
                             in_ms(10000), &err) == STATUS_OK &&
              lab_count(lab, "SELECT COUNT(*) FROM last_login") == 2,
          "a long batch of logins", &err);
    check(lab_count(lab, "SELECT UNIX_TIMESTAMP(CONVERT_TZ(at, '+00:00', "
                         "@@session.time_zone)) FROM last_login WHERE address "
                         "= 'b@login.example' AND app_password = 3") ==
              (uint64_t)now,
          "an older login does not put a newer one back", NULL);
    check(store_logins_write(lab->store, NULL, 0, in_ms(1000), &err) ==
              STATUS_OK,
          "an empty batch is nothing", &err);
    (void)lab_sql(
        lab, "INSERT INTO app_password (address, hash, services, active, "
             "expires) VALUES ('a@login.example', 'good', 3, 1, NULL), "
             "('a@login.example', 'later', 1, 1, UTC_TIMESTAMP() + INTERVAL 1 "
             "HOUR), ('a@login.example', 'off', 3, 0, NULL), "
             "('a@login.example', 'expired', 3, 1, UTC_TIMESTAMP() - INTERVAL "
             "1 SECOND), ('b@login.example', 'other', 3, 1, NULL)");
    check(store_app_passwords(lab->store, "a@login.example", in_ms(5000), &list,
                              &count, &err) == STATUS_OK &&
              count == 2 && strcmp(list[0].hash, "later") == 0 &&
              list[1].services == 3,
          "app passwords that are active and not expired", &err);
    store_app_passwords_free(&list, count);
    check(store_app_passwords(lab->store, "c@login.example", in_ms(5000), &list,
                              &count, &err) == STATUS_OK &&
              count == 0 && list == NULL,
          "nobody has none", &err);
}

void test_versions(struct lab *lab)
{
    struct strbuf report = STRBUF_INIT(4096);
    struct errtext err = {{0}};

    (void)lab_sql(lab, "INSERT INTO schema_version VALUES (900, 1, "
                       "UTC_TIMESTAMP())");
    check(store_check_schema(lab->store, in_ms(5000), &err) == STATUS_OK &&
              store_migrate(lab->store, lab->schema, false, in_ms(5000),
                            &report, &err) == STATUS_OK,
          "a newer schema that old programs may use is used", &err);
    (void)lab_sql(lab, "UPDATE schema_version SET oldest_program = 900 WHERE "
                       "version = 900");
    check(store_check_schema(lab->store, in_ms(5000), &err) == STATUS_INVALID &&
              strstr(err.text, "upgrade") != NULL,
          "a schema that wants newer programs is refused", &err);
    check(store_migrate(lab->store, lab->schema, false, in_ms(5000), &report,
                        &err) == STATUS_INVALID,
          "and is not migrated", &err);
    (void)lab_sql(lab, "DELETE FROM schema_version WHERE version > 1");
    check(store_check_schema(lab->store, in_ms(5000), &err) == STATUS_INVALID &&
              strstr(err.text, "db migrate") != NULL,
          "an older schema is refused, with the command that helps", &err);
    check(store_migrate(lab->store, lab->schema, false, in_ms(20000), &report,
                        &err) == STATUS_OK &&
              store_check_schema(lab->store, in_ms(5000), &err) == STATUS_OK,
          "a migration that was cut short is finished", &err);
    check(store_migrate(lab->store, "/nonexistent", false, in_ms(5000), &report,
                        &err) == STATUS_INVALID,
          "a directory that is not there is named", &err);
    strbuf_clear(&report);
}
