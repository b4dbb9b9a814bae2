/* test_login_keys - who gets keys for SCRAM, and who gets a decoy */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "login_scene.h"

#include "clock.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define NOBODY "nobody@example.org"

static char secret[] = "random letters";
/* The example of RFC 7677. */
static const char hash_scram[] = "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
                                 "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
                                 "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

/* The world frees its mailbox. */
static void set_hash(const char *hash)
{
    free(fake_world.mailbox.password);
    fake_world.mailbox.password = hash != NULL ? strdup(hash) : NULL;
}

static void ask(struct scene *scene, const char *user, const char *service,
                struct login_answer *answer_r)
{
    struct login_request request = {
        .user = user,
        .service = service,
        .realm = "",
        .client = "192.0.2.7;4711",
        .keys = true,
        .deadline_ms = clock_ms() + 5000,
    };

    login_attempt(scene->login, &request, answer_r);
}

static void open_local(struct scene *scene)
{
    scene_open(scene, 0);
    scene_have_mailbox(scene);
    scene->settings.auth.keys_secret = secret;
    CU_ASSERT_EQUAL(login_write_behind(scene->login, clock_ms() + 1000, NULL),
                    STATUS_OK);
    fake_world.logins_written = fake_world.attempts = 0;
    fake_world.mailbox.source = ACCOUNT_LOCAL;
    set_hash(hash_scram);
}

static bool is_decoy_of(const struct login_answer *answer, const char *name)
{
    char decoy[PASSWORD_KEYS_BYTES];

    return password_scram_decoy(secret, name, decoy, NULL) == STATUS_OK &&
           answer->keys != NULL && strcmp(answer->keys, decoy) == 0;
}

static void a_local_person_has_keys(void)
{
    struct login_answer answer = {0};
    char keys[PASSWORD_KEYS_BYTES];
    struct scene scene;

    open_local(&scene);
    ask(&scene, "Anna@EXAMPLE.org", "smtp", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_IN);
    CU_ASSERT_STRING_EQUAL(answer.address, ANNA);
    CU_ASSERT_EQUAL(password_scram_keys(hash_scram, keys), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(answer.keys, keys);
    CU_ASSERT_EQUAL(fake_world.finds + fake_world.binds + fake_world.applied,
                    0);
    login_answer_clear(&answer);
    CU_ASSERT_PTR_NULL(answer.keys);
    CU_ASSERT_EQUAL(login_write_behind(scene.login, clock_ms() + 1000, NULL),
                    STATUS_OK);
    CU_ASSERT_EQUAL(fake_world.logins_written + fake_world.attempts, 0);
    scene_close(&scene);
}

enum twist {
    NOT_THERE,
    OF_DIRECTORY,
    OTHER_HASH,
    NO_HASH,
    BLOCKED,
    DOMAIN_INACTIVE,
    NO_DOMAIN,
    NO_RIGHT,
    ALIAS_DOMAIN
};

static void twist_world(enum twist twist)
{
    if (twist == NOT_THERE)
        account_clear(&fake_world.mailbox);
    if (twist == OF_DIRECTORY)
        fake_world.mailbox.source = ACCOUNT_LDAP;
    if (twist == OTHER_HASH)
        set_hash("{PLAIN}right");
    if (twist == NO_HASH)
        set_hash(NULL);
    if (twist == BLOCKED)
        fake_world.mailbox.admin_state = ACCOUNT_BLOCK_LOGIN;
    fake_world.domain_inactive = twist == DOMAIN_INACTIVE;
}

static void everybody_else_has_a_decoy(void)
{
    static const struct {
        const char *name;
        enum twist twist;
        const char *user;
        const char *service;
        const char *reason;
    } cases[] = {
        {"nobody", NOT_THERE, NOBODY, "smtp", "no_mailbox"},
        {"a person of the directory", OF_DIRECTORY, ANNA, "smtp",
         "no_local_password"},
        {"a hash of another scheme", OTHER_HASH, ANNA, "smtp", "no_keys"},
        {"no hash", NO_HASH, ANNA, "smtp", "no_local_password"},
        {"blocked", BLOCKED, ANNA, "smtp", "blocked_by_administrator"},
        {"a domain that is off", DOMAIN_INACTIVE, ANNA, "smtp",
         "domain_inactive"},
        {"a name without domain", NO_DOMAIN, "anna", "smtp", "no_mailbox"},
        {"a protocol without right", NO_RIGHT, ANNA, "pop3",
         "service_not_allowed"},
        {"another name of the domain", ALIAS_DOMAIN, "anna@alias.example.org",
         "smtp", "not_canonical"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct login_answer answer = {0};
        struct scene scene;

        open_local(&scene);
        twist_world(cases[i].twist);
        ask(&scene, cases[i].user, cases[i].service, &answer);
        CHECK_CASE(cases[i].name, answer.result == LOGIN_REFUSED);
        CHECK_CASE(cases[i].name, strcmp(answer.reason, cases[i].reason) == 0);
        CHECK_CASE(cases[i].name, is_decoy_of(&answer, cases[i].user));
        login_answer_clear(&answer);
        scene_close(&scene);
    }
}

static void no_answer_has_no_keys(void)
{
    struct login_answer answer = {0};
    struct scene scene;

    open_local(&scene);
    fake_world.store_down = true;
    ask(&scene, ANNA, "smtp", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_TEMPORARY);
    CU_ASSERT_PTR_NULL(answer.keys);
    login_answer_clear(&answer);
    fake_world.store_down = false;
    scene.settings.auth.keys_secret = NULL;
    ask(&scene, ANNA, "smtp", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_TEMPORARY);
    CU_ASSERT_PTR_NULL(answer.keys);
    login_answer_clear(&answer);
    scene_close(&scene);
}

static void too_many_guesses_close_this_way_too(void)
{
    struct login_answer answer = {0};
    struct scene scene;

    open_local(&scene);
    for (int i = 0; i < 5; i++) {
        struct login_request request = {
            .user = ANNA,
            .password = i % 2 == 0 ? "wrong" : "wronger",
            .service = "smtp",
            .realm = "",
            .client = "192.0.2.7;4711",
            .deadline_ms = clock_ms() + 5000,
        };

        login_attempt(scene.login, &request, &answer);
        CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
        login_answer_clear(&answer);
    }
    ask(&scene, ANNA, "smtp", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_TEMPORARY);
    CU_ASSERT_STRING_EQUAL(answer.reason, "throttled");
    CU_ASSERT_PTR_NULL(answer.keys);
    login_answer_clear(&answer);
    scene_close(&scene);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"a local person has keys", a_local_person_has_keys},
        {"everybody else has a decoy", everybody_else_has_a_decoy},
        {"no answer has no keys", no_answer_has_no_keys},
        {"too many guesses close this way, too",
         too_many_guesses_close_this_way_too},
        CU_TEST_INFO_NULL,
    };

    return run_tests("login_keys", tests);
}
