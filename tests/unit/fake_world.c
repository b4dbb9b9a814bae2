/* fake_world - see fake_world.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "fake_world.h"

#include "store_attempt.h"

#include "address.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_world fake_world;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct directory {
    const struct directory_settings *set;
};

static unsigned index_of(const struct directory *dir)
{
    return strcmp(dir->set->name, "corp") == 0 ? 0 : 1;
}

void directory_entry_clear(struct directory_entry *entry)
{
    memset(entry, 0, sizeof(*entry)); /* the test owns the strings */
}

enum status directory_open(const struct directory_settings *set,
                           struct directory **dir_r, struct errtext *err)
{
    struct directory *dir = calloc(1, sizeof(*dir));

    if (dir == NULL)
        return status_no_memory(err);
    dir->set = set;
    *dir_r = dir;
    return STATUS_OK;
}

void directory_close(struct directory **dir)
{
    free(*dir);
    *dir = NULL;
}

enum status directory_find(struct directory *dir, const char *login,
                           int64_t deadline_ms, struct directory_entry *entry_r,
                           bool *remembered_r, struct errtext *err)
{
    enum status status = fake_world.find[index_of(dir)];
    static char moved[256];

    (void)deadline_ms;
    (void)pthread_mutex_lock(&lock);
    fake_world.finds++;
    (void)snprintf(fake_world.searched, sizeof(fake_world.searched), "%s",
                   login);
    (void)pthread_mutex_unlock(&lock);
    if (fake_world.finds > 1 && fake_world.find_again != STATUS_OK)
        status = fake_world.find_again;
    if (status != STATUS_OK) {
        errtext_set(err, "fake %s", status_name(status));
        return status;
    }
    *entry_r = fake_world.entry;
    *remembered_r = fake_world.remembered && fake_world.finds == 1;
    if (fake_world.moved_dn != NULL && fake_world.finds > 1) {
        (void)snprintf(moved, sizeof(moved), "%s", fake_world.moved_dn);
        entry_r->dn = moved;
    }
    return STATUS_OK;
}

enum status directory_verify(struct directory *dir, const char *dn,
                             const char *password, int64_t deadline_ms,
                             enum directory_reason *reason_r,
                             struct errtext *err)
{
    (void)dir;
    (void)deadline_ms;
    (void)pthread_mutex_lock(&lock);
    fake_world.binds++;
    (void)pthread_mutex_unlock(&lock);
    errtext_set(err, "fake answer");
    *reason_r = fake_world.reason;
    if (fake_world.moved_dn != NULL)
        return strcmp(dn, fake_world.moved_dn) == 0 ? STATUS_OK : STATUS_DENIED;
    if (fake_world.right_password == NULL)
        return fake_world.verify;
    *reason_r = DIRECTORY_BAD_PASSWORD;
    return strcmp(password, fake_world.right_password) == 0 ? STATUS_OK
                                                            : STATUS_DENIED;
}

size_t directory_forget(struct directory *dir, const char *login)
{
    (void)dir;
    (void)login;
    return 0;
}

struct store {
    const struct store_settings *set;
};

enum status store_open(const struct store_settings *set, struct store **store_r,
                       struct errtext *err)
{
    struct store *store = calloc(1, sizeof(*store));

    if (store == NULL)
        return status_no_memory(err);
    store->set = set;
    *store_r = store;
    return STATUS_OK;
}

void store_close(struct store **store)
{
    free(*store);
    *store = NULL;
}

static enum status down(struct errtext *err)
{
    errtext_set(err, "fake store is down");
    return STATUS_TEMPFAIL;
}

void store_found_clear(struct store_found *found)
{
    free(found->domain.name);
    account_clear(&found->account);
    memset(found, 0, sizeof(*found));
}

/* "alias.example.org" is an alias domain of example.org. */
enum status store_find(struct store *store, const char *address,
                       int64_t deadline_ms, struct store_found *found_r,
                       struct errtext *err)
{
    struct store_found found = {0};
    const char *domain = address_domain_of(address);
    char target[512];

    (void)store;
    (void)deadline_ms;
    if (fake_world.store_down)
        return down(err);
    if (strcmp(domain, "alias.example.org") == 0)
        domain = "example.org";
    (void)snprintf(target, sizeof(target), "%.*s%s",
                   (int)(address_domain_of(address) - address), address,
                   domain);
    if (!fake_world.domain_unknown) {
        found.domain.name = strdup(domain);
        found.domain.active = !fake_world.domain_inactive;
    }
    if (fake_world.mailbox.address != NULL &&
        strcmp(target, fake_world.mailbox.address) == 0 &&
        account_copy(&fake_world.mailbox, &found.account, err) != STATUS_OK)
        return STATUS_TEMPFAIL;
    *found_r = found;
    return STATUS_OK;
}

enum status store_find_id(struct store *store, const char *directory,
                          const char *id, int64_t deadline_ms,
                          struct account *account_r, struct errtext *err)
{
    (void)store;
    (void)directory;
    (void)deadline_ms;
    if (fake_world.store_down)
        return down(err);
    if (fake_world.mailbox.address == NULL ||
        fake_world.mailbox.directory_id == NULL ||
        strcmp(fake_world.mailbox.directory_id, id) != 0)
        return STATUS_NOT_FOUND;
    return account_copy(&fake_world.mailbox, account_r, err);
}

void store_app_passwords_free(struct store_app_password **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((*list)[i].hash);
    free(*list);
    *list = NULL;
}

enum status store_app_passwords(struct store *store, const char *address,
                                int64_t deadline_ms,
                                struct store_app_password **list_r,
                                size_t *count_r, struct errtext *err)
{
    struct store_app_password *list = NULL;

    (void)store;
    (void)address;
    (void)deadline_ms;
    if (fake_world.store_down)
        return down(err);
    *count_r = 0;
    if (fake_world.app_hash != NULL) {
        list = calloc(1, sizeof(*list));
        if (list == NULL)
            return status_no_memory(err);
        list[0] = (struct store_app_password){
            .id = 7,
            .hash = strdup(fake_world.app_hash),
            .services = fake_world.app_services,
        };
        *count_r = 1;
    }
    *list_r = list;
    return STATUS_OK;
}

enum status store_logins_write(struct store *store,
                               const struct store_login *logins, size_t count,
                               int64_t deadline_ms, struct errtext *err)
{
    (void)store;
    (void)logins;
    (void)deadline_ms;
    if (fake_world.store_down)
        return down(err);
    fake_world.logins_written += (unsigned)count;
    return STATUS_OK;
}

enum status store_attempts_write(struct store *store,
                                 const struct store_attempt *attempts,
                                 size_t count, int64_t deadline_ms,
                                 struct errtext *err)
{
    (void)store;
    (void)deadline_ms;
    if (fake_world.store_down)
        return down(err);
    fake_world.attempts += (unsigned)count;
    for (size_t i = 0; i < count; i++)
        fake_world.attempt_times += (unsigned)attempts[i].times;
    return STATUS_OK;
}

enum status store_event_write(struct store *store,
                              const struct store_event *event,
                              unsigned once_in_seconds, int64_t deadline_ms,
                              struct errtext *err)
{
    (void)store;
    (void)once_in_seconds;
    (void)deadline_ms;
    if (fake_world.store_down)
        return down(err);
    fake_world.events++;
    (void)snprintf(fake_world.last_event, sizeof(fake_world.last_event), "%s",
                   event->reason);
    return STATUS_OK;
}

const char *apply_limit_name(enum apply_limit limit)
{
    return limit == LIMIT_MAX_MAILBOXES ? "max_mailboxes" : "domain_quota";
}

enum status apply_plan(struct store *store, const struct plan *plan,
                       const char *who, int64_t deadline_ms,
                       struct apply_outcome *outcome_r, struct errtext *err)
{
    (void)store;
    (void)who;
    (void)deadline_ms;
    fake_world.applied++;
    if (fake_world.apply != STATUS_OK) {
        errtext_set(err, "fake apply");
        return fake_world.apply;
    }
    *outcome_r = fake_world.outcome;
    if (fake_world.conflicts > 0) {
        fake_world.conflicts--;
        outcome_r->kind = APPLY_CONFLICT;
        if (fake_world.conflict_makes) {
            account_clear(&fake_world.mailbox);
            return account_copy(&plan->target, &fake_world.mailbox, err);
        }
    }
    return STATUS_OK;
}

enum status apply_rehearse(struct store *store, const struct plan *plan,
                           int64_t deadline_ms, struct apply_outcome *outcome_r,
                           struct errtext *err)
{
    (void)store;
    (void)plan;
    (void)deadline_ms;
    fake_world.rehearsed++;
    if (fake_world.apply != STATUS_OK) {
        errtext_set(err, "fake apply");
        return fake_world.apply;
    }
    *outcome_r = fake_world.outcome;
    return STATUS_OK;
}
