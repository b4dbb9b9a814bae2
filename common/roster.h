/*
 * roster - who has which mailbox, in little memory, while a directory is read
 *
 * Each mailbox of the store is 48 bytes here and 11 in two tables, each person
 * who needs a closer look 48, whatever their names are: digests stand for ids
 * and addresses. They are keyed by a random key of this object, so that nobody
 * can choose an address that is taken for another one. Pure but for that key.
 * Sort once, after the last mailbox; then ask. One that was added twice counts
 * once.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_ROSTER_H
#define COMMON_ROSTER_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROSTER_ID_BYTES 16

/* Whose a mailbox is, seen from the directory that is read. */
enum roster_owner {
    ROSTER_OWN,    /* this directory's, with an id */
    ROSTER_UNSURE, /* source ldap, without an id: whoever is found there */
    ROSTER_FOREIGN /* local, another directory's, or an alias */
};

struct roster_mailbox {
    unsigned char id[ROSTER_ID_BYTES]; /* zero unless ROSTER_OWN */
    uint64_t address;                  /* digest */
    uint64_t print;                    /* of the entry; 0: look again */
    uint32_t domain;                   /* see roster_domains */
    unsigned char owner;               /* enum roster_owner */
    unsigned char state;               /* the caller's */
    bool seen;                         /* the person is in the directory */
    bool leaves; /* the person is about to get another address */
};

/* A domain with mailboxes of ROSTER_OWN. */
struct roster_domain {
    const char *name;
    uint64_t mailboxes;
    uint64_t wanted; /* the caller's counts of removals */
    uint64_t of_a_day;
};

struct roster;

/* STATUS_OK and an owned *roster_r, or STATUS_TEMPFAIL. */
enum status roster_new(struct roster **roster_r,
                       struct errtext *err) MUST_CHECK;
void roster_free(struct roster **roster);

/* What is added; texts borrowed for the call. */
struct roster_row {
    const char *address;
    const char *id; /* ROSTER_OWN */
    uint64_t print;
    enum roster_owner owner;
    unsigned char state;
};
enum status roster_add(struct roster *roster, const struct roster_row *row,
                       struct errtext *err) MUST_CHECK;

/* Gives each a place by id and by address. */
enum status roster_sort(struct roster *roster, struct errtext *err) MUST_CHECK;

/* The mailbox of that id or at that address, or NULL. Lives as the roster. */
struct roster_mailbox *roster_by_id(struct roster *roster, const char *id);
struct roster_mailbox *roster_by_address(struct roster *roster,
                                         const char *address);

/* The same for a digest. */
struct roster_mailbox *roster_at(struct roster *roster, uint64_t address);

/* All of them, as they were added. */
struct roster_mailbox *roster_mailboxes(struct roster *roster, size_t *count_r);

/* All domains with own mailboxes, and the one of a name, or NULL. */
struct roster_domain *roster_domains(struct roster *roster, size_t *count_r);
struct roster_domain *roster_domain_named(struct roster *roster,
                                          const char *name);

/*
 * For a roster that has only some of the mailboxes: how many there are of
 * ROSTER_OWN in a domain. STATUS_OK, or STATUS_TEMPFAIL without memory.
 */
enum status roster_tell(struct roster *roster, const char *domain,
                        uint64_t mailboxes, struct errtext *err) MUST_CHECK;

/* How many mailboxes are ROSTER_OWN. */
uint64_t roster_own(const struct roster *roster);

/* The digest of an address, as in roster_mailbox. */
uint64_t roster_address(struct roster *roster, const char *address);

/* The digest of an id. */
void roster_id(struct roster *roster, const char *id,
               unsigned char out[ROSTER_ID_BYTES]);

#endif
