/* test_login - one attempt, with every answer a neighbour can give */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "login.h"

#include "clock.h"
#include "fake_world.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static char empty[] = "";
static char corp[] = "corp";
static char other[] = "other";
static char mail[] = "mail";
static char uid[] = "uid";
static char name_default[] = "default";
static char path_format[] = "%d/%n/";
static char example_org[] = "example.org";
static char other_org[] = "other.org";
static char id_anna[] = "id-anna";
static char id_other[] = "id-other";
static char dn_anna[] = "uid=anna,dc=example,dc=org";
static char anna[] = "anna@example.org";
static char anna_second[] = "a.anna@example.org";
static char anna_other[] = "anna@other.org";
static char anna_name[] = "Anna";
static char hash_right[] = "{PLAIN}right";
static char hash_strange[] = "{STRANGE}x";

static char *corp_domains[] = {example_org};
static char *other_domains[] = {other_org};
static char *corp_fields[] = {mail, uid};
static char *usernames[] = {anna};
static char *usernames_two[] = {anna, anna_second};
static char *usernames_foreign[] = {anna_other};
static char *values[] = {name_default};
static struct mapping_row mapping[] = {
    {.attribute = name_default, .template_name = name_default},
};

struct scene {
    struct directory_settings directories[2];
    struct template_settings templates[1];
    struct settings settings;
    struct login_shared shared;
    struct login *login;
};

static void scene_settings(struct scene *scene)
{
    scene->directories[0] = (struct directory_settings){
        .name = corp,
        .username_field = mail,
        .login_fields = {corp_fields, 2},
        .attribute_field = mail,
        .mapping = mapping,
        .mapping_count = 1,
        .default_template = empty,
        .alias_field = empty,
        .quota_field = empty,
        .id_field = empty,
        .domains = {corp_domains, 1},
        .login_provisioning = true,
    };
    scene->directories[1] = scene->directories[0];
    scene->directories[1].name = other;
    scene->directories[1].domains = (struct text_list){other_domains, 1};
    scene->templates[0] = (struct template_settings){
        name_default, {.services = ACCOUNT_SMTP | ACCOUNT_IMAP, .tags = empty}};
    scene->settings = (struct settings){
        .directories = scene->directories,
        .directory_count = 2,
        .templates = scene->templates,
        .template_count = 1,
        .auth = {.workers = 4},
        .mail = {.path_format = path_format},
    };
}

static void scene_open(struct scene *scene, int64_t cache_ttl_ms)
{
    struct memory_limits memory = {.verified_ttl_ms = cache_ttl_ms,
                                   .verified_max = 100,
                                   .refused_ttl_ms = 60000,
                                   .refused_max = 100};
    struct throttle_limits limits = {.failures = 5,
                                     .failures_per_client = 20,
                                     .period_ms = 60000,
                                     .buckets_max = 100};
    struct errtext err = {{0}};

    memset(scene, 0, sizeof(*scene));
    memset(&fake_world, 0, sizeof(fake_world));
    fake_world.entry = (struct directory_entry){
        .dn = dn_anna,
        .id = id_anna,
        .usernames = {usernames, 1},
        .values = {values, 1},
        .name = anna_name,
    };
    fake_world.find[1] = STATUS_NOT_FOUND;
    fake_world.right_password = "right";
    scene_settings(scene);
    CU_ASSERT_EQUAL(memory_new(memory, &scene->shared.memory, &err), STATUS_OK);
    CU_ASSERT_EQUAL(
        throttle_new(limits, NULL, 0, &scene->shared.throttle, &err),
        STATUS_OK);
    scene->shared.gate = password_gate_new(2);
    CU_ASSERT_EQUAL(
        login_open(&scene->settings, &scene->shared, &scene->login, &err),
        STATUS_OK);
}

static void scene_close(struct scene *scene)
{
    login_close(&scene->login);
    memory_free(&scene->shared.memory);
    throttle_free(&scene->shared.throttle);
    password_gate_free(&scene->shared.gate);
    account_clear(&fake_world.mailbox);
}

/* One attempt by SMTP; answer_r is cleared by the caller. */
static void attempt(struct scene *scene, const char *user, const char *password,
                    struct login_answer *answer_r)
{
    struct login_request request = {
        .user = user,
        .password = password,
        .service = "smtp",
        .realm = "",
        .client = "192.0.2.7;4711",
        .deadline_ms = clock_ms() + 5000,
    };

    login_attempt(scene->login, &request, answer_r);
}

/* Makes the world's mailbox what a first login makes it. */
static void have_mailbox(struct scene *scene)
{
    struct login_answer answer = {0};

    fake_world.conflicts = 1;
    fake_world.conflict_makes = true;
    attempt(scene, anna, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_IN);
    login_answer_clear(&answer);
    (void)login_flush(scene->login, NULL);
    fake_world.finds = fake_world.binds = fake_world.applied = 0;
    fake_world.events = 0;
}

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
    if (twist == MOVED) {
        world->remembered = true;
        world->moved_dn = "uid=anna,ou=elsewhere,dc=example,dc=org";
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
        {"empty password", NO_TWIST, true, "", LOGIN_WRONG, "empty_password",
         "", 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct login_answer answer = {0};
        struct scene scene;

        scene_open(&scene, 0);
        if (cases[i].mailbox)
            have_mailbox(&scene);
        twist_directory(cases[i].twist);
        twist_mailbox(cases[i].twist);
        twist_store(&scene, cases[i].twist);
        attempt(&scene, anna, cases[i].password, &answer);
        CHECK_CASE(cases[i].name, answer.result == cases[i].result);
        CHECK_CASE(cases[i].name, strcmp(answer.reason, cases[i].reason) == 0);
        CHECK_CASE(cases[i].name, strcmp(answer.made, cases[i].made) == 0);
        CHECK_CASE(cases[i].name, fake_world.binds == cases[i].binds);
        if (answer.result == LOGIN_IN)
            CHECK_CASE(cases[i].name, strcmp(answer.address, anna) == 0);
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
        have_mailbox(&scene);
        fake_world.searched[0] = '\0';
        /* other has no such person, and by uid it is asked too. */
        login_attempt(scene.login, &request, &answer);
        CHECK_CASE(cases[i].name, answer.result == cases[i].result);
        CHECK_CASE(cases[i].name, strcmp(answer.reason, cases[i].reason) == 0);
        CHECK_CASE(cases[i].name,
                   strcmp(fake_world.searched, cases[i].searched) == 0);
        if (answer.result == LOGIN_IN)
            CHECK_CASE(cases[i].name, strcmp(answer.address, anna) == 0);
        login_answer_clear(&answer);
        scene_close(&scene);
    }
}

static void two_values_of_mail_are_one_mailbox(void)
{
    struct login_answer answer = {0};
    struct scene scene;

    scene_open(&scene, 0);
    have_mailbox(&scene);
    twist_directory(TWO_ADDRESSES);
    attempt(&scene, anna_second, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_IN);
    CU_ASSERT_STRING_EQUAL(answer.address, anna);
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
        have_mailbox(&scene);
        fake_world.find[1] = cases[i].second;
        attempt(&scene, "anna", "right", &answer);
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
    attempt(&scene, anna, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
    CU_ASSERT_STRING_EQUAL(answer.reason, "unknown_domain");
    CU_ASSERT_EQUAL(fake_world.finds, 0);
    login_answer_clear(&answer);
    scene_close(&scene);
}

static void a_stale_password_costs_one_bind(void)
{
    struct scene scene;

    scene_open(&scene, 0);
    have_mailbox(&scene);
    for (int i = 0; i < 50; i++) {
        struct login_answer answer = {0};

        attempt(&scene, anna, "stale", &answer);
        CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
        login_answer_clear(&answer);
    }
    CU_ASSERT_EQUAL(fake_world.binds, 1);
    scene_close(&scene);
}

static void too_many_guesses_are_temporary(void)
{
    struct login_answer answer = {0};
    char guess[16];
    struct scene scene;

    scene_open(&scene, 0);
    have_mailbox(&scene);
    for (int i = 0; i < 5; i++) {
        (void)snprintf(guess, sizeof(guess), "guess%d", i);
        attempt(&scene, anna, guess, &answer);
        CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
        login_answer_clear(&answer);
    }
    attempt(&scene, anna, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_TEMPORARY);
    CU_ASSERT_STRING_EQUAL(answer.reason, "throttled");
    CU_ASSERT_EQUAL(fake_world.binds, 5);
    login_answer_clear(&answer);
    scene_close(&scene);
}

static void a_remembered_login_still_reads_the_state(void)
{
    struct login_answer answer = {0};
    struct scene scene;

    scene_open(&scene, 60000);
    have_mailbox(&scene);
    attempt(&scene, anna, "right", &answer);
    login_answer_clear(&answer);
    attempt(&scene, anna, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_IN);
    CU_ASSERT_STRING_EQUAL(answer.how, "remembered");
    CU_ASSERT_EQUAL(fake_world.binds, 1);
    login_answer_clear(&answer);
    fake_world.mailbox.admin_state = ACCOUNT_BLOCK_LOGIN;
    attempt(&scene, anna, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_REFUSED);
    login_answer_clear(&answer);
    fake_world.store_down = true;
    attempt(&scene, anna, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_TEMPORARY);
    login_answer_clear(&answer);
    scene_close(&scene);
}

static void a_switched_source_forgets_what_was_remembered(void)
{
    struct login_answer answer = {0};
    struct scene scene;

    scene_open(&scene, 60000);
    have_mailbox(&scene);
    attempt(&scene, anna, "right", &answer);
    login_answer_clear(&answer);
    fake_world.mailbox.source = ACCOUNT_LOCAL;
    fake_world.mailbox.password = strdup("{PLAIN}local");
    attempt(&scene, anna, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
    login_answer_clear(&answer);
    attempt(&scene, anna, "local", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_IN);
    login_answer_clear(&answer);
    scene_close(&scene);
}

static void an_app_password_never_reaches_the_directory(void)
{
    char app[PASSWORD_APP_BYTES];
    char stale[PASSWORD_APP_BYTES];
    char hash[64];
    struct login_answer answer = {0};
    struct errtext err = {{0}};
    struct scene scene;

    CU_ASSERT_EQUAL(password_app_new(app, &err), STATUS_OK);
    CU_ASSERT_EQUAL(password_app_new(stale, &err), STATUS_OK);
    (void)snprintf(hash, sizeof(hash), "{PLAIN}%s", app);
    scene_open(&scene, 0);
    have_mailbox(&scene);
    fake_world.app_hash = hash;
    fake_world.app_services = ACCOUNT_SMTP;
    attempt(&scene, anna, app, &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_IN);
    CU_ASSERT_STRING_EQUAL(answer.how, "app_password");
    login_answer_clear(&answer);
    attempt(&scene, anna, stale, &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
    login_answer_clear(&answer);
    fake_world.app_services = ACCOUNT_IMAP;
    attempt(&scene, anna, app, &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
    login_answer_clear(&answer);
    fake_world.app_services = ACCOUNT_SMTP;
    fake_world.mailbox.directory_state = ACCOUNT_DISABLED;
    attempt(&scene, anna, app, &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_REFUSED);
    login_answer_clear(&answer);
    CU_ASSERT_EQUAL(fake_world.binds, 0);
    scene_close(&scene);
}

static void last_logins_are_written_behind(void)
{
    struct login_answer answer = {0};
    struct errtext err = {{0}};
    struct scene scene;

    scene_open(&scene, 0);
    have_mailbox(&scene);
    fake_world.logins_written = 0;
    for (int i = 0; i < 3; i++) {
        attempt(&scene, anna, "right", &answer);
        login_answer_clear(&answer);
    }
    CU_ASSERT_EQUAL(fake_world.applied, 0);
    CU_ASSERT_EQUAL(fake_world.logins_written, 0);
    fake_world.store_down = true;
    CU_ASSERT_EQUAL(login_write_behind(scene.login, clock_ms() + 1000, &err),
                    STATUS_TEMPFAIL);
    fake_world.store_down = false;
    CU_ASSERT_EQUAL(login_write_behind(scene.login, clock_ms() + 1000, &err),
                    STATUS_OK);
    CU_ASSERT_EQUAL(fake_world.logins_written, 1);
    scene_close(&scene);
}

static void a_refusal_leaves_an_event(void)
{
    struct login_answer answer = {0};
    struct scene scene;

    scene_open(&scene, 0);
    twist_directory(NOTHING_MAPS);
    attempt(&scene, anna, "right", &answer);
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
        {"a stale password costs one bind", a_stale_password_costs_one_bind},
        {"too many guesses are temporary", too_many_guesses_are_temporary},
        {"a remembered login still reads the state",
         a_remembered_login_still_reads_the_state},
        {"a switched source forgets what was remembered",
         a_switched_source_forgets_what_was_remembered},
        {"an app password never reaches the directory",
         an_app_password_never_reaches_the_directory},
        {"last logins are written behind", last_logins_are_written_behind},
        {"a refusal leaves an event", a_refusal_leaves_an_event},
        CU_TEST_INFO_NULL,
    };

    return run_tests("login", tests);
}
