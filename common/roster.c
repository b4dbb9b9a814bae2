/* roster - see roster.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "roster.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uthash.h>

#define KEY_BYTES 16

struct domain {
    uint32_t index;
    UT_hash_handle hh;
    char name[];
};

struct roster {
    unsigned char key[KEY_BYTES];
    EVP_MD *md;
    EVP_MD_CTX *digest;
    struct roster_mailbox *mailboxes;
    size_t count, room;
    /*
     * Where digests lead: the number of a mailbox and 1, or 0; in the next free
     * slot where somebody else is. A quarter of the slots stays free.
     */
    uint32_t *by_id, *by_address;
    size_t slots;
    struct domain *domains;
    struct roster_domain *list; /* what the callers see, by index */
    size_t domain_count, domain_room;
    uint64_t own;
    bool failed;
};

enum status roster_new(struct roster **roster_r, struct errtext *err)
{
    struct roster *roster = calloc(1, sizeof(*roster));

    if (roster == NULL)
        return status_no_memory(err);
    roster->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    roster->digest = EVP_MD_CTX_new();
    if (roster->md == NULL || roster->digest == NULL ||
        getrandom(roster->key, KEY_BYTES, 0) != KEY_BYTES) {
        roster_free(&roster);
        errtext_set(err, "no digests or random numbers to be had");
        return STATUS_TEMPFAIL;
    }
    *roster_r = roster;
    return STATUS_OK;
}

void roster_free(struct roster **roster)
{
    struct domain *domain = NULL;
    struct domain *next = NULL;

    if (*roster == NULL)
        return;
    HASH_ITER(hh, (*roster)->domains, domain, next)
    {
        HASH_DEL((*roster)->domains, domain);
        free(domain);
    }
    EVP_MD_CTX_free((*roster)->digest);
    EVP_MD_free((*roster)->md);
    free((*roster)->mailboxes);
    free((*roster)->by_id);
    free((*roster)->by_address);
    free((*roster)->list);
    free(*roster);
    *roster = NULL;
}

/* SHA-256 of the key and the text; a failure is told by roster->failed. */
static void digest_text(struct roster *roster, const char *text,
                        unsigned char out[EVP_MAX_MD_SIZE])
{
    if (EVP_DigestInit_ex2(roster->digest, roster->md, NULL) != 1 ||
        EVP_DigestUpdate(roster->digest, roster->key, KEY_BYTES) != 1 ||
        EVP_DigestUpdate(roster->digest, text, strlen(text)) != 1 ||
        EVP_DigestFinal_ex(roster->digest, out, NULL) != 1) {
        roster->failed = true;
        memset(out, 0, EVP_MAX_MD_SIZE);
    }
}

uint64_t roster_address(struct roster *roster, const char *address)
{
    unsigned char whole[EVP_MAX_MD_SIZE];
    uint64_t digest;

    digest_text(roster, address, whole);
    memcpy(&digest, whole, sizeof(digest));
    return digest;
}

void roster_id(struct roster *roster, const char *id,
               unsigned char out[ROSTER_ID_BYTES])
{
    unsigned char whole[EVP_MAX_MD_SIZE];

    digest_text(roster, id, whole);
    memcpy(out, whole, ROSTER_ID_BYTES);
}

static struct domain *find_domain(struct roster *roster, const char *name)
{
    struct domain *domain = NULL;

    HASH_FIND_STR(roster->domains, name, domain);
    return domain;
}

/* Finds or makes the domain; NULL without memory. */
static struct domain *take_domain(struct roster *roster, const char *name)
{
    struct domain *domain = find_domain(roster, name);

    if (domain != NULL)
        return domain;
    if (roster->domain_count == roster->domain_room) {
        size_t room = roster->domain_room > 0 ? 2 * roster->domain_room : 16;
        struct roster_domain *larger =
            realloc(roster->list, room * sizeof(*larger));

        if (larger == NULL)
            return NULL;
        roster->list = larger;
        roster->domain_room = room;
    }
    domain = calloc(1, sizeof(*domain) + strlen(name) + 1);
    if (domain == NULL)
        return NULL;
    memcpy(domain->name, name, strlen(name) + 1);
    domain->index = (uint32_t)roster->domain_count++;
    roster->list[domain->index] = (struct roster_domain){.name = domain->name};
    HASH_ADD_STR(roster->domains, name, domain);
    return domain;
}

/* A quarter more each time: what is not used of it is not much. */
static bool make_room(struct roster *roster)
{
    size_t room = roster->room + roster->room / 4 + 1024;
    struct roster_mailbox *larger;

    if (roster->count < roster->room)
        return true;
    if (room > UINT32_MAX / 2)
        return false;
    larger = realloc(roster->mailboxes, room * sizeof(*larger));
    if (larger == NULL)
        return false;
    roster->mailboxes = larger;
    roster->room = room;
    return true;
}

enum status roster_add(struct roster *roster, const struct roster_row *row,
                       struct errtext *err)
{
    struct roster_mailbox *mailbox;
    const char *at = strrchr(row->address, '@');
    struct domain *domain = NULL;

    if (!make_room(roster))
        return status_no_memory(err);
    mailbox = &roster->mailboxes[roster->count];
    *mailbox = (struct roster_mailbox){
        .address = roster_address(roster, row->address),
        .print = row->print,
        .owner = (unsigned char)row->owner,
        .state = row->state,
    };
    if (row->owner == ROSTER_OWN) {
        domain = take_domain(roster, at != NULL ? at + 1 : "");
        if (domain == NULL)
            return status_no_memory(err);
        roster_id(roster, row->id, mailbox->id);
        mailbox->domain = domain->index;
        roster->list[domain->index].mailboxes++;
        roster->own++;
    }
    roster->count++;
    return roster->failed ? status_no_memory(err) : STATUS_OK;
}

/* Digests are spread evenly: the upper half says how far along. */
static size_t slot_of(const struct roster *roster, uint64_t digest)
{
    return (size_t)(((digest >> 32) * roster->slots) >> 32);
}

static size_t next_slot(const struct roster *roster, size_t slot)
{
    return slot + 1 < roster->slots ? slot + 1 : 0;
}

static size_t slot_of_id(const struct roster *roster,
                         const unsigned char id[ROSTER_ID_BYTES])
{
    uint64_t digest;

    memcpy(&digest, id, sizeof(digest));
    return slot_of(roster, digest);
}

static void place(const struct roster *roster, uint32_t *table, size_t slot,
                  size_t index)
{
    while (table[slot] != 0)
        slot = next_slot(roster, slot);
    table[slot] = (uint32_t)index + 1;
}

/* One that was added twice is there once. */
static void forget(struct roster *roster, const struct roster_mailbox *mailbox)
{
    if (mailbox->owner != ROSTER_OWN)
        return;
    roster->list[mailbox->domain].mailboxes--;
    roster->own--;
}

enum status roster_sort(struct roster *roster, struct errtext *err)
{
    size_t kept = 0;

    roster->slots = roster->count + roster->count / 3 + 1;
    roster->by_id = calloc(roster->slots, sizeof(*roster->by_id));
    roster->by_address = calloc(roster->slots, sizeof(*roster->by_address));
    if (roster->by_id == NULL || roster->by_address == NULL) {
        roster->slots = 0;
        return status_no_memory(err);
    }
    for (size_t i = 0; i < roster->count; i++) {
        const struct roster_mailbox *mailbox = &roster->mailboxes[i];

        if (roster_at(roster, mailbox->address) != NULL) {
            forget(roster, mailbox);
            continue;
        }
        roster->mailboxes[kept] = *mailbox;
        if (mailbox->owner == ROSTER_OWN)
            place(roster, roster->by_id, slot_of_id(roster, mailbox->id), kept);
        place(roster, roster->by_address, slot_of(roster, mailbox->address),
              kept);
        kept++;
    }
    roster->count = kept;
    return STATUS_OK;
}

struct roster_mailbox *roster_by_id(struct roster *roster, const char *id)
{
    unsigned char wanted[ROSTER_ID_BYTES];
    size_t slot;

    if (roster->slots == 0)
        return NULL;
    roster_id(roster, id, wanted);
    slot = slot_of_id(roster, wanted);
    for (; roster->by_id[slot] != 0; slot = next_slot(roster, slot)) {
        struct roster_mailbox *mailbox =
            &roster->mailboxes[roster->by_id[slot] - 1];

        if (memcmp(mailbox->id, wanted, ROSTER_ID_BYTES) == 0)
            return mailbox;
    }
    return NULL;
}

struct roster_mailbox *roster_by_address(struct roster *roster,
                                         const char *address)
{
    return roster_at(roster, roster_address(roster, address));
}

struct roster_mailbox *roster_at(struct roster *roster, uint64_t address)
{
    size_t slot;

    if (roster->slots == 0)
        return NULL;
    slot = slot_of(roster, address);
    for (; roster->by_address[slot] != 0; slot = next_slot(roster, slot)) {
        struct roster_mailbox *mailbox =
            &roster->mailboxes[roster->by_address[slot] - 1];

        if (mailbox->address == address)
            return mailbox;
    }
    return NULL;
}

struct roster_mailbox *roster_mailboxes(struct roster *roster, size_t *count_r)
{
    *count_r = roster->count;
    return roster->mailboxes;
}

struct roster_domain *roster_domains(struct roster *roster, size_t *count_r)
{
    *count_r = roster->domain_count;
    return roster->list;
}

struct roster_domain *roster_domain_named(struct roster *roster,
                                          const char *name)
{
    struct domain *domain = find_domain(roster, name);

    return domain != NULL ? &roster->list[domain->index] : NULL;
}

enum status roster_tell(struct roster *roster, const char *domain,
                        uint64_t mailboxes, struct errtext *err)
{
    struct domain *found = take_domain(roster, domain);

    if (found == NULL)
        return status_no_memory(err);
    roster->own -= roster->list[found->index].mailboxes;
    roster->own += mailboxes;
    roster->list[found->index].mailboxes = mailboxes;
    return STATUS_OK;
}

uint64_t roster_own(const struct roster *roster)
{
    return roster->own;
}
