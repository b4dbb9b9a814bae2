/*
 * fake_login - stands in for login.c, its store and its directories
 *
 * Linked into a provost-authd of the tests, so that doors, reload and stop are
 * tested without servers. The password tells what the answer is; the file
 * that PROVOST_FAKE_STORE names tells how the store is ("down", "schema"; up
 * without it).
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "directory.h"
#include "login.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct login {
    const struct settings *settings;
    const struct login_shared *shared;
    struct store *store; /* is never asked for a connection */
    unsigned written;
};

enum status login_open(const struct settings *settings,
                       const struct login_shared *shared,
                       struct login **login_r, struct errtext *err)
{
    struct login *login = calloc(1, sizeof(*login));

    if (login == NULL)
        return status_no_memory(err);
    login->settings = settings;
    login->shared = shared;
    if (store_open(&settings->store, &login->store, err) != STATUS_OK) {
        free(login);
        return STATUS_TEMPFAIL;
    }
    *login_r = login;
    return STATUS_OK;
}

void login_close(struct login **login)
{
    if (*login != NULL)
        store_close(&(*login)->store);
    free(*login);
    *login = NULL;
}

void login_answer_clear(struct login_answer *answer)
{
    free(answer->address);
    free(answer->directory);
    memset(answer, 0, sizeof(*answer));
}

/* The answers, by how the password begins. */
static const struct {
    const char *password;
    enum login_result result;
    const char *reason;
    const char *how;
} answers[] = {
    {"right", LOGIN_IN, "", "bind"},
    {"slow", LOGIN_IN, "", "bind"},
    {"wrong", LOGIN_WRONG, "wrong_password", "bind"},
    {"gate", LOGIN_REFUSED, "service_not_allowed", "bind"},
    {"outage", LOGIN_TEMPORARY, "directory_unavailable", ""},
    {"canonical", LOGIN_IN, "", "bind"},
};

void login_attempt(struct login *login, const struct login_request *request,
                   struct login_answer *answer_r)
{
    size_t row = 0;

    memset(answer_r, 0, sizeof(*answer_r));
    while (row < ARRAY_SIZE(answers) - 1 &&
           strncmp(request->password, answers[row].password,
                   strlen(answers[row].password)) != 0)
        row++;
    answer_r->result = answers[row].result;
    answer_r->reason = answers[row].reason;
    answer_r->how = answers[row].how;
    answer_r->made = "";
    answer_r->directory = strdup(login->settings->directory_count > 0
                                     ? login->settings->directories[0].name
                                     : "none");
    if (strncmp(request->password, "slow", 4) == 0)
        clock_sleep_ms(3000);
    if (answers[row].result != LOGIN_IN)
        errtext_set(&answer_r->text, "as the test wants it");
    /* Shows what reached us: the reply carries it back to the test. */
    if (strcmp(request->password, "canonical") == 0)
        answer_r->address = strdup(request->canonical_only ? "yes" : "no");
    else if (answers[row].result == LOGIN_IN)
        answer_r->address = strdup(request->user);
}

size_t login_directory_count(const struct login *login)
{
    return login->settings->directory_count;
}

struct directory *login_directory(struct login *login, size_t index)
{
    (void)login;
    (void)index;
    return NULL;
}

size_t directory_hosts(struct directory *dir, struct directory_host_state *out,
                       size_t max)
{
    (void)dir;
    if (max < 2)
        return 2;
    out[0] = (struct directory_host_state){.host = "ldap1", .up = true};
    out[1] = (struct directory_host_state){
        .host = "ldap2", .retry_in_ms = 1500, .error = "it said \"no\""};
    return 2;
}

struct store *login_store(struct login *login)
{
    return login->store;
}

enum status store_check_schema(struct store *store, int64_t deadline_ms,
                               struct errtext *err)
{
    const char *path = getenv("PROVOST_FAKE_STORE");
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    char word[16] = "";

    (void)store;
    (void)deadline_ms;
    if (file != NULL) {
        if (fgets(word, sizeof(word), file) == NULL)
            word[0] = '\0';
        (void)fclose(file);
    }
    if (strncmp(word, "down", 4) == 0) {
        errtext_set(err, "nobody listens");
        return STATUS_TEMPFAIL;
    }
    if (strncmp(word, "schema", 6) == 0) {
        errtext_set(err, "too old: run provostctl db migrate");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* No hash is verified here. */
struct password_gate {
    unsigned at_once;
};

struct password_gate *password_gate_new(unsigned at_once)
{
    struct password_gate *gate = calloc(1, sizeof(*gate));

    if (gate != NULL)
        gate->at_once = at_once;
    return gate;
}

void password_gate_free(struct password_gate **gate)
{
    free(*gate);
    *gate = NULL;
}

size_t login_flush(struct login *login, const char *user)
{
    return memory_flush(login->shared->memory, user) +
           (user != NULL ? 1 : 7); /* shows that it came through */
}

enum status login_write_behind(struct login *login, int64_t deadline_ms,
                               struct errtext *err)
{
    (void)deadline_ms;
    (void)err;
    login->written++;
    return STATUS_OK;
}
