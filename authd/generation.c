/* generation - see generation.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "generation.h"

#include "clock.h"
#include "memory.h"
#include "password.h"
#include "throttle.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What outlives a reload, and the limits it was made with. */
struct remembered {
    struct login_shared shared;
    struct memory_limits memory_limits;
    struct throttle_limits throttle_limits;
    unsigned hash_workers;
    char *trusted;  /* the list as one text, for comparison */
    unsigned users; /* generations, under the lock */
};

struct generations {
    pthread_mutex_t lock;
    struct generation *current;
    struct generation *retired;
};

struct generations *generations_new(void)
{
    struct generations *generations = calloc(1, sizeof(*generations));

    if (generations != NULL)
        (void)pthread_mutex_init(&generations->lock, NULL);
    return generations;
}

static struct memory_limits memory_limits_of(const struct auth_settings *auth)
{
    return (struct memory_limits){
        .verified_ttl_ms = auth->cache_ttl_ms,
        .verified_max = auth->cache_max,
        .refused_ttl_ms = auth->refused_ttl_ms,
        .refused_max = auth->refused_max,
    };
}

static struct throttle_limits
throttle_limits_of(const struct auth_settings *auth)
{
    return (struct throttle_limits){
        .failures = auth->throttle_failures,
        .failures_per_client = auth->throttle_failures_per_client,
        .period_ms = auth->throttle_period_ms,
        .buckets_max = auth->throttle_max,
    };
}

/* The trusted clients as one owned text; NULL without memory. */
static char *trusted_text(const struct text_list *list)
{
    struct strbuf buf = STRBUF_INIT(1 << 20);
    char *text = NULL;

    strbuf_append(&buf, "");
    for (size_t i = 0; i < list->count; i++)
        strbuf_appendf(&buf, "%s\n", list->items[i]);
    if (strbuf_take(&buf, &text, NULL) != STATUS_OK)
        return NULL;
    return text != NULL ? text : strdup("");
}

/* True if what was made with these limits serves auth as well. */
static bool still_fits(const struct remembered *remembered,
                       const struct auth_settings *auth, const char *trusted)
{
    struct memory_limits memory = memory_limits_of(auth);
    struct throttle_limits throttle = throttle_limits_of(auth);
    const struct memory_limits *old = &remembered->memory_limits;
    const struct throttle_limits *held = &remembered->throttle_limits;

    return memory.verified_ttl_ms == old->verified_ttl_ms &&
           memory.verified_max == old->verified_max &&
           memory.refused_ttl_ms == old->refused_ttl_ms &&
           memory.refused_max == old->refused_max &&
           throttle.failures == held->failures &&
           throttle.failures_per_client == held->failures_per_client &&
           throttle.period_ms == held->period_ms &&
           throttle.buckets_max == held->buckets_max &&
           remembered->hash_workers == auth->hash_workers &&
           strcmp(remembered->trusted, trusted) == 0;
}

/* Frees *remembered and sets it to NULL; it may be NULL or half-built. */
static void remembered_free(struct remembered **remembered)
{
    struct remembered *old = *remembered;

    *remembered = NULL;
    if (old == NULL)
        return;
    memory_free(&old->shared.memory);
    throttle_free(&old->shared.throttle);
    password_gate_free(&old->shared.gate);
    free(old->trusted);
    free(old);
}

/* Makes memories for the limits of auth; trusted becomes theirs. */
static enum status remembered_new(const struct auth_settings *auth,
                                  char *trusted,
                                  struct remembered **remembered_r,
                                  struct errtext *err)
{
    struct remembered *made = calloc(1, sizeof(*made));
    enum status status;

    if (made == NULL) {
        free(trusted);
        return status_no_memory(err);
    }
    made->trusted = trusted;
    made->memory_limits = memory_limits_of(auth);
    made->throttle_limits = throttle_limits_of(auth);
    made->hash_workers = auth->hash_workers;
    made->shared.gate = password_gate_new(auth->hash_workers);
    status = memory_new(made->memory_limits, &made->shared.memory, err);
    if (status == STATUS_OK)
        status = throttle_new(made->throttle_limits,
                              (const char *const *)auth->trusted_clients.items,
                              auth->trusted_clients.count,
                              &made->shared.throttle, err);
    if (status == STATUS_OK && made->shared.gate == NULL)
        status = status_no_memory(err);
    if (status == STATUS_OK)
        *remembered_r = made;
    else
        remembered_free(&made);
    return status;
}

/* The present memories if they fit auth, else new ones. */
static enum status choose_remembered(struct generations *generations,
                                     const struct auth_settings *auth,
                                     struct remembered **remembered_r,
                                     struct errtext *err)
{
    char *trusted = trusted_text(&auth->trusted_clients);
    const struct generation *current = generations->current;

    if (trusted == NULL)
        return status_no_memory(err);
    if (current == NULL || !still_fits(current->remembered, auth, trusted))
        return remembered_new(auth, trusted, remembered_r, err);
    free(trusted);
    *remembered_r = current->remembered;
    return STATUS_OK;
}

/* Closes one that nobody holds. */
static void generation_close(struct generations *generations,
                             struct generation *old)
{
    struct remembered *unused = NULL;

    login_close(&old->login);
    (void)pthread_mutex_lock(&generations->lock);
    if (old->remembered != NULL && --old->remembered->users == 0)
        unused = old->remembered;
    (void)pthread_mutex_unlock(&generations->lock);
    remembered_free(&unused);
    settings_free(&old->settings);
    free(old);
}

void generations_free(struct generations **generations)
{
    struct generations *old = *generations;

    *generations = NULL;
    if (old == NULL)
        return;
    (void)generations_bury(old);
    if (old->current != NULL)
        generation_close(old, old->current);
    (void)pthread_mutex_destroy(&old->lock);
    free(old);
}

/* Gives the memories and the login to a generation that has its settings. */
static enum status fill(struct generations *generations,
                        struct generation *generation, struct errtext *err)
{
    struct remembered *remembered = NULL;
    enum status status = choose_remembered(
        generations, &generation->settings->auth, &remembered, err);

    if (status != STATUS_OK)
        return status;
    (void)pthread_mutex_lock(&generations->lock);
    remembered->users++;
    (void)pthread_mutex_unlock(&generations->lock);
    generation->remembered = remembered;
    generation->shared = &remembered->shared;
    return login_open(generation->settings, generation->shared,
                      &generation->login, err);
}

/* Makes it the current one; the one before is retired by its last holder. */
static void publish(struct generations *generations,
                    struct generation *generation)
{
    struct generation *old;

    generation->holders = 1;
    generation->loaded_ms = clock_ms();
    (void)pthread_mutex_lock(&generations->lock);
    old = generations->current;
    generations->current = generation;
    (void)pthread_mutex_unlock(&generations->lock);
    if (old != NULL)
        generations_release(generations, &old);
}

enum status generations_load(struct generations *generations, const char *path,
                             struct strbuf *faults)
{
    struct generation *generation = calloc(1, sizeof(*generation));
    struct errtext err = {0};
    enum status status;

    if (generation == NULL) {
        strbuf_append(faults, "out of memory\n");
        return STATUS_TEMPFAIL;
    }
    status = settings_load(path, &generation->settings, faults);
    if (status == STATUS_OK) {
        status = fill(generations, generation, &err);
        if (status != STATUS_OK)
            strbuf_appendf(faults, "%s: %s\n", path, err.text);
    }
    if (status != STATUS_OK) {
        generation_close(generations, generation);
        return status;
    }
    publish(generations, generation);
    return STATUS_OK;
}

struct generation *generations_hold(struct generations *generations)
{
    struct generation *current;

    (void)pthread_mutex_lock(&generations->lock);
    current = generations->current;
    current->holders++;
    (void)pthread_mutex_unlock(&generations->lock);
    return current;
}

void generations_release(struct generations *generations,
                         struct generation **generation)
{
    struct generation *held = *generation;

    *generation = NULL;
    (void)pthread_mutex_lock(&generations->lock);
    if (--held->holders == 0) {
        held->next = generations->retired;
        generations->retired = held;
    }
    (void)pthread_mutex_unlock(&generations->lock);
}

size_t generations_bury(struct generations *generations)
{
    struct generation *retired;
    size_t count = 0;

    (void)pthread_mutex_lock(&generations->lock);
    retired = generations->retired;
    generations->retired = NULL;
    (void)pthread_mutex_unlock(&generations->lock);
    while (retired != NULL) {
        struct generation *next = retired->next;

        generation_close(generations, retired);
        retired = next;
        count++;
    }
    return count;
}
