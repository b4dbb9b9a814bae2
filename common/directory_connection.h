/*
 * directory_connection - one LDAP connection, with deadlines that hold
 *
 * The descriptor is ours and so is every wait: libldap reads and writes
 * through a layer that never blocks, never raises SIGPIPE and keeps what the
 * peer sent ahead, so that an answer costs one poll(2) and one recv(2). A peer
 * that sends a byte a second gains no time by it, in the TLS handshake neither.
 * What an answer may take up is bounded. One thread at a time.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_CONNECTION_H
#define COMMON_DIRECTORY_CONNECTION_H

#include "directory_health.h"
#include "directory_library.h"
#include "directory_resolver.h"
#include "settings.h"
#include "status.h"

#include <ldap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define DIRECTORY_ANSWER_BYTES_MAX (32U * 1024 * 1024) /* of one operation */
#define DIRECTORY_WIRE_BYTES 4096

struct directory_connection {
    LDAP *ld;
    int fd;
    /* For the pool: */
    size_t host;
    struct directory_turn turn;
    bool reused;       /* it has answered before */
    bool has_policies; /* the server knows the password policy control */
    bool has_scope;    /* ... and Active Directory's domain scope control */
    int64_t idle_since_ms;
    TAILQ_ENTRY(directory_connection) entry;
    /* For the layer below libldap: */
    Sockbuf *sockbuf;
    bool ended;      /* the peer closed, or sent too much */
    bool wants_room; /* something could not be sent yet */
    size_t received; /* bytes of this operation */
    size_t start, end;
    unsigned char wire[DIRECTORY_WIRE_BYTES];
};

/* Where and how to connect; everything borrowed. */
struct directory_route {
    const struct directory_settings *set;
    const struct directory_tls *tls; /* NULL: neither TLS nor StartTLS */
    const char *host;                /* as configured: its certificate's name */
    const struct directory_addresses *addresses; /* NULL: a unix socket */
};

/*
 * Connects, and with TLS or StartTLS by the route's settings, by deadline_ms.
 *
 * Returns STATUS_OK and an owned *conn_r (directory_connection_close); or
 * STATUS_TEMPFAIL.
 */
enum status directory_connection_open(const struct directory_route *route,
                                      int64_t deadline_ms,
                                      struct directory_connection **conn_r,
                                      struct errtext *err) MUST_CHECK;

/*
 * Frees *conn and sets it to NULL; it may be NULL. Never waits; a broken
 * connection is not even said good-bye.
 */
void directory_connection_close(struct directory_connection **conn,
                                bool broken);

/* A new operation begins: what it may receive is counted from here. */
void directory_connection_begin(struct directory_connection *conn);

/*
 * Waits for the next whole answer, of whatever operation. look_first: it may
 * have come already, together with another one.
 *
 * Returns LDAP_SUCCESS and an owned *answer_r (ldap_msgfree); or LDAP_TIMEOUT,
 * LDAP_SERVER_DOWN or another of libldap's codes: the connection is then of no
 * more use.
 */
int directory_connection_wait(struct directory_connection *conn,
                              bool look_first, int64_t deadline_ms,
                              LDAPMessage **answer_r) MUST_CHECK;

/*
 * Waits for the next message of the one operation in flight: an entry, a
 * reference, or its end. What one message may take up is bounded, not how many
 * there are. Returns as directory_connection_wait.
 */
int directory_connection_next(struct directory_connection *conn,
                              int64_t deadline_ms,
                              LDAPMessage **message_r) MUST_CHECK;

/* What a server answered; the text is cut, terminated and not to be trusted. */
struct directory_answer {
    int code;
    bool must_change; /* yes, but the password has to be changed first */
    char text[ERRTEXT_SIZE];
};

/* Reads code and text of a whole answer. Returns an LDAP result code. */
int directory_connection_read(struct directory_connection *conn,
                              LDAPMessage *message,
                              struct directory_answer *answer_r) MUST_CHECK;

/*
 * Asks the server's root entry for the controls we like to send: to one that
 * does not know them, slapd would log a complaint at each bind. Sets
 * has_policies and has_scope; returns LDAP_SUCCESS, whatever the answer is, or
 * as directory_connection_wait.
 */
int directory_connection_ask_controls(struct directory_connection *conn,
                                      int64_t deadline_ms) MUST_CHECK;

/*
 * Sends a search, with one more control unless it is NULL. A server with a
 * domain scope control is told to leave out what other servers have. Returns an
 * LDAP result code and *msgid_r.
 */
int directory_connection_search(struct directory_connection *conn,
                                const char *base, int scope, const char *filter,
                                char **attributes, int size_limit,
                                LDAPControl *more, int *msgid_r) MUST_CHECK;

/*
 * Binds. Where the server says more with a password policy control, its text
 * is the answer's, after a success too: "" or how long the password is good
 * for. Returns LDAP_SUCCESS and *answer_r, or as directory_connection_wait.
 */
int directory_connection_bind(struct directory_connection *conn, const char *dn,
                              const char *password, int64_t deadline_ms,
                              struct directory_answer *answer_r) MUST_CHECK;

#endif
