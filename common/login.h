/*
 * login - the whole decision of one attempt (design section 3)
 *
 * The same sequence for every door and protocol: name, memories, throttle,
 * store, app passwords, local hash or directory, whose mailbox, provisioning,
 * gates. A struct login holds what attempts share; attempts run in many
 * threads. Whatever happens, an attempt ends by its deadline.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_LOGIN_H
#define COMMON_LOGIN_H

#include "decision.h"
#include "memory.h"
#include "password.h"
#include "settings.h"
#include "status.h"
#include "store.h"
#include "throttle.h"

#include <stdbool.h>
#include <stdint.h>

/* What outlives a reload of the settings; owned by the program. */
struct login_shared {
    struct memory *memory;
    struct throttle *throttle;
    struct password_gate *gate;
};

struct login;

/*
 * Makes the login of these settings: its store and its directories. settings
 * and shared are borrowed and must outlive it. No server is contacted.
 *
 * Returns STATUS_OK and an owned *login_r; STATUS_INVALID for settings that a
 * library refuses; STATUS_TEMPFAIL.
 */
enum status login_open(const struct settings *settings,
                       const struct login_shared *shared,
                       struct login **login_r, struct errtext *err) MUST_CHECK;

/* No attempt may be in flight. Writes waiting last logins, frees *login. */
void login_close(struct login **login);

/* One attempt; everything borrowed for the time of the call. */
struct login_request {
    const char *user;     /* as the client typed it */
    const char *password; /* a secret */
    const char *service;  /* "smtp", "imap", ... */
    const char *realm;    /* "" none */
    const char *client;   /* "192.0.2.7;4711", "192.0.2.7", "" unknown */
    bool canonical_only;  /* the door keeps the typed name: it must be ours */
    bool rehearse;        /* for `why`: nothing is written, remembered, counted
                             or taken from memory; password may be NULL, and is
                             then taken for the right one */
    bool provision;       /* for mail that comes in: no password and no login;
                             makes sure that the person's mailbox exists, and is
                             neither remembered, counted nor a last login;
                             password is NULL. LOGIN_REFUSED: there is no such
                             person, or the mailbox must not be made */
    bool keys;            /* for SCRAM: whoever has these keys may compare
                             them himself; password is NULL, and nothing is
                             written, remembered or counted. LOGIN_REFUSED:
                             the person has none */
    int64_t deadline_ms;
};

/* What came out; for the reply and for the one log line. Starts as {0}. */
struct login_answer {
    enum login_result result;
    const char *reason;  /* constant code */
    char *address;       /* canonical; owned; NULL unless it is known */
    char *directory;     /* settings name; owned; NULL if none was asked */
    const char *made;    /* "create", "update", ... constant; "" nothing */
    const char *how;     /* "bind", "remembered", "shared_bind",
                            "app_password", "local", "keys"; constant */
    char *keys;          /* a secret, owned; where they were asked for, of
                            LOGIN_IN the person's, of LOGIN_REFUSED some that
                            nothing fits; NULL: none */
    struct errtext text; /* the sentence behind the reason; "" if none */
};

/* Frees what answer holds and makes it {0} again. */
void login_answer_clear(struct login_answer *answer);

/* Decides one attempt; *answer_r is always set (login_answer_clear). */
void login_attempt(struct login *login, const struct login_request *request,
                   struct login_answer *answer_r);

/* The directories of this login, for the control socket and metrics. */
size_t login_directory_count(const struct login *login);
struct directory *login_directory(struct login *login, size_t index);
struct store *login_store(struct login *login);

/* Forgets all that is remembered of user, or all for NULL; returns a count. */
size_t login_flush(struct login *login, const char *user);

/*
 * Writes the last logins collected since the last call; a program calls it
 * every few seconds from a thread of its own. They are bounded in number; what
 * could not be written stays for the next call.
 */
enum status login_write_behind(struct login *login, int64_t deadline_ms,
                               struct errtext *err) MUST_CHECK;

#endif
