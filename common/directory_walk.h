/*
 * directory_walk - reads everybody in a directory, page by page
 *
 * The people are those who match `filter` and have a value of username_field,
 * under every base DN, in simple paged results (RFC 2696). What counts is
 * whether the reading was complete: only an answer in which every page of every
 * base ended with success, and no reference to another server was left unread,
 * says that a person who is not in it is not there.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_WALK_H
#define COMMON_DIRECTORY_WALK_H

#include "directory.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

#define DIRECTORY_PAGE_ENTRIES 500

/* Why a reading is not complete. */
enum directory_gap {
    DIRECTORY_NO_GAP,
    DIRECTORY_SIZE_LIMIT, /* the server gives no more to this identity */
    DIRECTORY_REFERENCES, /* some of it lies on another server */
    DIRECTORY_NO_BASE,    /* a base DN is not there, or may not be read */
    DIRECTORY_STOPPED,    /* the caller had enough */
    DIRECTORY_BROKEN      /* no answer to a page: down, busy, too slow */
};

/* Returns a constant code for logs ("size_limit", ...). */
const char *directory_gap_name(enum directory_gap gap);

/* Who is told; both return false to end the walk. */
struct directory_walker {
    /* One person; borrowed for the time of the call. */
    bool (*person)(void *context, const struct directory_entry *entry);
    /*
     * One entry whose values cannot be used; err names DN and attribute. id is
     * borrowed, NULL if that cannot be read either.
     */
    bool (*unusable)(void *context, const char *id, const struct errtext *err);
    void *context;
};

struct directory_walked {
    uint64_t people;   /* handed to person */
    uint64_t unusable; /* handed to unusable */
    uint64_t pages;
    uint64_t references; /* continuation references that came, unread */
    enum directory_gap gap;
};

/*
 * Reads all pages and hands each person over as they come. The server may take
 * page_ms for a page; the time of the calls is not in it. A person who is under
 * two base DNs is handed over twice. `disabled` of an entry is asked of the
 * server by disabled_filter, beforehand. Other calls on dir may run meanwhile.
 *
 * Returns STATUS_OK: complete, walked_r->gap is DIRECTORY_NO_GAP. Or
 * STATUS_TEMPFAIL: not complete, gap and err say why; what walked_r counts was
 * handed over all the same. STATUS_INVALID: libldap refuses the filter.
 */
enum status directory_walk(struct directory *dir,
                           const struct directory_walker *walker,
                           int64_t page_ms, struct directory_walked *walked_r,
                           struct errtext *err) MUST_CHECK;

/* What the root entry of a server says of itself (RFC 4512, 5.1). */
struct directory_abilities {
    bool paged;        /* simple paged results, RFC 2696 */
    bool syncrepl;     /* content synchronization, RFC 4533 */
    bool domain_scope; /* Active Directory's control against references */
    bool active_directory;
    bool policies; /* password policy control */
    char vendor[64];
    char clock[40]; /* AD's currentTime; "": not told */
};

/*
 * Asks the root entry of the first host that answers.
 * Returns STATUS_OK, or STATUS_TEMPFAIL.
 */
enum status directory_ask_abilities(struct directory *dir, int64_t deadline_ms,
                                    struct directory_abilities *out,
                                    struct errtext *err) MUST_CHECK;

#endif
