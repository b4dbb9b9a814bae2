/*
 * directory_follow_private - what the two rooms of directory_follow share
 *
 * directory_follow.c has the ways, cookies and waiting, directory_follow_sync.c
 * the messages of RFC 4533.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_FOLLOW_PRIVATE_H
#define COMMON_DIRECTORY_FOLLOW_PRIVATE_H

#include "directory_follow.h"
#include "directory_pool.h"

#include <ldap.h>
#include <stdbool.h>

/* One base DN that is followed. */
struct line {
    const char *base;
    char *cookie; /* owned; "": none yet */
    int msgid;    /* 0: not asked */
    bool done;
};

struct directory_follow {
    struct directory *dir;
    struct directory_connection *conn;
    enum directory_way way;
    char server[256]; /* dsServiceName */
    char highest[32]; /* highestCommittedUSN when asked */
    struct line *lines;
    size_t line_count;
    bool persists;
    struct text_list changed; /* usernames to be found */
};

/* Says what failed with an LDAP result code; returns STATUS_TEMPFAIL. */
enum status directory_follow_failed(const char *what, int rc,
                                    struct errtext *err) MUST_CHECK;

/* Sends the searches that are not under way. STATUS_OK or STATUS_TEMPFAIL. */
enum status directory_follow_ask(struct directory_follow *follow,
                                 struct errtext *err) MUST_CHECK;

/*
 * Takes one message: keeps its cookie, and who came or changed in
 * follow->changed. STATUS_DENIED: the server does not go on from the cookie.
 */
enum status directory_follow_take(struct directory_follow *follow,
                                  LDAPMessage *one,
                                  struct errtext *err) MUST_CHECK;

/* True if all searches have ended. */
bool directory_follow_done(const struct directory_follow *follow);

#endif
