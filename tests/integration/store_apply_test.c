/* store_apply_test - see store_apply_test.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_apply_test.h"

#include "address.h"
#include "store_domain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
    char *own = strdup(text);

    if (own == NULL)
        abort();
    return own;
}

static void set(char **field, const char *text)
{
    free(*field);
    *field = copy(text);
}

struct plan plan_create(const char *address, const char *id,
                        uint64_t quota_bytes)
{
    struct plan plan = {.kind = PLAN_CREATE};
    struct account *target = &plan.target;

    target->address = copy(address);
    target->domain = copy(address_domain_of(address));
    target->source = ACCOUNT_LDAP;
    target->directory = copy("corp");
    target->directory_id = copy(id);
    target->name = copy("Anna");
    target->template_name = copy("default");
    target->fingerprint = copy("first");
    target->mail_path = copy("somewhere/");
    target->set.quota_bytes = quota_bytes;
    target->set.services = ACCOUNT_ALL_SERVICES;
    target->set.tags = copy("");
    target->aliases_known = true;
    return plan;
}

struct plan plan_for(struct lab *lab, const char *address, enum plan_kind kind)
{
    struct plan plan = {.kind = kind};
    struct store_found found = {0};
    struct errtext err = {{0}};

    if (store_find(lab->store, address, in_ms(5000), &found, &err) !=
            STATUS_OK ||
        found.account.address == NULL ||
        store_load_aliases(lab->store, &found.account, in_ms(5000), &err) !=
            STATUS_OK ||
        account_copy(&found.account, &plan.before, &err) != STATUS_OK ||
        account_copy(&found.account, &plan.target, &err) != STATUS_OK)
        check(false, "a mailbox can be read for a plan", &err);
    store_found_clear(&found);
    return plan;
}

static int compare_texts(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

void plan_alias(struct plan *plan, const char *alias)
{
    struct account *target = &plan->target;
    char **larger =
        realloc(target->aliases, (target->alias_count + 1) * sizeof(*larger));

    if (larger == NULL)
        abort();
    larger[target->alias_count++] = copy(alias);
    target->aliases = larger;
    qsort(larger, target->alias_count, sizeof(*larger), compare_texts);
    plan->changed |= ACCOUNT_SET_BIT(ACCOUNT_SET_ALIASES);
}

struct apply_outcome carry_out(struct lab *lab, struct plan *plan)
{
    struct apply_outcome outcome = {.kind = APPLY_CONFLICT};
    struct errtext err = {{0}};

    if (apply_plan(lab->store, plan, "authd", in_ms(8000), &outcome, &err) !=
        STATUS_OK)
        check(false, "a plan gets an answer", &err);
    plan_clear(plan);
    return outcome;
}

/* Carries a create out; says whether it was done. */
static bool create(struct lab *lab, const char *address, const char *id,
                   uint64_t quota_bytes)
{
    struct plan plan = plan_create(address, id, quota_bytes);

    return carry_out(lab, &plan).kind == APPLY_DONE;
}

/* Reads a mailbox; address NULL: none. */
static struct account read_mailbox(struct lab *lab, const char *address)
{
    struct store_found found = {0};
    struct errtext err = {{0}};

    if (store_find(lab->store, address, in_ms(5000), &found, &err) != STATUS_OK)
        check(false, "a mailbox can be read", &err);
    store_domain_clear(&found.domain);
    return found.account;
}

static bool exists(struct lab *lab, const char *address)
{
    struct account account = read_mailbox(lab, address);
    bool is_there = account.address != NULL;

    account_clear(&account);
    return is_there;
}

static bool has_counters(struct lab *lab, const char *name, uint64_t mailboxes,
                         uint64_t quota_bytes, uint64_t aliases)
{
    struct store_domain domain = read_domain(lab, name);
    bool same = domain.mailboxes_used == mailboxes &&
                domain.quota_allotted == quota_bytes &&
                domain.aliases_used == aliases;

    if (!same)
        printf("#   %s: %" PRIu64 " mailboxes, %" PRIu64 " bytes, %" PRIu64
               " aliases\n",
               name, domain.mailboxes_used, domain.quota_allotted,
               domain.aliases_used);
    store_domain_clear(&domain);
    return same;
}

void test_create(struct lab *lab)
{
    struct account account;
    struct plan plan;
    struct apply_outcome outcome;

    make_domain(lab, "create.example", 0, 0, 0);
    check(create(lab, "anna@create.example", "id-1", 5 * GIB),
          "a mailbox is made", NULL);
    account = read_mailbox(lab, "anna@create.example");
    check(account.address != NULL &&
              strcmp(account.directory_id, "id-1") == 0 &&
              account.source == ACCOUNT_LDAP &&
              account.set.quota_bytes == 5 * GIB &&
              account.set.services == ACCOUNT_ALL_SERVICES &&
              strcmp(account.mail_path, "somewhere/") == 0 &&
              strcmp(account.fingerprint, "first") == 0,
          "it is read as it was written", NULL);
    account_clear(&account);
    check(has_counters(lab, "create.example", 1, 5 * GIB, 0),
          "the domain's counters hold it", NULL);
    plan = plan_create("anna@create.example", "id-1", GIB);
    outcome = carry_out(lab, &plan);
    check(outcome.kind == APPLY_CONFLICT, "the same once more is a conflict",
          NULL);
    plan = plan_create("other@create.example", "id-1", GIB);
    outcome = carry_out(lab, &plan);
    check(outcome.kind == APPLY_CONFLICT,
          "the same person at another address is a conflict", NULL);
    check(has_counters(lab, "create.example", 1, 5 * GIB, 0),
          "a conflict leaves the counters alone", NULL);
}

/* Creates, and compares the limit that says no. */
static void check_limit(struct lab *lab, const char *address, uint64_t bytes,
                        enum apply_limit limit, const char *reason)
{
    struct plan plan = plan_create(address, address, bytes);
    struct apply_outcome outcome = carry_out(lab, &plan);
    char sentence[ERRTEXT_SIZE + 40];

    (void)snprintf(sentence, sizeof(sentence), "refused: %s", reason);
    check(outcome.kind == APPLY_LIMIT && outcome.limit == limit &&
              strcmp(outcome.reason.text, reason) == 0,
          sentence, &outcome.reason);
    check(!exists(lab, address), "and nothing is written", NULL);
}

void test_limits(struct lab *lab)
{
    struct store_domain domain = {0};
    struct errtext err = {{0}};

    make_domain(lab, "limits.example", 2, 10 * GIB, 6 * GIB);
    check(create(lab, "a@limits.example", "l-1", 6 * GIB),
          "a mailbox at max_quota fits", NULL);
    check_limit(lab, "b@limits.example", 7 * GIB, LIMIT_MAX_QUOTA,
                "7G is over max_quota 6G of one mailbox in limits.example");
    check_limit(lab, "b@limits.example", 5 * GIB, LIMIT_DOMAIN_QUOTA,
                "quota: 5G wanted, 4G of 10G left in limits.example");
    check_limit(lab, "b@limits.example", 0, LIMIT_UNLIMITED,
                "unlimited mailbox in a limited domain: limits.example has "
                "quota 10G, max_quota 6G");
    check(create(lab, "b@limits.example", "l-2", 4 * GIB),
          "the last bytes of the domain can be had", NULL);
    check_limit(lab, "c@limits.example", GIB, LIMIT_MAX_MAILBOXES,
                "domain limits.example is full: 2 of 2 mailboxes");
    check_limit(lab, "c@nowhere.example", GIB, LIMIT_DOMAIN_UNKNOWN,
                "nowhere.example is no domain of this store");
    check(has_counters(lab, "limits.example", 2, 10 * GIB, 0),
          "the counters are what was let in", NULL);
    domain = read_domain(lab, "limits.example");
    domain.active = false;
    check(store_domain_edit(lab->store, &domain, STORE_DOMAIN_ACTIVE,
                            "admin:test", in_ms(5000), &err) == STATUS_OK,
          "a domain can be made inactive", &err);
    store_domain_clear(&domain);
    check_limit(lab, "c@limits.example", GIB, LIMIT_DOMAIN_INACTIVE,
                "domain limits.example is not active");
}

/* Changes the quota of a mailbox to bytes. */
static struct apply_outcome change_quota(struct lab *lab, const char *address,
                                         uint64_t bytes)
{
    struct plan plan = plan_for(lab, address, PLAN_UPDATE);

    plan.target.set.quota_bytes = bytes;
    plan.changed = ACCOUNT_SET_BIT(ACCOUNT_SET_QUOTA);
    set(&plan.target.fingerprint, "second");
    return carry_out(lab, &plan);
}

static void update_within_limits(struct lab *lab)
{
    struct apply_outcome outcome;

    make_domain(lab, "update.example", 0, 10 * GIB, 8 * GIB);
    check(create(lab, "a@update.example", "u-1", 5 * GIB) &&
              create(lab, "b@update.example", "u-2", 2 * GIB),
          "two mailboxes of 5G and 2G in 10G", NULL);
    outcome = change_quota(lab, "a@update.example", 8 * GIB);
    check(outcome.kind == APPLY_DONE &&
              has_counters(lab, "update.example", 2, 10 * GIB, 0),
          "one grows to what is left", &outcome.reason);
    outcome = change_quota(lab, "b@update.example", 3 * GIB);
    check(outcome.kind == APPLY_LIMIT && outcome.limit == LIMIT_DOMAIN_QUOTA &&
              strcmp(outcome.reason.text,
                     "quota: 1G wanted, 0 of 10G left in update.example") == 0,
          "the other cannot grow then", &outcome.reason);
    outcome = change_quota(lab, "a@update.example", 9 * GIB);
    check(outcome.kind == APPLY_LIMIT && outcome.limit == LIMIT_MAX_QUOTA,
          "max_quota holds for an update", &outcome.reason);
    outcome = change_quota(lab, "a@update.example", 0);
    check(outcome.kind == APPLY_LIMIT && outcome.limit == LIMIT_UNLIMITED,
          "unlimited is refused to an update", &outcome.reason);
    outcome = change_quota(lab, "a@update.example", GIB);
    check(outcome.kind == APPLY_DONE &&
              has_counters(lab, "update.example", 2, 3 * GIB, 0),
          "to shrink is allowed", &outcome.reason);
}

static void shrinks_over_the_limit(struct lab *lab)
{
    struct store_domain domain = read_domain(lab, "update.example");
    struct errtext err = {{0}};
    struct apply_outcome outcome;

    domain.quota_bytes = GIB;
    check(store_domain_edit(lab->store, &domain, STORE_DOMAIN_QUOTA,
                            "admin:test", in_ms(5000), &err) == STATUS_OK,
          "a domain's quota can be set below what is allotted", &err);
    store_domain_clear(&domain);
    outcome = change_quota(lab, "b@update.example", GIB);
    check(outcome.kind == APPLY_DONE &&
              has_counters(lab, "update.example", 2, 2 * GIB, 0),
          "to shrink is allowed even then", &outcome.reason);
}

static void obeys_later_pins(struct lab *lab)
{
    struct plan plan = plan_for(lab, "a@update.example", PLAN_UPDATE);
    struct account account;
    struct apply_outcome outcome;

    plan.target.set.message_size_bytes = 77;
    set(&plan.target.name, "Anna Maria");
    set(&plan.target.fingerprint, "third");
    plan.changed = ACCOUNT_SET_BIT(ACCOUNT_SET_MESSAGE_SIZE) |
                   ACCOUNT_SET_BIT(ACCOUNT_SET_NAME);
    check(lab_sql(lab, "UPDATE mailbox SET pinned = 4, admin_state = "
                       "'block_login' WHERE address = 'a@update.example'"),
          "an administrator pins message_size and blocks meanwhile", NULL);
    outcome = carry_out(lab, &plan);
    account = read_mailbox(lab, "a@update.example");
    check(outcome.kind == APPLY_DONE && account.set.message_size_bytes == 0 &&
              strcmp(account.name, "Anna Maria") == 0 &&
              strcmp(account.fingerprint, "third") == 0,
          "the pinned setting is left alone, the other is written", NULL);
    check(account.admin_state == ACCOUNT_BLOCK_LOGIN && account.pinned == 4,
          "so is the block", NULL);
    account_clear(&account);
}

static void refuses_stale_plans(struct lab *lab)
{
    struct plan plan = plan_for(lab, "b@update.example", PLAN_UPDATE);
    struct apply_outcome outcome;
    struct account account;

    set(&plan.target.name, "Stale");
    plan.changed = ACCOUNT_SET_BIT(ACCOUNT_SET_NAME);
    outcome = change_quota(lab, "b@update.example", GIB / 2);
    check(outcome.kind == APPLY_DONE, "another login updates meanwhile", NULL);
    set(&plan.before.fingerprint, "older");
    outcome = carry_out(lab, &plan);
    account = read_mailbox(lab, "b@update.example");
    check(outcome.kind == APPLY_CONFLICT && strcmp(account.name, "Anna") == 0,
          "the older plan is a conflict and writes nothing", NULL);
    account_clear(&account);
}

static void changes_the_state(struct lab *lab)
{
    struct plan plan = plan_for(lab, "b@update.example", PLAN_DEACTIVATE);
    struct account account;
    struct apply_outcome outcome;

    plan.target.directory_state = ACCOUNT_DISABLED;
    outcome = carry_out(lab, &plan);
    account = read_mailbox(lab, "b@update.example");
    check(outcome.kind == APPLY_DONE &&
              account.directory_state == ACCOUNT_DISABLED,
          "a person is disabled", NULL);
    account_clear(&account);
    plan = plan_for(lab, "b@update.example", PLAN_REACTIVATE);
    plan.target.directory_state = ACCOUNT_PRESENT;
    outcome = carry_out(lab, &plan);
    account = read_mailbox(lab, "b@update.example");
    check(outcome.kind == APPLY_DONE &&
              account.directory_state == ACCOUNT_PRESENT,
          "and let in again", NULL);
    account_clear(&account);
}

static void adopts(struct lab *lab)
{
    struct plan plan;
    struct plan second;
    struct account account = {0};
    struct errtext err = {{0}};
    struct apply_outcome outcome;

    check(lab_sql(lab, "UPDATE mailbox SET directory_id = NULL "
                       "WHERE address = 'b@update.example'"),
          "a mailbox has no id yet", NULL);
    plan = plan_for(lab, "b@update.example", PLAN_ADOPT);
    second = plan_for(lab, "b@update.example", PLAN_ADOPT);
    plan.target.directory_id = copy("u-3");
    second.target.directory_id = copy("u-4");
    outcome = carry_out(lab, &plan);
    check(outcome.kind == APPLY_DONE &&
              store_find_id(lab->store, "corp", "u-3", in_ms(5000), &account,
                            &err) == STATUS_OK &&
              strcmp(account.address, "b@update.example") == 0,
          "it adopts one, and is found by it", &err);
    account_clear(&account);
    outcome = carry_out(lab, &second);
    check(outcome.kind == APPLY_CONFLICT, "a second id is a conflict", NULL);
}

static void switches_the_source(struct lab *lab)
{
    static const char address[] = "b@update.example";
    struct account account;
    struct errtext err = {{0}};

    (void)lab_sql(lab, "UPDATE mailbox SET password = '{PLAIN}x' WHERE "
                       "address = 'b@update.example'");
    check(store_mailbox_source(lab->store, address, ACCOUNT_LOCAL, NULL,
                               "admin:test", in_ms(5000), &err) == STATUS_OK,
          "a mailbox becomes local", &err);
    account = read_mailbox(lab, address);
    check(account.source == ACCOUNT_LOCAL &&
              strcmp(account.directory_id, "u-3") == 0,
          "and keeps its id for the way back", NULL);
    account_clear(&account);
    check(store_mailbox_source(lab->store, address, ACCOUNT_LDAP, "corp",
                               "admin:test", in_ms(5000), &err) == STATUS_OK,
          "a mailbox goes back to the directory", &err);
    account = read_mailbox(lab, address);
    check(account.source == ACCOUNT_LDAP &&
              strcmp(account.directory_id, "u-3") == 0 &&
              strcmp(account.password, "{PLAIN}x") == 0,
          "its id and its hash survived", NULL);
    account_clear(&account);
    check(store_mailbox_source(lab->store, address, ACCOUNT_LDAP, "other",
                               "admin:test", in_ms(5000), &err) == STATUS_OK,
          "a mailbox goes to another directory", &err);
    account = read_mailbox(lab, address);
    check(account.directory_id == NULL &&
              strcmp(account.directory, "other") == 0,
          "where its id is worth nothing", NULL);
    account_clear(&account);
    check(store_mailbox_source(lab->store, "no@update.example", ACCOUNT_LOCAL,
                               NULL, "admin:test", in_ms(5000),
                               &err) == STATUS_NOT_FOUND,
          "a mailbox that is not there is not found", &err);
}

void test_update(struct lab *lab)
{
    update_within_limits(lab);
    shrinks_over_the_limit(lab);
    obeys_later_pins(lab);
    refuses_stale_plans(lab);
    changes_the_state(lab);
    adopts(lab);
    switches_the_source(lab);
}

void test_aliases(struct lab *lab)
{
    struct store_domain limits = {0};
    struct errtext err = {{0}};
    struct apply_outcome outcome;
    struct plan plan;

    make_domain(lab, "alias.example", 0, 0, 0);
    limits = read_domain(lab, "alias.example");
    limits.max_aliases = 3;
    check(store_domain_edit(lab->store, &limits, STORE_DOMAIN_MAX_ALIASES,
                            "admin:test", in_ms(5000), &err) == STATUS_OK,
          "a domain gets three aliases", &err);
    store_domain_clear(&limits);
    plan = plan_create("a@alias.example", "al-1", GIB);
    plan_alias(&plan, "a.one@alias.example");
    plan_alias(&plan, "a.two@alias.example");
    plan_alias(&plan, "private@elsewhere.example");
    outcome = carry_out(lab, &plan);
    check(outcome.kind == APPLY_DONE &&
              has_counters(lab, "alias.example", 1, GIB, 2),
          "a create brings aliases; one of a strange domain is left out",
          &outcome.reason);
    plan = plan_create("a.one@alias.example", "al-2", GIB);
    outcome = carry_out(lab, &plan);
    check(outcome.kind == APPLY_LIMIT && outcome.limit == LIMIT_ADDRESS_TAKEN &&
              strcmp(outcome.reason.text, "a.one@alias.example is an alias of "
                                          "a@alias.example") == 0,
          "an address that is an alias is no mailbox", &outcome.reason);
    plan = plan_create("b@alias.example", "al-3", GIB);
    plan_alias(&plan, "a@alias.example");
    outcome = carry_out(lab, &plan);
    check(outcome.kind == APPLY_LIMIT && outcome.limit == LIMIT_ALIAS_TAKEN &&
              !exists(lab, "b@alias.example"),
          "somebody's mailbox is no alias", &outcome.reason);
    plan = plan_create("b@alias.example", "al-3", GIB);
    plan_alias(&plan, "b.one@alias.example");
    plan_alias(&plan, "b.two@alias.example");
    outcome = carry_out(lab, &plan);
    check(outcome.kind == APPLY_LIMIT && outcome.limit == LIMIT_MAX_ALIASES &&
              strcmp(outcome.reason.text,
                     "aliases: 2 wanted, 1 of 3 left in alias.example") == 0,
          "max_aliases holds for a create", &outcome.reason);
    plan = plan_for(lab, "a@alias.example", PLAN_UPDATE);
    check(plan.target.alias_count == 2, "aliases are read back", NULL);
    set(&plan.target.aliases[1], "a.zzz@alias.example");
    plan.changed = ACCOUNT_SET_BIT(ACCOUNT_SET_ALIASES);
    outcome = carry_out(lab, &plan);
    plan = plan_for(lab, "a@alias.example", PLAN_UPDATE);
    check(outcome.kind == APPLY_DONE && plan.before.alias_count == 2 &&
              strcmp(plan.before.aliases[1], "a.zzz@alias.example") == 0 &&
              has_counters(lab, "alias.example", 1, GIB, 2),
          "an alias is exchanged for another", &outcome.reason);
    plan_alias(&plan, "a.1@alias.example");
    plan_alias(&plan, "a.2@alias.example");
    plan.target.set.message_size_bytes = 5;
    plan.changed |= ACCOUNT_SET_BIT(ACCOUNT_SET_MESSAGE_SIZE);
    outcome = carry_out(lab, &plan);
    plan = plan_for(lab, "a@alias.example", PLAN_UPDATE);
    check(outcome.kind == APPLY_LIMIT && outcome.limit == LIMIT_MAX_ALIASES &&
              plan.before.set.message_size_bytes == 0 &&
              plan.before.alias_count == 2,
          "an update over max_aliases changes nothing at all", &outcome.reason);
    plan_clear(&plan);
}

void test_rename(struct lab *lab)
{
    struct apply_outcome outcome;
    struct account account;
    struct plan plan;

    make_domain(lab, "old.example", 0, 0, 0);
    make_domain(lab, "new.example", 1, 10 * GIB, 0);
    plan = plan_create("maria@old.example", "r-1", 5 * GIB);
    plan_alias(&plan, "m@old.example");
    outcome = carry_out(lab, &plan);
    check(outcome.kind == APPLY_DONE, "somebody is there", NULL);
    (void)lab_sql(lab, "INSERT INTO quota2 (username, bytes) VALUES "
                       "('maria@old.example', 4711)");
    (void)lab_sql(lab, "INSERT INTO app_password (address, hash, services) "
                       "VALUES ('maria@old.example', 'h', 15)");
    (void)lab_sql(lab, "INSERT INTO sender_acl (login, sender) VALUES "
                       "('maria@old.example', '@old.example')");
    (void)lab_sql(lab, "INSERT INTO alias (address, domain, local_part, "
                       "targets, kind) VALUES ('team@old.example', "
                       "'old.example', 'team', "
                       "'x@old.example,maria@old.example', 'admin')");
    plan = plan_for(lab, "maria@old.example", PLAN_RENAME);
    set(&plan.target.address, "maria@new.example");
    set(&plan.target.domain, "new.example");
    plan.old_address = copy("maria@old.example");
    outcome = carry_out(lab, &plan);
    account = read_mailbox(lab, "maria@new.example");
    check(outcome.kind == APPLY_DONE && account.address != NULL &&
              strcmp(account.mail_path, "somewhere/") == 0 &&
              !exists(lab, "maria@old.example"),
          "a rename moves the mailbox, its mail stays", &outcome.reason);
    account_clear(&account);
    check(has_counters(lab, "old.example", 0, 0, 1) &&
              has_counters(lab, "new.example", 1, 5 * GIB, 0),
          "both domains count it right", NULL);
    check(lab_count(lab, "SELECT COUNT(*) FROM alias WHERE owner = "
                         "'maria@new.example' AND targets = "
                         "'maria@new.example'") == 3,
          "old name, new name and alias lead to the new one", NULL);
    check(lab_count(lab, "SELECT COUNT(*) FROM alias WHERE address = "
                         "'team@old.example' AND targets = "
                         "'x@old.example,maria@new.example'") == 1,
          "lists that name the mailbox follow", NULL);
    check(lab_count(lab, "SELECT (SELECT COUNT(*) FROM quota2 WHERE username "
                         "= 'maria@new.example' AND bytes = 4711 AND domain = "
                         "'new.example') + (SELECT COUNT(*) FROM app_password "
                         "WHERE address = 'maria@new.example') + (SELECT "
                         "COUNT(*) FROM sender_acl WHERE login = "
                         "'maria@new.example')") == 3,
          "quota, app passwords and sender rights follow", NULL);
    plan = plan_create("maria@old.example", "r-2", GIB);
    outcome = carry_out(lab, &plan);
    check(outcome.kind == APPLY_LIMIT && outcome.limit == LIMIT_ADDRESS_TAKEN,
          "a new person does not get the old name", &outcome.reason);
    plan = plan_for(lab, "maria@new.example", PLAN_RENAME);
    set(&plan.target.address, "maria@old.example");
    set(&plan.target.domain, "old.example");
    plan.old_address = copy("maria@new.example");
    outcome = carry_out(lab, &plan);
    check(outcome.kind == APPLY_DONE && exists(lab, "maria@old.example") &&
              has_counters(lab, "new.example", 0, 0, 0) &&
              lab_count(lab, "SELECT COUNT(*) FROM alias WHERE owner = "
                             "'maria@old.example'") == 3,
          "she can go back", &outcome.reason);
}

void test_names(struct lab *lab)
{
    static const char *const names[] = {
        "o'hara@names.example",        "back\\slash@names.example",
        "\"quoted\"@names.example",    "%_;--@names.example",
        "m\xc3\xbcller@names.example", "\xf0\x9f\x93\xa7@names.example",
    };
    char longest[ADDRESS_BYTES_MAX + 1];
    char domain[ADDRESS_DOMAIN_BYTES_MAX + 1];
    struct account account;
    struct plan plan;

    make_domain(lab, "names.example", 0, 0, 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        plan = plan_create(names[i], names[i], GIB);
        set(&plan.target.name, "a \"name\" with \\ ' and \xc3\xa9\t\x01");
        (void)carry_out(lab, &plan);
        account = read_mailbox(lab, names[i]);
        check(account.address != NULL && strcmp(account.address, names[i]) == 0,
              names[i], NULL);
        check(account.name != NULL &&
                  strcmp(account.name,
                         "a \"name\" with \\ ' and \xc3\xa9\t\x01") == 0,
              "with any name", NULL);
        account_clear(&account);
    }
    for (size_t i = 0; i < sizeof(domain) - 1; i++)
        domain[i] = i % 64 == 63 ? '.' : 'd';
    domain[sizeof(domain) - 1] = '\0';
    memset(longest, 'l', ADDRESS_LOCAL_BYTES_MAX);
    (void)snprintf(longest + ADDRESS_LOCAL_BYTES_MAX,
                   sizeof(longest) - ADDRESS_LOCAL_BYTES_MAX, "@%s", domain);
    make_domain(lab, domain, 0, 0, 0);
    check(create(lab, longest, "long", GIB) && exists(lab, longest),
          "the longest address", NULL);
    check(lab_count(lab, "SELECT COUNT(*) FROM event WHERE after_json IS NOT "
                         "NULL AND NOT JSON_VALID(after_json)") == 0,
          "every event is JSON", NULL);
}
