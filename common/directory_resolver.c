/* directory_resolver - see directory_resolver.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_resolver.h"

#include "clock.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFRESH_MS 60000 /* getaddrinfo tells no TTL */
#define RETRY_MS 5000    /* after a failed look-up */
#define DOUBT_MS 1000    /* between look-ups that a failed connect asks for */

struct name {
    char *text;      /* own copy: outlives the settings in a hanging look-up */
    bool fixed;      /* numeric or local: never looked up */
    bool answered;   /* the first look-up has ended */
    int64_t last_ms; /* start of the last look-up */
    int64_t next_ms; /* when to look up again */
    struct directory_addresses addresses;
    struct errtext error; /* of the last look-up; "" when it was good */
};

/* Shared by its owner and its thread; the last of them frees it. */
struct directory_resolver {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closed;
    unsigned users;
    char port[16];
    size_t count;
    struct name names[];
};

static void take_addresses(const struct addrinfo *found,
                           struct directory_addresses *out)
{
    out->count = 0;
    for (; found != NULL && out->count < DIRECTORY_ADDRESSES_MAX;
         found = found->ai_next) {
        struct directory_address *address = &out->list[out->count];

        if (found->ai_addrlen > sizeof(address->storage))
            continue;
        memcpy(&address->storage, found->ai_addr, found->ai_addrlen);
        address->len = found->ai_addrlen;
        out->count++;
    }
}

/* Returns 0 and *out, or the resolver's error number. */
static int look_up(const char *text, const char *port, int flags,
                   struct directory_addresses *out)
{
    struct addrinfo hints = {
        .ai_flags = flags | AI_NUMERICSERV,
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(text, port, &hints, &found);

    if (rc != 0)
        return rc;
    take_addresses(found, out);
    freeaddrinfo(found);
    return out->count > 0 ? 0 : EAI_NONAME;
}

static void destroy(struct directory_resolver *resolver)
{
    for (size_t i = 0; i < resolver->count; i++)
        free(resolver->names[i].text);
    (void)pthread_cond_destroy(&resolver->changed);
    (void)pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

/* Called with the lock held, gives it up. */
static void leave(struct directory_resolver *resolver)
{
    bool last = --resolver->users == 0;

    (void)pthread_mutex_unlock(&resolver->lock);
    if (last)
        destroy(resolver);
}

/* Returns the name whose look-up is due first, or NULL. */
static struct name *next_name(struct directory_resolver *resolver)
{
    struct name *next = NULL;

    for (size_t i = 0; i < resolver->count; i++) {
        struct name *name = &resolver->names[i];

        if (!name->fixed && (next == NULL || name->next_ms < next->next_ms))
            next = name;
    }
    return next;
}

/* Looks one name up; the lock is held, but not during the look-up. */
static void refresh(struct directory_resolver *resolver, struct name *name)
{
    struct directory_addresses addresses = {.count = 0};
    int rc;

    name->last_ms = clock_ms();
    (void)pthread_mutex_unlock(&resolver->lock);
    rc = look_up(name->text, resolver->port, 0, &addresses);
    (void)pthread_mutex_lock(&resolver->lock);
    name->answered = true;
    if (rc == 0) {
        name->addresses = addresses;
        name->error.text[0] = '\0';
        name->next_ms = clock_ms() + REFRESH_MS;
    } else {
        errtext_set(&name->error, "name not resolved: %s", gai_strerror(rc));
        name->next_ms = clock_ms() + RETRY_MS;
    }
    (void)pthread_cond_broadcast(&resolver->changed);
}

static void wait_until(struct directory_resolver *resolver, int64_t until_ms)
{
    struct timespec until = {
        .tv_sec = until_ms / 1000,
        .tv_nsec = (long)(until_ms % 1000) * 1000000,
    };

    (void)pthread_cond_timedwait(&resolver->changed, &resolver->lock, &until);
}

static void *run(void *arg)
{
    struct directory_resolver *resolver = arg;

    (void)pthread_mutex_lock(&resolver->lock);
    while (!resolver->closed) {
        struct name *name = next_name(resolver);

        if (name == NULL)
            break;
        if (name->next_ms <= clock_ms())
            refresh(resolver, name);
        else
            wait_until(resolver, name->next_ms);
    }
    leave(resolver);
    return NULL;
}

/* The program's signals are none of this thread's business. */
static enum status start_thread(struct directory_resolver *resolver,
                                struct errtext *err)
{
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    int rc;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    resolver->users++;
    rc = pthread_create(&thread, NULL, run, resolver);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        resolver->users--;
        errtext_set(err, "the resolver's thread could not be started");
        return STATUS_TEMPFAIL;
    }
    (void)pthread_detach(thread);
    return STATUS_OK;
}

static bool init_locks(struct directory_resolver *resolver)
{
    pthread_condattr_t attr;
    bool made = false;

    if (pthread_condattr_init(&attr) != 0)
        return false;
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (pthread_mutex_init(&resolver->lock, NULL) == 0) {
        made = pthread_cond_init(&resolver->changed, &attr) == 0;
        if (!made)
            (void)pthread_mutex_destroy(&resolver->lock);
    }
    (void)pthread_condattr_destroy(&attr);
    return made;
}

/* Copies the names and resolves what is numeric. */
static bool take_names(struct directory_resolver *resolver,
                       const struct text_list *hosts, bool *all_fixed_r)
{
    *all_fixed_r = true;
    for (size_t i = 0; i < hosts->count; i++) {
        struct name *name = &resolver->names[i];

        name->text = strdup(hosts->items[i]);
        resolver->count++;
        if (name->text == NULL)
            return false;
        name->fixed = name->text[0] == '/' ||
                      look_up(name->text, resolver->port, AI_NUMERICHOST,
                              &name->addresses) == 0;
        name->answered = name->fixed;
        *all_fixed_r = *all_fixed_r && name->fixed;
    }
    return true;
}

enum status directory_resolver_open(const struct text_list *hosts,
                                    unsigned port,
                                    struct directory_resolver **resolver_r,
                                    struct errtext *err)
{
    struct directory_resolver *resolver =
        calloc(1, sizeof(*resolver) + hosts->count * sizeof(struct name));
    enum status status;
    bool all_fixed;

    if (resolver == NULL)
        return status_no_memory(err);
    if (!init_locks(resolver)) {
        free(resolver);
        return status_no_memory(err);
    }
    resolver->users = 1;
    (void)snprintf(resolver->port, sizeof(resolver->port), "%u", port);
    if (!take_names(resolver, hosts, &all_fixed)) {
        destroy(resolver);
        return status_no_memory(err);
    }
    status = all_fixed ? STATUS_OK : start_thread(resolver, err);
    if (status == STATUS_OK)
        *resolver_r = resolver;
    else
        destroy(resolver);
    return status;
}

void directory_resolver_close(struct directory_resolver **resolver)
{
    if (*resolver == NULL)
        return;
    (void)pthread_mutex_lock(&(*resolver)->lock);
    (*resolver)->closed = true;
    (void)pthread_cond_broadcast(&(*resolver)->changed);
    leave(*resolver);
    *resolver = NULL;
}

enum status directory_resolver_get(struct directory_resolver *resolver,
                                   size_t index, int64_t deadline_ms,
                                   struct directory_addresses *addresses_r,
                                   struct errtext *err)
{
    struct name *name = &resolver->names[index];
    enum status status = STATUS_OK;

    (void)pthread_mutex_lock(&resolver->lock);
    while (!name->answered && clock_left_ms(deadline_ms) > 0)
        wait_until(resolver, deadline_ms);
    if (name->addresses.count > 0) {
        *addresses_r = name->addresses;
    } else {
        errtext_set(err, "%s",
                    name->answered ? name->error.text
                                   : "name not resolved yet: DNS is slow");
        status = STATUS_TEMPFAIL;
    }
    (void)pthread_mutex_unlock(&resolver->lock);
    return status;
}

void directory_resolver_doubt(struct directory_resolver *resolver, size_t index)
{
    struct name *name = &resolver->names[index];

    (void)pthread_mutex_lock(&resolver->lock);
    if (name->next_ms > name->last_ms + DOUBT_MS) {
        name->next_ms = name->last_ms + DOUBT_MS;
        (void)pthread_cond_broadcast(&resolver->changed);
    }
    (void)pthread_mutex_unlock(&resolver->lock);
}
