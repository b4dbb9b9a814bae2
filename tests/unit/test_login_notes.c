/* test_login_notes - who was not let in, within bounds */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"

#include "clock.h"
#include "login_private.h"
#include "login_scene.h"
#include "store_attempt.h"

#include <string.h>

/* Adds the failure of one more person, somebody or any name. */
static void add(struct login_notes *notes, unsigned number, bool known)
{
    char address[64];
    struct login_failure failure = {
        .address = address,
        .result = "wrong",
        .reason = "wrong_password",
        .service = "smtp",
        .client = "192.0.2.7",
        .known = known,
    };

    (void)snprintf(address, sizeof(address), "p%u@example.org", number);
    login_notes_add(notes, &failure);
}

static enum status write_now(struct login_notes *notes)
{
    struct errtext err = {{0}};

    return login_notes_write(notes, NULL, clock_ms() + 1000, &err);
}

static struct login_notes *open_notes(void)
{
    struct login_notes *notes = NULL;
    struct errtext err = {{0}};

    memset(&fake_world, 0, sizeof(fake_world));
    CU_ASSERT_EQUAL_FATAL(login_notes_new(&notes, &err), STATUS_OK);
    return notes;
}

static void so_many_wait_and_no_more(void)
{
    static const struct {
        const char *name;
        unsigned added, kept;
    } cases[] = {
        {"below", LOGIN_NOTES_MAX - 1, LOGIN_NOTES_MAX - 1},
        {"at the bound", LOGIN_NOTES_MAX, LOGIN_NOTES_MAX},
        {"above", LOGIN_NOTES_MAX + 1, LOGIN_NOTES_MAX},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct login_notes *notes = open_notes();

        for (unsigned j = 0; j < cases[i].added; j++)
            add(notes, j, true);
        /* Who waits already is counted, however full it is. */
        add(notes, 0, true);
        CHECK_CASE(cases[i].name, write_now(notes) == STATUS_OK);
        CHECK_CASE(cases[i].name, fake_world.attempts == cases[i].kept);
        CHECK_CASE(cases[i].name,
                   fake_world.attempt_times == cases[i].kept + 1);
        login_notes_free(&notes);
        CU_ASSERT_PTR_NULL(notes);
    }
}

static void names_that_nobody_vouches_for_are_few(void)
{
    struct login_notes *notes = open_notes();

    for (unsigned i = 0; i < LOGIN_STRANGERS_MAX + 5; i++)
        add(notes, i, false);
    CU_ASSERT_EQUAL(write_now(notes), STATUS_OK);
    CU_ASSERT_EQUAL(fake_world.attempts, LOGIN_STRANGERS_MAX);
    for (unsigned i = 0; i < 5; i++)
        add(notes, 1000 + i, false);
    CU_ASSERT_EQUAL(write_now(notes), STATUS_OK);
    CU_ASSERT_EQUAL(fake_world.attempts, LOGIN_STRANGERS_MAX);
    add(notes, 2000, true);
    CU_ASSERT_EQUAL(write_now(notes), STATUS_OK);
    CU_ASSERT_EQUAL(fake_world.attempts, LOGIN_STRANGERS_MAX + 1);
    login_notes_free(&notes);
}

static void what_was_not_written_is_kept_and_counted_once(void)
{
    struct login_notes *notes = open_notes();

    add(notes, 1, true);
    add(notes, 1, true);
    fake_world.store_down = true;
    CU_ASSERT_EQUAL(write_now(notes), STATUS_TEMPFAIL);
    add(notes, 1, true);
    add(notes, 2, true);
    fake_world.store_down = false;
    CU_ASSERT_EQUAL(write_now(notes), STATUS_OK);
    CU_ASSERT_EQUAL(fake_world.attempts, 2);
    CU_ASSERT_EQUAL(fake_world.attempt_times, 4);
    CU_ASSERT_EQUAL(write_now(notes), STATUS_OK);
    CU_ASSERT_EQUAL(fake_world.attempts, 2);
    login_notes_free(&notes);
}

static void a_login_leaves_its_failure(void)
{
    struct login_answer answer = {0};
    struct errtext err = {{0}};
    struct scene scene;

    scene_open(&scene, 0);
    for (int i = 0; i < 3; i++) {
        scene_attempt(&scene, ANNA, "wrong", &answer);
        CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
        login_answer_clear(&answer);
    }
    CU_ASSERT_EQUAL(login_write_behind(scene.login, clock_ms() + 1000, &err),
                    STATUS_OK);
    CU_ASSERT_EQUAL(fake_world.attempts, 1);
    CU_ASSERT_EQUAL(fake_world.attempt_times, 3);
    CU_ASSERT_EQUAL(fake_world.events, 1);
    fake_world.find[0] = STATUS_NOT_FOUND;
    scene_attempt(&scene, "guessed@example.org", "wrong", &answer);
    login_answer_clear(&answer);
    CU_ASSERT_EQUAL(login_write_behind(scene.login, clock_ms() + 1000, &err),
                    STATUS_OK);
    CU_ASSERT_EQUAL(fake_world.attempts, 1);
    scene_close(&scene);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"so many wait and no more", so_many_wait_and_no_more},
        {"names that nobody vouches for are few",
         names_that_nobody_vouches_for_are_few},
        {"what was not written is kept and counted once",
         what_was_not_written_is_kept_and_counted_once},
        {"a login leaves its failure", a_login_leaves_its_failure},
        CU_TEST_INFO_NULL,
    };

    return run_tests("login_notes", tests);
}
