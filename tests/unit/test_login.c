/* test_login - one attempt, with every answer a neighbour can give */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "login_scene.h"

#include "clock.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static char anna[] = ANNA;
static char id_other[] = "id-other";
static char anna_second[] = "a.anna@example.org";
static char anna_other[] = "anna@other.org";
static char hash_right[] = "{PLAIN}right";
static char hash_strange[] = "{STRANGE}x";
static char *usernames_two[] = {anna, anna_second};
static char *usernames_foreign[] = {anna_other};

/* What is different from a quiet day. */
enum twist {
    NO_TWIST,
    FIRST_LOGIN,
    STORE_DOWN,
    DIRECTORY_DOWN,
    BIND_NO_ANSWER,
    APPLY_NO_ANSWER,
    NOBODY,
    SEVERAL,
    UNUSABLE,
    BAD_PASSWORD,
    LOCKED,
    EXPIRED,
    DOMAIN_UNKNOWN,
    DOMAIN_INACTIVE,
    LIMIT_MET,
    LIMIT_REFUSES,
    LIMIT_AT_UPDATE,
    NOTHING_MAPS,
    PROVISIONING_OFF,
    FOREIGN_ADDRESS,
    OTHER_PERSON,
    LOCAL_RIGHT,
    LOCAL_WRONG,
    LOCAL_NO_HASH,
    LOCAL_STRANGE_HASH,
    LOCAL_WITH_DIRECTORY_DOWN,
    BLOCKED,
    SMTP_OFF,
    SMTP_OFF_FIRST_LOGIN,
    DISABLED_ENTRY,
    GONE_DIRECTORY,
    ALWAYS_CONFLICT,
    MOVED,
    DOUBTED_SEVERAL,
    DOUBTED_DOWN,
    TWO_ADDRESSES,
    CONFLICT_ONCE
};

static void twist_directory(enum twist twist)
{
    struct fake_world *world = &fake_world;

    if (twist == DIRECTORY_DOWN || twist == LOCAL_WITH_DIRECTORY_DOWN)
        world->find[0] = STATUS_TEMPFAIL;
    if (twist == NOBODY)
        world->find[0] = STATUS_NOT_FOUND;
    if (twist == SEVERAL)
        world->find[0] = STATUS_DENIED;
    if (twist == UNUSABLE)
        world->find[0] = STATUS_INVALID;
    if (twist == BIND_NO_ANSWER || twist == BAD_PASSWORD || twist == LOCKED ||
        twist == EXPIRED) {
        world->right_password = NULL;
        world->verify =
            twist == BIND_NO_ANSWER ? STATUS_TEMPFAIL : STATUS_DENIED;
    }
    if (twist == BAD_PASSWORD)
        world->reason = DIRECTORY_BAD_PASSWORD;
    if (twist == LOCKED)
        world->reason = DIRECTORY_ACCOUNT_LOCKED;
    if (twist == EXPIRED)
        world->reason = DIRECTORY_PASSWORD_EXPIRED;
    if (twist == FOREIGN_ADDRESS)
        world->entry.usernames.items = usernames_foreign;
    if (twist == OTHER_PERSON)
        world->entry.id = id_other;
    if (twist == DISABLED_ENTRY)
        world->entry.disabled = true;
    if (twist == NOTHING_MAPS)
        world->entry.values.count = 0;
    if (twist == TWO_ADDRESSES)
        world->entry.usernames = (struct text_list){usernames_two, 2};
    if (twist == DOUBTED_SEVERAL || twist == DOUBTED_DOWN) {
        world->remembered = true;
        world->find_again =
            twist == DOUBTED_DOWN ? STATUS_TEMPFAIL : STATUS_DENIED;
    }
    if (twist == MOVED) {
        world->remembered = true;
        world->moved_dn = "uid=ANNA,ou=elsewhere,dc=example,dc=org";
    }
}

static void twist_mailbox(enum twist twist)
{
    struct account *mailbox = &fake_world.mailbox;

    if (twist == LOCAL_RIGHT || twist == LOCAL_WRONG ||
        twist == LOCAL_NO_HASH || twist == LOCAL_STRANGE_HASH ||
        twist == LOCAL_WITH_DIRECTORY_DOWN) {
        mailbox->source = ACCOUNT_LOCAL;
        if (twist == LOCAL_STRANGE_HASH)
            mailbox->password = strdup(hash_strange);
        else if (twist != LOCAL_NO_HASH)
            mailbox->password = strdup(hash_right);
    }
    if (twist == BLOCKED)
        mailbox->admin_state = ACCOUNT_BLOCK_LOGIN;
    if (twist == GONE_DIRECTORY) {
        free(mailbox->directory);
        mailbox->directory = strdup("gone");
    }
}

static void twist_store(struct scene *scene, enum twist twist)
{
    struct fake_world *world = &fake_world;

    world->store_down = twist == STORE_DOWN;
    world->domain_unknown = twist == DOMAIN_UNKNOWN;
    world->domain_inactive = twist == DOMAIN_INACTIVE;
    if (twist == APPLY_NO_ANSWER)
        world->apply = STATUS_TEMPFAIL;
    if (twist == LIMIT_MET || twist == LIMIT_REFUSES ||
        twist == LIMIT_AT_UPDATE) {
        world->outcome.kind = APPLY_LIMIT;
        world->outcome.limit = LIMIT_MAX_MAILBOXES;
        errtext_set(&world->outcome.reason, "50 of 50 mailboxes");
    }
    if (twist == LIMIT_REFUSES)
        scene->settings.auth.on_provisioning_refused = REFUSED_REFUSE;
    if (twist == LIMIT_AT_UPDATE)
        scene->templates[0].set.quota_bytes = 1;
    if (twist == PROVISIONING_OFF)
        scene->directories[0].login_provisioning = false;
    if (twist == SMTP_OFF || twist == SMTP_OFF_FIRST_LOGIN)
        scene->templates[0].set.services = ACCOUNT_IMAP;
    if (twist == ALWAYS_CONFLICT)
        world->conflicts = 1000;
    if (twist == CONFLICT_ONCE) {
        world->conflicts = 1;
        world->conflict_makes = true;
    }
}

static void answers_every_day_rightly(void)
{
    static const struct {
        const char *name;
        enum twist twist;
        bool mailbox; /* it is there already */
        const char *password;
        enum login_result result;
        const char *reason;
        const char *made;
        unsigned binds;
    } cases[] = {
        {"a quiet day", NO_TWIST, true, "right", LOGIN_IN, "ok", "", 1},
        {"a first login", FIRST_LOGIN, false, "right", LOGIN_IN, "ok", "create",
         1},
        {"wrong password", NO_TWIST, true, "no", LOGIN_WRONG, "wrong_password",
         "", 1},
        {"wrong password, no mailbox", FIRST_LOGIN, false, "no", LOGIN_WRONG,
         "wrong_password", "", 1},
        {"store down", STORE_DOWN, true, "right", LOGIN_TEMPORARY,
         "store_no_answer", "", 0},
        {"store down, wrong password", STORE_DOWN, true, "no", LOGIN_TEMPORARY,
         "store_no_answer", "", 0},
        {"directory down", DIRECTORY_DOWN, true, "right", LOGIN_TEMPORARY,
         "no_answer", "", 0},
        {"no answer to the bind", BIND_NO_ANSWER, true, "right",
         LOGIN_TEMPORARY, "no_answer", "", 1},
        {"no answer while making it", APPLY_NO_ANSWER, false, "right",
         LOGIN_TEMPORARY, "store_no_answer", "", 1},
        {"nobody", NOBODY, false, "right", LOGIN_WRONG, "unknown_user", "", 0},
        {"nobody any more", NOBODY, true, "right", LOGIN_WRONG, "unknown_user",
         "", 0},
        {"two entries", SEVERAL, true, "right", LOGIN_REFUSED,
         "several_entries", "", 0},
        {"an entry with NUL", UNUSABLE, true, "right", LOGIN_REFUSED,
         "unusable_entry", "", 0},
        {"locked in the directory", LOCKED, true, "right", LOGIN_REFUSED,
         "account_locked", "", 1},
        {"password expired", EXPIRED, true, "right", LOGIN_REFUSED,
         "password_expired", "", 1},
        {"domain inactive", DOMAIN_INACTIVE, true, "right", LOGIN_REFUSED,
         "domain_inactive", "", 1},
        {"domain inactive, first login", DOMAIN_INACTIVE, false, "right",
         LOGIN_REFUSED, "domain_inactive", "", 1},
        {"domain unknown", DOMAIN_UNKNOWN, false, "right", LOGIN_REFUSED,
         "unknown_domain", "", 1},
        {"domain full", LIMIT_MET, false, "right", LOGIN_TEMPORARY,
         "max_mailboxes", "", 1},
        {"domain full, refuse", LIMIT_REFUSES, false, "right", LOGIN_REFUSED,
         "max_mailboxes", "", 1},
        {"domain full, mailbox is there", LIMIT_MET, true, "right", LOGIN_IN,
         "ok", "", 1},
        {"a limit at an update", LIMIT_AT_UPDATE, true, "right", LOGIN_IN, "ok",
         "", 1},
        {"nothing maps", NOTHING_MAPS, false, "right", LOGIN_TEMPORARY,
         "no_template", "", 1},
        {"nothing maps, mailbox is there", NOTHING_MAPS, true, "right",
         LOGIN_IN, "ok", "", 1},
        {"login_provisioning off", PROVISIONING_OFF, false, "right",
         LOGIN_REFUSED, "provisioning_off", "", 1},
        {"an address of another's domain", FOREIGN_ADDRESS, false, "right",
         LOGIN_REFUSED, "foreign_address", "", 1},
        {"a re-used address", OTHER_PERSON, true, "right", LOGIN_REFUSED,
         "other_id", "", 1},
        {"local, right", LOCAL_RIGHT, true, "right", LOGIN_IN, "ok", "", 0},
        {"local, wrong", LOCAL_WRONG, true, "no", LOGIN_WRONG, "wrong_password",
         "", 0},
        {"local, no hash", LOCAL_NO_HASH, true, "right", LOGIN_REFUSED,
         "no_local_password", "", 0},
        {"local, a scheme of another world", LOCAL_STRANGE_HASH, true, "right",
         LOGIN_TEMPORARY, "hash_unverifiable", "", 0},
        {"local, the directory is down", LOCAL_WITH_DIRECTORY_DOWN, true,
         "right", LOGIN_IN, "ok", "", 0},
        {"blocked", BLOCKED, true, "right", LOGIN_REFUSED,
         "blocked_by_administrator", "", 1},
        {"blocked, wrong password", BLOCKED, true, "no", LOGIN_WRONG,
         "wrong_password", "", 1},
        {"smtp taken away", SMTP_OFF, true, "right", LOGIN_REFUSED,
         "service_not_allowed", "update", 1},
        {"smtp never allowed: nothing made", SMTP_OFF_FIRST_LOGIN, false,
         "right", LOGIN_REFUSED, "service_not_allowed", "", 1},
        {"disabled entry", DISABLED_ENTRY, true, "right", LOGIN_REFUSED,
         "disabled_in_directory", "deactivate", 1},
        {"its directory left the settings", GONE_DIRECTORY, true, "right",
         LOGIN_TEMPORARY, "directory_not_configured", "", 0},
        {"somebody is always faster", ALWAYS_CONFLICT, false, "right",
         LOGIN_TEMPORARY, "conflict", "", 1},
        {"somebody was faster once", CONFLICT_ONCE, false, "right", LOGIN_IN,
         "ok", "", 1},
        {"a remembered entry moved", MOVED, true, "right", LOGIN_IN, "ok", "",
         2},
        {"a remembered entry is two by now", DOUBTED_SEVERAL, true, "no",
         LOGIN_REFUSED, "several_entries", "", 1},
        {"a remembered entry, the directory is down by now", DOUBTED_DOWN, true,
         "no", LOGIN_TEMPORARY, "no_answer", "", 1},
        {"empty password", NO_TWIST, true, "", LOGIN_WRONG, "empty_password",
         "", 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct login_answer answer = {0};
        struct scene scene;

        scene_open(&scene, 0);
        if (cases[i].mailbox)
            scene_have_mailbox(&scene);
        twist_directory(cases[i].twist);
        twist_mailbox(cases[i].twist);
        twist_store(&scene, cases[i].twist);
        scene_attempt(&scene, ANNA, cases[i].password, &answer);
        CHECK_CASE(cases[i].name, answer.result == cases[i].result);
        CHECK_CASE(cases[i].name, strcmp(answer.reason, cases[i].reason) == 0);
        CHECK_CASE(cases[i].name, strcmp(answer.made, cases[i].made) == 0);
        CHECK_CASE(cases[i].name, fake_world.binds == cases[i].binds);
        if (answer.result == LOGIN_IN)
            CHECK_CASE(cases[i].name, strcmp(answer.address, ANNA) == 0);
        login_answer_clear(&answer);
        scene_close(&scene);
    }
}

static void names_the_mailbox_by_the_directory(void)
{
    static const struct {
        const char *name;
        const char *user;
        bool canonical_only;
        enum login_result result;
        const char *reason;
        const char *searched;
    } cases[] = {
        {"as it is called", "anna@example.org", true, LOGIN_IN, "ok",
         "anna@example.org"},
        {"another case", "ANNA@Example.Org", true, LOGIN_IN, "ok",
         "anna@example.org"},
        {"by uid", "anna", false, LOGIN_IN, "ok", "anna"},
        {"by uid, a door that keeps the name", "anna", true, LOGIN_REFUSED,
         "not_canonical", "anna"},
        {"by an alias domain", "anna@alias.example.org", false, LOGIN_IN, "ok",
         "anna@example.org"},
        {"by an alias domain, a door that keeps the name",
         "anna@alias.example.org", true, LOGIN_REFUSED, "not_canonical",
         "anna@example.org"},
        {"blanks around", " anna@example.org ", false, LOGIN_WRONG,
         "malformed_user", ""},
        {"no name", "", false, LOGIN_WRONG, "empty_user", ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct login_request request = {
            .user = cases[i].user,
            .password = "right",
            .service = "smtp",
            .realm = "",
            .client = "",
            .canonical_only = cases[i].canonical_only,
            .deadline_ms = clock_ms() + 5000,
        };
        struct login_answer answer = {0};
        struct scene scene;

        scene_open(&scene, 0);
        scene_have_mailbox(&scene);
        fake_world.searched[0] = '\0';
        /* other has no such person, and by uid it is asked too. */
        login_attempt(scene.login, &request, &answer);
        CHECK_CASE(cases[i].name, answer.result == cases[i].result);
        CHECK_CASE(cases[i].name, strcmp(answer.reason, cases[i].reason) == 0);
        CHECK_CASE(cases[i].name,
                   strcmp(fake_world.searched, cases[i].searched) == 0);
        if (answer.result == LOGIN_IN)
            CHECK_CASE(cases[i].name, strcmp(answer.address, ANNA) == 0);
        login_answer_clear(&answer);
        scene_close(&scene);
    }
}

static void two_values_of_mail_are_one_mailbox(void)
{
    struct login_answer answer = {0};
    struct scene scene;

    scene_open(&scene, 0);
    scene_have_mailbox(&scene);
    twist_directory(TWO_ADDRESSES);
    scene_attempt(&scene, anna_second, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_IN);
    CU_ASSERT_STRING_EQUAL(answer.address, ANNA);
    CU_ASSERT_EQUAL(fake_world.applied, 0);
    login_answer_clear(&answer);
    scene_close(&scene);
}

static void a_bare_name_must_be_one_persons(void)
{
    static const struct {
        const char *name;
        enum status second;
        enum login_result result;
        const char *reason;
    } cases[] = {
        {"only in corp", STATUS_NOT_FOUND, LOGIN_IN, "ok"},
        {"in both", STATUS_OK, LOGIN_REFUSED, "several_entries"},
        {"the other is down", STATUS_TEMPFAIL, LOGIN_TEMPORARY, "no_answer"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct login_answer answer = {0};
        struct scene scene;

        scene_open(&scene, 0);
        scene_have_mailbox(&scene);
        fake_world.find[1] = cases[i].second;
        scene_attempt(&scene, "anna", "right", &answer);
        CHECK_CASE(cases[i].name, answer.result == cases[i].result);
        CHECK_CASE(cases[i].name, strcmp(answer.reason, cases[i].reason) == 0);
        login_answer_clear(&answer);
        scene_close(&scene);
    }
}

static void a_strange_domain_costs_no_search(void)
{
    struct login_answer answer = {0};
    struct scene scene;

    scene_open(&scene, 0);
    fake_world.domain_unknown = true;
    scene.directories[0].login_fields.count = 1;
    scene_attempt(&scene, ANNA, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
    CU_ASSERT_STRING_EQUAL(answer.reason, "unknown_domain");
    CU_ASSERT_EQUAL(fake_world.finds, 0);
    login_answer_clear(&answer);
    scene_close(&scene);
}

static void a_refusal_leaves_an_event(void)
{
    struct login_answer answer = {0};
    struct scene scene;

    scene_open(&scene, 0);
    twist_directory(NOTHING_MAPS);
    scene_attempt(&scene, ANNA, "right", &answer);
    CU_ASSERT_EQUAL(fake_world.events, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(fake_world.last_event, "no_template: "));
    login_answer_clear(&answer);
    scene_close(&scene);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"answers every day rightly", answers_every_day_rightly},
        {"names the mailbox by the directory",
         names_the_mailbox_by_the_directory},
        {"two values of mail are one mailbox",
         two_values_of_mail_are_one_mailbox},
        {"a bare name must be one person's", a_bare_name_must_be_one_persons},
        {"a strange domain costs no search", a_strange_domain_costs_no_search},
        {"a refusal leaves an event", a_refusal_leaves_an_event},
        CU_TEST_INFO_NULL,
    };

    return run_tests("login", tests);
}
