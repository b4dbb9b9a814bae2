/*
 * login_private - what the rooms of login share; nobody else includes it
 *
 * login.c holds the sequence of an attempt, login_directory.c what happens
 * between the directory and the mailbox, login_keys.c SCRAM, login_behind.c the
 * last logins, login_notes.c who was not let in.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_LOGIN_PRIVATE_H
#define COMMON_LOGIN_PRIVATE_H

#include "address.h"
#include "directory.h"
#include "login.h"

#include <pthread.h>

/* One directory, and how many attempts are in it. */
struct login_directory {
    const struct directory_settings *set;
    struct directory *dir;
    pthread_mutex_t lock;
    pthread_cond_t left; /* an attempt went out */
    unsigned in_flight;
    unsigned in_flight_max;
    int64_t moved_ms; /* when an attempt last went in or out */
};

struct login_behind;
struct login_notes;

/* An attempt that was not let in; everything borrowed. */
struct login_failure {
    const char *address;   /* as typed, canonical, or the mailbox's */
    const char *directory; /* NULL: none was asked */
    const char *result;    /* login_result_name */
    const char *reason;    /* constant code */
    const char *service;   /* "smtp", ... */
    const char *client;    /* "" unknown */
    bool known;            /* it is somebody, not any name that was typed */
    bool told;             /* an event says already why not */
};

struct login {
    const struct settings *settings;
    const struct login_shared *shared;
    struct store *store;
    struct login_directory *directories;
    size_t directory_count;
    struct login_behind *behind;
    struct login_notes *notes;
};

/* One attempt on its way; what it owns is freed by attempt_clear. */
struct attempt {
    struct login *login;
    const struct login_request *request;
    struct login_answer *answer;
    unsigned service;
    char client[64];           /* "192.0.2.7", "" unknown */
    struct address_login name; /* owned; what the client typed, canonical */
    struct store_found found;  /* owned; the mailbox at name, or chosen */
    bool asking;               /* memory_answered is due */
    bool bind_shared;          /* another attempt's bind said yes */
    bool known_wrong;          /* the directory called this pair wrong */
    bool told;                 /* an event says already why not */
    uint64_t app_password;
    uint64_t epoch; /* of the memory, before anything was checked */
};

/* Ends the attempt with a decision, unless an earlier gate already did. */
void attempt_decide(struct attempt *attempt, struct decision decision);

/* Ends as temporary: `err` says what did not answer. */
void attempt_no_answer(struct attempt *attempt, const char *reason,
                       const struct errtext *err);

/*
 * Decides by the gates behind a right password, for the mailbox as it is or is
 * about to be, in the domain of attempt->found.
 */
void attempt_pass_gates(struct attempt *attempt, const struct account *account);

/* Tells the memory how the bind went, once. */
void attempt_tell_memory(struct attempt *attempt, enum memory_outcome outcome);

/*
 * Checks the password at the directory, finds out whose mailbox it is, and
 * makes or updates it. Sets answer's result, reason, address, directory, made
 * and text.
 */
void login_by_directory(struct attempt *attempt);

/*
 * Finds the keys of the person at attempt->name. Sets answer's result, reason,
 * address, keys and text.
 */
void login_by_keys(struct attempt *attempt);

/* STATUS_OK and an owned *behind_r, or STATUS_TEMPFAIL. */
enum status login_behind_new(struct login_behind **behind_r,
                             struct errtext *err) MUST_CHECK;

/* Frees *behind and sets it to NULL; what was not written is lost. */
void login_behind_free(struct login_behind **behind);

/* Collects one success; the newest of (address, service, app password)
 * counts. */
void login_behind_add(struct login_behind *behind,
                      const struct store_login *seen);

/* Writes what was collected; keeps it if the store does not answer. */
enum status login_behind_write(struct login_behind *behind, struct store *store,
                               int64_t deadline_ms,
                               struct errtext *err) MUST_CHECK;

#define LOGIN_NOTES_MAX 2000 /* wait; beyond it, new ones are dropped */
/* An hour, of names that nobody vouches for. */
#define LOGIN_STRANGERS_MAX 100

/* STATUS_OK and an owned *notes_r, or STATUS_TEMPFAIL. */
enum status login_notes_new(struct login_notes **notes_r,
                            struct errtext *err) MUST_CHECK;

/* Frees *notes and sets it to NULL; what was not written is lost. */
void login_notes_free(struct login_notes **notes);

/*
 * Collects an attempt that was not let in, for the history of its person:
 * counted by address, reason, service and client. The password is not in it.
 * What waits is bounded, and so is what a person has in the store, so that
 * guessing fills neither memory nor disk.
 */
void login_notes_add(struct login_notes *notes,
                     const struct login_failure *failure);

/* Writes what was collected; keeps it if the store does not answer. */
enum status login_notes_write(struct login_notes *notes, struct store *store,
                              int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;

#endif
