/* login_scene - see login_scene.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "login_scene.h"

#include "clock.h"
#include "unit.h"

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
static char dn_anna[] = "uid=anna,dc=example,dc=org";
static char anna[] = "anna@example.org";
static char anna_name[] = "Anna";

static char *corp_domains[] = {example_org};
static char *other_domains[] = {other_org};
static char *corp_fields[] = {mail, uid};
static char *usernames[] = {anna};
static char *values[] = {name_default};
static struct mapping_row mapping[] = {
    {.attribute = name_default, .template_name = name_default},
};

static void scene_settings(struct scene *scene)
{
    scene->directories[0] = (struct directory_settings){
        .name = corp,
        .username_field = mail,
        .login_fields = {corp_fields, 2},
        .windows_domain = empty,
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

void scene_open(struct scene *scene, int64_t cache_ttl_ms)
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

void scene_close(struct scene *scene)
{
    login_close(&scene->login);
    memory_free(&scene->shared.memory);
    throttle_free(&scene->shared.throttle);
    password_gate_free(&scene->shared.gate);
    account_clear(&fake_world.mailbox);
}

void scene_attempt(struct scene *scene, const char *user, const char *password,
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

void scene_have_mailbox(struct scene *scene)
{
    struct login_answer answer = {0};

    fake_world.conflicts = 1;
    fake_world.conflict_makes = true;
    scene_attempt(scene, anna, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_IN);
    login_answer_clear(&answer);
    (void)login_flush(scene->login, NULL);
    fake_world.finds = fake_world.binds = fake_world.applied = 0;
    fake_world.events = 0;
}
