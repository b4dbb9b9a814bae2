/* generation - see generation.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "generation.h"

#include <pthread.h>
#include <stdlib.h>

struct generations {
    pthread_mutex_t lock;
    struct generation *current;
    struct generation *retired; /* some of them may be held still */
};

struct generations *generations_new(void)
{
    struct generations *generations = calloc(1, sizeof(*generations));

    if (generations != NULL)
        (void)pthread_mutex_init(&generations->lock, NULL);
    return generations;
}

static void generation_close(struct generation **generation)
{
    if ((*generation)->policy != NULL)
        policy_close(&(*generation)->policy);
    settings_free(&(*generation)->settings);
    free(*generation);
    *generation = NULL;
}

/* Takes the retired ones that nobody holds out of the list. */
static struct generation *take_unheld(struct generations *generations)
{
    struct generation *unheld = NULL;
    struct generation **link = &generations->retired;

    (void)pthread_mutex_lock(&generations->lock);
    while (*link != NULL) {
        struct generation *one = *link;

        if (one->holders > 0) {
            link = &one->next;
            continue;
        }
        *link = one->next;
        one->next = unheld;
        unheld = one;
    }
    (void)pthread_mutex_unlock(&generations->lock);
    return unheld;
}

static void bury(struct generations *generations)
{
    struct generation *unheld = take_unheld(generations);

    while (unheld != NULL) {
        struct generation *next = unheld->next;

        generation_close(&unheld);
        unheld = next;
    }
}

void generations_free(struct generations **generations)
{
    if (*generations == NULL)
        return;
    bury(*generations);
    if ((*generations)->current != NULL)
        generation_close(&(*generations)->current);
    (void)pthread_mutex_destroy(&(*generations)->lock);
    free(*generations);
    *generations = NULL;
}

enum status generations_add(struct generations *generations,
                            struct settings **settings, struct store *store,
                            struct rate_keeper *keeper, struct errtext *err)
{
    struct generation *made = calloc(1, sizeof(*made));
    /* Replaced by this function alone, of which one runs at a time. */
    struct generation *before = generations->current;
    struct policy_world world = {
        .settings = *settings,
        .store = store,
        .keeper = keeper,
        .previous = before != NULL ? before->policy : NULL,
    };
    enum status status;

    if (made == NULL) {
        settings_free(settings);
        return status_no_memory(err);
    }
    made->settings = *settings;
    *settings = NULL;
    status = policy_open(&world, &made->policy, err);
    if (status != STATUS_OK) {
        generation_close(&made);
        return status;
    }
    (void)pthread_mutex_lock(&generations->lock);
    if (before != NULL) {
        before->next = generations->retired;
        generations->retired = before;
    }
    generations->current = made;
    (void)pthread_mutex_unlock(&generations->lock);
    bury(generations);
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
    (void)pthread_mutex_lock(&generations->lock);
    (*generation)->holders--;
    (void)pthread_mutex_unlock(&generations->lock);
    *generation = NULL;
}
