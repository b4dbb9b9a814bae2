/*
 * login_scene - a login with two directories, over the fake world
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_LOGIN_SCENE_H
#define TESTS_UNIT_LOGIN_SCENE_H

#include "fake_world.h"
#include "login.h"

#include <stdint.h>

/* The person of every scene, and their mailbox. */
#define ANNA "anna@example.org"

struct scene {
    struct directory_settings directories[2]; /* "corp" and "other" */
    struct template_settings templates[1];
    struct settings settings;
    struct login_shared shared;
    struct login *login;
};

/*
 * Opens a login on a quiet day: Anna is in corp with the password "right", and
 * has no mailbox yet. cache_ttl_ms: 0, nothing is remembered.
 */
void scene_open(struct scene *scene, int64_t cache_ttl_ms);
void scene_close(struct scene *scene);

/* One attempt by SMTP; answer_r is cleared by the caller. */
void scene_attempt(struct scene *scene, const char *user, const char *password,
                   struct login_answer *answer_r);

/* Makes the world's mailbox what a first login makes it. */
void scene_have_mailbox(struct scene *scene);

#endif
