/* memory - see memory.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "memory.h"

#include "clock.h"
#include "secret.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Without memory an entry is left out; uthash would end the process. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define MAC_BYTES 32

/* One verified login; 100,000 of them are held, so it is kept small. */
struct verified {
    UT_hash_handle hh; /* by key; uthash keeps the order of arrival */
    int64_t since_ms;
    unsigned char mac[MAC_BYTES]; /* of service, user and password */
    unsigned key_bytes;           /* service and user, terminator included */
    char key[]; /* then the address, terminated; nothing if it is the user */
};

/* A pair that the directory called wrong. */
struct refused {
    UT_hash_handle hh; /* by mac */
    int64_t since_ms;
    unsigned char mac[MAC_BYTES]; /* of user and password */
    char user[];
};

/*
 * A pair that is being asked. It lives while somebody asks or waits. Its last
 * asker hands over to a waiter if there was no outcome.
 */
struct flight {
    UT_hash_handle hh; /* by mac */
    unsigned char mac[MAC_BYTES];
    pthread_cond_t changed;
    unsigned askers;
    unsigned waiters;
    bool closed;  /* nobody joins any more, everybody asks */
    bool flushed; /* its outcome is not to be remembered */
    enum memory_outcome outcome;
};

struct memory {
    struct memory_limits limits;
    EVP_MAC_CTX *keyed; /* copied for each use */
    pthread_mutex_t verified_lock;
    struct verified *verified;
    uint64_t epoch;
    pthread_mutex_t asked_lock;
    struct refused *refused;
    struct flight *flights;
};

static void lock(pthread_mutex_t *mutex)
{
    (void)pthread_mutex_lock(mutex);
}

static void unlock(pthread_mutex_t *mutex)
{
    (void)pthread_mutex_unlock(mutex);
}

/* Makes the keyed HMAC; the key itself is not kept. */
static bool make_keyed(EVP_MAC_CTX **keyed_r)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    unsigned char key[MAC_BYTES];
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *keyed = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;

    EVP_MAC_free(hmac);
    if (keyed == NULL)
        return false;
    if (RAND_priv_bytes(key, sizeof(key)) != 1 ||
        EVP_MAC_init(keyed, key, sizeof(key), params) != 1) {
        EVP_MAC_CTX_free(keyed);
        keyed = NULL;
    }
    secret_wipe(key, sizeof(key));
    *keyed_r = keyed;
    return keyed != NULL;
}

/*
 * Computes the HMAC of a login; the terminator between user and password keeps
 * ("ab", "c") and ("a", "bc") apart. False without memory.
 */
static bool make_mac(const struct memory *memory, unsigned service,
                     const char *user, const char *password,
                     unsigned char mac_r[MAC_BYTES])
{
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(memory->keyed);
    size_t len = 0;
    bool made;

    if (ctx == NULL)
        return false;
    made = EVP_MAC_update(ctx, (const unsigned char *)&service,
                          sizeof(service)) == 1 &&
           EVP_MAC_update(ctx, (const unsigned char *)user, strlen(user) + 1) ==
               1 &&
           EVP_MAC_update(ctx, (const unsigned char *)password,
                          strlen(password)) == 1 &&
           EVP_MAC_final(ctx, mac_r, &len, MAC_BYTES) == 1;
    EVP_MAC_CTX_free(ctx);
    return made;
}

/* Pairs are asked whatever the service: no service has this number. */
#define NO_SERVICE (~0U)

static bool make_pair_mac(const struct memory *memory, const char *user,
                          const char *password, unsigned char mac_r[MAC_BYTES])
{
    return make_mac(memory, NO_SERVICE, user, password, mac_r);
}

enum status memory_new(struct memory_limits limits, struct memory **memory_r,
                       struct errtext *err)
{
    struct memory *memory = calloc(1, sizeof(*memory));

    if (memory == NULL)
        return status_no_memory(err);
    if (!make_keyed(&memory->keyed)) {
        free(memory);
        errtext_set(err, "no randomness or no HMAC-SHA-256");
        return STATUS_TEMPFAIL;
    }
    memory->limits = limits;
    (void)pthread_mutex_init(&memory->verified_lock, NULL);
    (void)pthread_mutex_init(&memory->asked_lock, NULL);
    *memory_r = memory;
    return STATUS_OK;
}

static void drop_verified(struct memory *memory, struct verified *entry)
{
    HASH_DEL(memory->verified, entry);
    free(entry);
}

static void drop_refused(struct memory *memory, struct refused *entry)
{
    HASH_DEL(memory->refused, entry);
    free(entry);
}

static void drop_flight(struct memory *memory, struct flight *flight)
{
    HASH_DEL(memory->flights, flight);
    (void)pthread_cond_destroy(&flight->changed);
    free(flight);
}

void memory_free(struct memory **memory)
{
    if (*memory == NULL)
        return;
    (void)memory_flush(*memory, NULL);
    while ((*memory)->flights != NULL)
        drop_flight(*memory, (*memory)->flights);
    EVP_MAC_CTX_free((*memory)->keyed);
    (void)pthread_mutex_destroy(&(*memory)->verified_lock);
    (void)pthread_mutex_destroy(&(*memory)->asked_lock);
    free(*memory);
    *memory = NULL;
}

/* The key of a verified login, as it stands in the entry. */
struct verified_key {
    unsigned bytes;
    char text[sizeof(unsigned) + ADDRESS_BYTES_MAX + 1];
};

/* False if user is longer than a canonical name can be. */
static bool make_key(unsigned service, const char *user,
                     struct verified_key *key_r)
{
    size_t len = strlen(user) + 1;

    if (len > sizeof(key_r->text) - sizeof(service))
        return false;
    memcpy(key_r->text, &service, sizeof(service));
    memcpy(key_r->text + sizeof(service), user, len);
    key_r->bytes = (unsigned)(sizeof(service) + len);
    return true;
}

static const char *user_of(const struct verified *entry)
{
    return entry->key + sizeof(unsigned);
}

static const char *address_of(const struct verified *entry)
{
    const char *address = entry->key + entry->key_bytes;

    return address[0] != '\0' ? address : user_of(entry);
}

static struct verified *find_verified(const struct memory *memory,
                                      const struct verified_key *key)
{
    struct verified *entry = NULL;

    HASH_FIND(hh, memory->verified, key->text, key->bytes, entry);
    return entry;
}

bool memory_verified(struct memory *memory, const char *user, unsigned service,
                     const char *password, int64_t now_ms,
                     char address_r[ADDRESS_BYTES_MAX + 1])
{
    unsigned char mac[MAC_BYTES];
    const struct verified *entry;
    struct verified_key key;
    bool found = false;

    if (memory->limits.verified_ttl_ms == 0 || !make_key(service, user, &key) ||
        !make_mac(memory, service, user, password, mac))
        return false;
    lock(&memory->verified_lock);
    entry = find_verified(memory, &key);
    if (entry != NULL &&
        now_ms - entry->since_ms < memory->limits.verified_ttl_ms &&
        secret_equal(entry->mac, mac, sizeof(mac))) {
        /* memory_verify took no address that is longer. */
        memcpy(address_r, address_of(entry), strlen(address_of(entry)) + 1);
        found = true;
    }
    unlock(&memory->verified_lock);
    return found;
}

uint64_t memory_epoch(struct memory *memory)
{
    uint64_t epoch;

    lock(&memory->verified_lock);
    epoch = memory->epoch;
    unlock(&memory->verified_lock);
    return epoch;
}

/* Makes an entry; the address is left out where it is the user. */
static struct verified *make_verified(const struct verified_key *key,
                                      const char *address, int64_t now_ms)
{
    const char *user = key->text + sizeof(unsigned);
    const char *other = strcmp(address, user) == 0 ? "" : address;
    size_t len = strlen(other) + 1;
    struct verified *entry = malloc(sizeof(*entry) + key->bytes + len);

    if (entry == NULL)
        return NULL;
    entry->since_ms = now_ms;
    entry->key_bytes = key->bytes;
    memcpy(entry->key, key->text, key->bytes);
    memcpy(entry->key + key->bytes, other, len);
    return entry;
}

/* Makes room for one entry: the first is the oldest. */
static void trim_verified(struct memory *memory, int64_t now_ms)
{
    struct verified *oldest = memory->verified;

    while (oldest != NULL &&
           /* The analyser does not see that HASH_DEL moved the head. */
           /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
           (HASH_COUNT(memory->verified) >= memory->limits.verified_max ||
            now_ms - oldest->since_ms >= memory->limits.verified_ttl_ms)) {
        drop_verified(memory, oldest);
        oldest = memory->verified;
    }
}

/* Puts the entry in, in place of an older one; takes it over. */
static void put_verified(struct memory *memory, struct verified *entry,
                         const struct verified_key *key, int64_t now_ms)
{
    struct verified *older = find_verified(memory, key);

    if (older != NULL)
        drop_verified(memory, older);
    trim_verified(memory, now_ms);
    HASH_ADD(hh, memory->verified, key[0], entry->key_bytes, entry);
    if (entry->hh.tbl == NULL)
        free(entry);
}

void memory_verify(struct memory *memory, const char *user, unsigned service,
                   const char *password, const char *address, int64_t now_ms,
                   uint64_t epoch)
{
    struct verified_key key;
    struct verified *entry;

    if (memory->limits.verified_ttl_ms == 0 ||
        memory->limits.verified_max == 0 ||
        strlen(address) > ADDRESS_BYTES_MAX || !make_key(service, user, &key))
        return;
    entry = make_verified(&key, address, now_ms);
    if (entry == NULL)
        return;
    if (!make_mac(memory, service, user, password, entry->mac)) {
        free(entry);
        return;
    }
    lock(&memory->verified_lock);
    if (memory->epoch == epoch)
        put_verified(memory, entry, &key, now_ms);
    else
        free(entry);
    unlock(&memory->verified_lock);
}

static struct refused *find_refused(const struct memory *memory,
                                    const unsigned char mac[MAC_BYTES])
{
    struct refused *entry = NULL;

    HASH_FIND(hh, memory->refused, mac, MAC_BYTES, entry);
    return entry;
}

static struct flight *find_flight(const struct memory *memory,
                                  const unsigned char mac[MAC_BYTES])
{
    struct flight *flight = NULL;

    HASH_FIND(hh, memory->flights, mac, MAC_BYTES, flight);
    return flight;
}

/* Starts a flight with one asker. Without memory there is none: all ask. */
static void start_flight(struct memory *memory,
                         const unsigned char mac[MAC_BYTES])
{
    struct flight *flight = calloc(1, sizeof(*flight));
    pthread_condattr_t attributes;

    if (flight == NULL)
        return;
    memcpy(flight->mac, mac, MAC_BYTES);
    flight->askers = 1;
    flight->outcome = MEMORY_NO_OUTCOME;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&flight->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    HASH_ADD(hh, memory->flights, mac[0], MAC_BYTES, flight);
    if (flight->hh.tbl == NULL) {
        (void)pthread_cond_destroy(&flight->changed);
        free(flight);
    }
}

static void end_if_unused(struct memory *memory, struct flight *flight)
{
    if (flight->askers == 0 && flight->waiters == 0)
        drop_flight(memory, flight);
}

/*
 * Waits until there is an outcome, or nobody asks any more, or no time is left;
 * in the two latter cases the caller becomes an asker.
 */
static enum memory_outcome
join_flight(struct memory *memory, struct flight *flight, int64_t deadline_ms)
{
    int64_t until_ms = deadline_ms > 0 ? deadline_ms : 0;
    struct timespec until = {
        .tv_sec = (time_t)(until_ms / 1000),
        .tv_nsec = (long)(until_ms % 1000) * 1000000,
    };
    enum memory_outcome outcome;

    flight->waiters++;
    while (flight->outcome == MEMORY_NO_OUTCOME && flight->askers > 0) {
        if (pthread_cond_timedwait(&flight->changed, &memory->asked_lock,
                                   &until) != 0) {
            /* It took somebody's whole time: let nobody else lose his. */
            flight->closed = true;
            break;
        }
    }
    flight->waiters--;
    outcome = flight->outcome;
    if (outcome == MEMORY_NO_OUTCOME)
        flight->askers++;
    end_if_unused(memory, flight);
    return outcome;
}

static enum memory_outcome ask_or_join(struct memory *memory,
                                       const unsigned char mac[MAC_BYTES],
                                       int64_t deadline_ms)
{
    const struct refused *refused = find_refused(memory, mac);
    struct flight *flight;

    if (refused != NULL &&
        clock_ms() - refused->since_ms < memory->limits.refused_ttl_ms)
        return MEMORY_WRONG;
    flight = find_flight(memory, mac);
    if (flight == NULL) {
        start_flight(memory, mac);
        return MEMORY_NO_OUTCOME;
    }
    if (flight->closed || flight->waiters >= MEMORY_WAITERS_MAX) {
        flight->askers++;
        return MEMORY_NO_OUTCOME;
    }
    return join_flight(memory, flight, deadline_ms);
}

enum memory_outcome memory_ask(struct memory *memory, const char *user,
                               const char *password, int64_t deadline_ms)
{
    unsigned char mac[MAC_BYTES];
    enum memory_outcome outcome;

    if (!make_pair_mac(memory, user, password, mac))
        return MEMORY_NO_OUTCOME;
    lock(&memory->asked_lock);
    outcome = ask_or_join(memory, mac, deadline_ms);
    unlock(&memory->asked_lock);
    return outcome;
}

static void trim_refused(struct memory *memory, int64_t now_ms)
{
    struct refused *oldest = memory->refused;

    while (oldest != NULL &&
           (HASH_COUNT(memory->refused) >= memory->limits.refused_max ||
            now_ms - oldest->since_ms >= memory->limits.refused_ttl_ms)) {
        drop_refused(memory, oldest);
        oldest = memory->refused;
    }
}

static void put_refused(struct memory *memory, const char *user,
                        const unsigned char mac[MAC_BYTES], int64_t now_ms)
{
    size_t len = strlen(user) + 1;
    struct refused *entry;

    if (memory->limits.refused_ttl_ms == 0 || memory->limits.refused_max == 0)
        return;
    trim_refused(memory, now_ms);
    entry = malloc(sizeof(*entry) + len);
    if (entry == NULL)
        return;
    entry->since_ms = now_ms;
    memcpy(entry->mac, mac, MAC_BYTES);
    memcpy(entry->user, user, len);
    HASH_ADD(hh, memory->refused, mac[0], MAC_BYTES, entry);
    if (entry->hh.tbl == NULL)
        free(entry);
}

/* Replaces what is remembered of a pair by the newest word. */
static void remember_outcome(struct memory *memory, const char *user,
                             const unsigned char mac[MAC_BYTES],
                             enum memory_outcome outcome, int64_t now_ms)
{
    struct refused *older = find_refused(memory, mac);

    if (older != NULL)
        drop_refused(memory, older);
    if (outcome == MEMORY_WRONG)
        put_refused(memory, user, mac, now_ms);
}

void memory_answered(struct memory *memory, const char *user,
                     const char *password, enum memory_outcome outcome,
                     int64_t now_ms)
{
    unsigned char mac[MAC_BYTES];
    struct flight *flight;

    if (!make_pair_mac(memory, user, password, mac))
        return;
    lock(&memory->asked_lock);
    flight = find_flight(memory, mac);
    if (outcome != MEMORY_NO_OUTCOME && (flight == NULL || !flight->flushed))
        remember_outcome(memory, user, mac, outcome, now_ms);
    if (flight != NULL) {
        /* An asker without memory for a flight may have met another's. */
        if (flight->askers > 0)
            flight->askers--;
        if (outcome != MEMORY_NO_OUTCOME) {
            flight->outcome = outcome;
            flight->closed = true;
        }
        (void)pthread_cond_broadcast(&flight->changed);
        end_if_unused(memory, flight);
    }
    unlock(&memory->asked_lock);
}

static size_t flush_verified(struct memory *memory, const char *user)
{
    struct verified *entry;
    struct verified *next;
    size_t count = 0;

    for (entry = memory->verified; entry != NULL; entry = next) {
        next = entry->hh.next;
        if (user == NULL || strcmp(user_of(entry), user) == 0 ||
            strcmp(address_of(entry), user) == 0) {
            drop_verified(memory, entry);
            count++;
        }
    }
    return count;
}

/* Also marks flights, so that they neither take on anybody nor leave a trace.
 */
static size_t flush_asked(struct memory *memory, const char *user)
{
    struct refused *entry;
    struct refused *next;
    struct flight *flight;
    size_t count = 0;

    for (entry = memory->refused; entry != NULL; entry = next) {
        next = entry->hh.next;
        if (user == NULL || strcmp(entry->user, user) == 0) {
            drop_refused(memory, entry);
            count++;
        }
    }
    for (flight = memory->flights; flight != NULL; flight = flight->hh.next) {
        flight->closed = true;
        flight->flushed = true;
    }
    return count;
}

size_t memory_flush(struct memory *memory, const char *user)
{
    size_t count;

    lock(&memory->verified_lock);
    memory->epoch++;
    count = flush_verified(memory, user);
    unlock(&memory->verified_lock);
    lock(&memory->asked_lock);
    count += flush_asked(memory, user);
    unlock(&memory->asked_lock);
    return count;
}

void memory_counts(struct memory *memory, size_t *verified_r, size_t *refused_r)
{
    lock(&memory->verified_lock);
    *verified_r = HASH_COUNT(memory->verified);
    unlock(&memory->verified_lock);
    lock(&memory->asked_lock);
    *refused_r = HASH_COUNT(memory->refused);
    unlock(&memory->asked_lock);
}
