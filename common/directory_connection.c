/* directory_connection - see directory_connection.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_connection.h"

#include "clock.h"
#include "directory_result.h"
#include "directory_socket.h"
#include "secret.h"
#include "strbuf.h"

#include <errno.h>
#include <openldap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define URL_BYTES_MAX 1024

static int wire_setup(Sockbuf_IO_Desc *io, void *arg)
{
    io->sbiod_pvt = arg;
    return 0;
}

static int wire_ctrl(Sockbuf_IO_Desc *io, int option, void *arg)
{
    const struct directory_connection *conn = io->sbiod_pvt;

    (void)arg;
    if (option == LBER_SB_OPT_DATA_READY)
        return conn->start < conn->end || conn->ended;
    return 0;
}

/*
 * Takes what the peer has sent into the empty wire buffer. Returns how many
 * bytes, 0 at the end, or -1 with errno; EAGAIN when there is nothing yet.
 */
static ssize_t fill(struct directory_connection *conn)
{
    ssize_t len;

    do {
        len = recv(conn->fd, conn->wire, sizeof(conn->wire), MSG_DONTWAIT);
    } while (len < 0 && errno == EINTR);
    if (len > 0) {
        conn->start = 0;
        conn->end = (size_t)len;
        conn->received += (size_t)len;
    }
    if (len == 0 || conn->received > DIRECTORY_ANSWER_BYTES_MAX)
        conn->ended = true;
    return len;
}

static ber_slen_t wire_read(Sockbuf_IO_Desc *io, void *buf, ber_len_t len)
{
    struct directory_connection *conn = io->sbiod_pvt;
    size_t held;

    if (conn->ended && conn->received > DIRECTORY_ANSWER_BYTES_MAX)
        return 0;
    if (conn->start == conn->end) {
        ssize_t got = conn->ended ? 0 : fill(conn);

        if (got <= 0)
            return got;
    }
    held = conn->end - conn->start;
    if (len > held)
        len = held;
    memcpy(buf, conn->wire + conn->start, len);
    conn->start += len;
    return (ber_slen_t)len;
}

static ber_slen_t wire_write(Sockbuf_IO_Desc *io, void *buf, ber_len_t len)
{
    struct directory_connection *conn = io->sbiod_pvt;
    ssize_t sent;

    do {
        sent = send(conn->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    conn->wants_room = sent < 0 && errno == EAGAIN;
    return sent;
}

/* The descriptor is closed with the connection, whatever libldap thinks. */
static Sockbuf_IO wire_io = {
    .sbi_setup = wire_setup,
    .sbi_ctrl = wire_ctrl,
    .sbi_read = wire_read,
    .sbi_write = wire_write,
};

/*
 * Above TLS: what was sent is wiped, because a bind holds a password and
 * libldap keeps the encoded request until it is answered, then just frees it.
 */
static ber_slen_t wiping_write(Sockbuf_IO_Desc *io, void *buf, ber_len_t len)
{
    ber_slen_t sent = LBER_SBIOD_WRITE_NEXT(io, buf, len);

    if (sent > 0)
        secret_wipe(buf, (size_t)sent);
    return sent;
}

static ber_slen_t passing_read(Sockbuf_IO_Desc *io, void *buf, ber_len_t len)
{
    return LBER_SBIOD_READ_NEXT(io, buf, len);
}

static int passing_ctrl(Sockbuf_IO_Desc *io, int option, void *arg)
{
    return LBER_SBIOD_CTRL_NEXT(io, option, arg);
}

static Sockbuf_IO wiping_io = {
    .sbi_ctrl = passing_ctrl,
    .sbi_read = passing_read,
    .sbi_write = wiping_write,
};

void directory_connection_close(struct directory_connection **conn, bool broken)
{
    if (*conn == NULL)
        return;
    if (broken)
        (void)shutdown((*conn)->fd, SHUT_RDWR);
    if ((*conn)->ld != NULL)
        (void)ldap_unbind_ext((*conn)->ld, NULL, NULL);
    (void)close((*conn)->fd);
    free(*conn);
    *conn = NULL;
}

void directory_connection_begin(struct directory_connection *conn)
{
    conn->received = conn->end - conn->start;
}

/* Waits until there is something to read, or room to write. */
static int wait_for_peer(struct directory_connection *conn, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd ready = {.fd = conn->fd, .events = POLLIN};
        int left_ms = clock_left_ms(deadline_ms);
        int rc;

        if (conn->wants_room)
            ready.events |= POLLOUT;
        rc = poll(&ready, 1, left_ms);
        if (rc < 0 && errno != EINTR)
            return LDAP_SERVER_DOWN;
        if (rc == 0)
            return LDAP_TIMEOUT;
        if (rc < 0)
            continue;
        if ((ready.revents & POLLOUT) != 0)
            return LDAP_SUCCESS;
        if (fill(conn) >= 0)
            return LDAP_SUCCESS;
        if (errno != EAGAIN)
            return LDAP_SERVER_DOWN;
    }
}

static int error_of(LDAP *ld)
{
    int code = LDAP_SERVER_DOWN;

    (void)ldap_get_option(ld, LDAP_OPT_RESULT_CODE, &code);
    return code != LDAP_SUCCESS ? code : LDAP_SERVER_DOWN;
}

/* how: LDAP_MSG_ALL or LDAP_MSG_ONE. */
static int wait_for_message(struct directory_connection *conn, int how,
                            bool look_first, int64_t deadline_ms,
                            LDAPMessage **answer_r)
{
    bool look = look_first;

    for (;;) {
        struct timeval no_wait = {.tv_sec = 0, .tv_usec = 0};
        LDAPMessage *answer = NULL;
        int rc;

        if (!look &&
            !ber_sockbuf_ctrl(conn->sockbuf, LBER_SB_OPT_DATA_READY, NULL)) {
            rc = wait_for_peer(conn, deadline_ms);
            if (rc != LDAP_SUCCESS)
                return rc;
        }
        look = false;
        rc = ldap_result(conn->ld, LDAP_RES_ANY, how, &no_wait, &answer);
        if (rc > 0) {
            *answer_r = answer;
            return LDAP_SUCCESS;
        }
        ldap_msgfree(answer);
        if (rc < 0)
            return error_of(conn->ld);
        /* A peer may always send one more byte. */
        if (clock_left_ms(deadline_ms) == 0)
            return LDAP_TIMEOUT;
    }
}

int directory_connection_wait(struct directory_connection *conn,
                              bool look_first, int64_t deadline_ms,
                              LDAPMessage **answer_r)
{
    return wait_for_message(conn, LDAP_MSG_ALL, look_first, deadline_ms,
                            answer_r);
}

int directory_connection_next(struct directory_connection *conn,
                              int64_t deadline_ms, LDAPMessage **message_r)
{
    directory_connection_begin(conn);
    return wait_for_message(conn, LDAP_MSG_ONE, false, deadline_ms, message_r);
}

/* How long a password that was right is good for, in words. */
static void tell_policy(ber_int_t expire, ber_int_t grace, char *text,
                        size_t size)
{
    if (grace >= 0)
        (void)snprintf(text, size,
                       "the password has expired, grace logins left: %d",
                       (int)grace);
    else if (expire >= 0)
        (void)snprintf(text, size, "the password expires in %d s", (int)expire);
}

/* The words of a policy control, if there is one, replace the text. */
static void read_policy(struct directory_connection *conn,
                        LDAPControl **controls, struct directory_answer *answer)
{
    LDAPControl *policy =
        ldap_control_find(LDAP_CONTROL_PASSWORDPOLICYRESPONSE, controls, NULL);
    LDAPPasswordPolicyError error = PP_noError;
    ber_int_t expire = -1;
    ber_int_t grace = -1;

    if (policy == NULL ||
        ldap_parse_passwordpolicy_control(conn->ld, policy, &expire, &grace,
                                          &error) != LDAP_SUCCESS)
        return;
    answer->must_change = error == PP_changeAfterReset;
    if (error != PP_noError)
        (void)snprintf(answer->text, sizeof(answer->text), "%s",
                       ldap_passwordpolicy_err2txt(error));
    else if (answer->code == LDAP_SUCCESS)
        tell_policy(expire, grace, answer->text, sizeof(answer->text));
}

int directory_connection_read(struct directory_connection *conn,
                              LDAPMessage *message,
                              struct directory_answer *answer_r)
{
    struct directory_answer answer = {.code = LDAP_OTHER};
    LDAPControl **controls = NULL;
    char *text = NULL;
    int rc = ldap_parse_result(conn->ld, message, &answer.code, NULL, &text,
                               NULL, &controls, 0);

    if (rc != LDAP_SUCCESS)
        return rc;
    (void)snprintf(answer.text, sizeof(answer.text), "%s",
                   text != NULL ? text : "");
    if (controls != NULL)
        read_policy(conn, controls, &answer);
    ldap_controls_free(controls);
    ldap_memfree(text);
    *answer_r = answer;
    return LDAP_SUCCESS;
}

/* Waits for the answer to the one operation in flight, and reads it. */
static int wait_and_read(struct directory_connection *conn, int msgid,
                         int64_t deadline_ms, struct directory_answer *answer_r)
{
    LDAPMessage *message = NULL;
    int rc = directory_connection_wait(conn, false, deadline_ms, &message);

    if (rc != LDAP_SUCCESS)
        return rc;
    /* Anything else is a notice of disconnection, or nothing we asked for. */
    if (ldap_msgid(message) == msgid)
        rc = directory_connection_read(conn, message, answer_r);
    else
        rc = LDAP_SERVER_DOWN;
    ldap_msgfree(message);
    return rc;
}

int directory_connection_bind(struct directory_connection *conn, const char *dn,
                              const char *password, int64_t deadline_ms,
                              struct directory_answer *answer_r)
{
    char oid[] = LDAP_CONTROL_PASSWORDPOLICYREQUEST;
    LDAPControl policy = {.ldctl_oid = oid};
    LDAPControl *controls[] = {conn->has_policies ? &policy : NULL, NULL};
    size_t len = strlen(password);
    struct berval secret = {.bv_len = len};
    char *copy = malloc(len + 1);
    int msgid = 0;
    int rc;

    /* libldap wants a writable text. */
    if (copy == NULL)
        return LDAP_NO_MEMORY;
    memcpy(copy, password, len + 1);
    secret.bv_val = copy;
    directory_connection_begin(conn);
    rc = ldap_sasl_bind(conn->ld, dn, LDAP_SASL_SIMPLE, &secret, controls, NULL,
                        &msgid);
    secret_free(&copy);
    if (rc != LDAP_SUCCESS)
        return rc;
    return wait_and_read(conn, msgid, deadline_ms, answer_r);
}

static bool has_value(struct berval **values, const char *text)
{
    for (size_t i = 0; values != NULL && values[i] != NULL; i++) {
        if (values[i]->bv_val != NULL && strcmp(values[i]->bv_val, text) == 0)
            return true;
    }
    return false;
}

static void read_controls(struct directory_connection *conn,
                          LDAPMessage *message)
{
    LDAPMessage *root = ldap_first_entry(conn->ld, message);
    struct berval **values = NULL;

    if (root != NULL)
        values = ldap_get_values_len(conn->ld, root, "supportedControl");
    conn->has_policies = has_value(values, LDAP_CONTROL_PASSWORDPOLICYREQUEST);
    conn->has_scope = has_value(values, LDAP_CONTROL_X_DOMAIN_SCOPE);
    ldap_value_free_len(values);
}

int directory_connection_ask_controls(struct directory_connection *conn,
                                      int64_t deadline_ms)
{
    char attribute[] = "supportedControl";
    char *attributes[] = {attribute, NULL};
    LDAPMessage *message = NULL;
    int msgid = 0;
    int rc;

    directory_connection_begin(conn);
    rc = ldap_search_ext(conn->ld, "", LDAP_SCOPE_BASE, "(objectClass=*)",
                         attributes, 0, NULL, NULL, NULL, 1, &msgid);
    if (rc == LDAP_SUCCESS)
        rc = directory_connection_wait(conn, false, deadline_ms, &message);
    if (rc != LDAP_SUCCESS)
        return rc;
    if (ldap_msgid(message) == msgid)
        read_controls(conn, message);
    else
        rc = LDAP_SERVER_DOWN;
    ldap_msgfree(message);
    return rc;
}

int directory_connection_search(struct directory_connection *conn,
                                const char *base, int scope, const char *filter,
                                char **attributes, int size_limit,
                                LDAPControl *more, int *msgid_r)
{
    char oid[] = LDAP_CONTROL_X_DOMAIN_SCOPE;
    LDAPControl domain = {.ldctl_oid = oid};
    LDAPControl *controls[3] = {NULL, NULL, NULL};
    size_t count = 0;

    if (conn->has_scope)
        controls[count++] = &domain;
    controls[count] = more;
    return ldap_search_ext(conn->ld, base, scope, filter, attributes, 0,
                           controls, NULL, NULL, size_limit, msgid_r);
}

static void explain(struct directory_connection *conn, const char *what, int rc,
                    struct errtext *err)
{
    char *text = NULL;

    if (conn->ld != NULL)
        (void)ldap_get_option(conn->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text);
    if (text != NULL && text[0] != '\0')
        errtext_set(err, "%s: %s (%s)", what, directory_code_text(rc), text);
    else
        errtext_set(err, "%s: %s", what, directory_code_text(rc));
    ldap_memfree(text);
}

/*
 * The URL is never connected to; the host in it is what the certificate has
 * to name. A numeric IPv6 host needs its brackets.
 */
static bool make_url(const struct directory_route *route, char *url,
                     size_t size)
{
    bool bracket = strchr(route->host, ':') != NULL;
    int len = route->addresses == NULL
                  ? snprintf(url, size, "ldapi://")
                  : snprintf(url, size, "ldap://%s%s%s:%u", bracket ? "[" : "",
                             route->host, bracket ? "]" : "", route->set->port);

    return len > 0 && (size_t)len < size;
}

/* Wraps the connected descriptor into a handle. */
static int make_handle(struct directory_connection *conn,
                       const struct directory_route *route)
{
    char url[URL_BYTES_MAX];
    ber_len_t max = DIRECTORY_ANSWER_BYTES_MAX;
    int rc;

    if (!make_url(route, url, sizeof(url)))
        return LDAP_PARAM_ERROR;
    rc = ldap_init_fd(conn->fd, LDAP_PROTO_EXT, url, &conn->ld);
    if (rc != LDAP_SUCCESS)
        return rc;
    if (ldap_get_option(conn->ld, LDAP_OPT_SOCKBUF, &conn->sockbuf) != 0 ||
        ber_sockbuf_add_io(conn->sockbuf, &wire_io, LBER_SBIOD_LEVEL_PROVIDER,
                           conn) != 0) {
        /* Without memory for its layer, libldap cannot free a handle. */
        conn->ld = NULL;
        return LDAP_NO_MEMORY;
    }
    if (ber_sockbuf_add_io(conn->sockbuf, &wiping_io,
                           LBER_SBIOD_LEVEL_APPLICATION, NULL) != 0)
        return LDAP_NO_MEMORY;
    (void)ber_sockbuf_ctrl(conn->sockbuf, LBER_SB_OPT_SET_MAX_INCOMING, &max);
    return directory_library_prepare(conn->ld);
}

/* Asks for TLS on an open connection (RFC 4511 section 4.14). */
static int ask_for_tls(struct directory_connection *conn, int64_t deadline_ms,
                       struct directory_answer *answer_r)
{
    int msgid = 0;
    int rc = ldap_start_tls(conn->ld, NULL, NULL, &msgid);

    if (rc == LDAP_SUCCESS)
        rc = wait_and_read(conn, msgid, deadline_ms, answer_r);
    /* Whoever sent more than the answer wants it read as if it came by TLS. */
    if (rc == LDAP_SUCCESS && conn->start < conn->end)
        rc = LDAP_PROTOCOL_ERROR;
    return rc;
}

static int shake_hands(struct directory_connection *conn,
                       const struct directory_tls *tls, int64_t deadline_ms)
{
    int left_ms = clock_left_ms(deadline_ms);
    struct timeval left = {
        .tv_sec = left_ms / 1000,
        .tv_usec = (suseconds_t)(left_ms % 1000) * 1000,
    };
    int rc = directory_tls_apply(tls, conn->ld);

    if (rc == LDAP_SUCCESS &&
        ldap_set_option(conn->ld, LDAP_OPT_NETWORK_TIMEOUT, &left) != 0)
        rc = LDAP_LOCAL_ERROR;
    if (rc == LDAP_SUCCESS)
        rc = ldap_install_tls(conn->ld);
    return rc;
}

/* Makes the connection private, where the settings want it. */
static enum status secure(struct directory_connection *conn,
                          const struct directory_route *route,
                          int64_t deadline_ms, struct errtext *err)
{
    struct directory_answer answer = {.code = LDAP_SUCCESS};
    int rc = LDAP_SUCCESS;

    if (!route->set->use_ssl) {
        rc = ask_for_tls(conn, deadline_ms, &answer);
        if (rc == LDAP_SUCCESS)
            rc = answer.code;
        if (rc != LDAP_SUCCESS) {
            errtext_set(err, "StartTLS: %s%s%s", directory_code_text(rc),
                        answer.text[0] != '\0' ? ": " : "", answer.text);
            return STATUS_TEMPFAIL;
        }
    }
    rc = shake_hands(conn, route->tls, deadline_ms);
    if (rc == LDAP_SUCCESS)
        return STATUS_OK;
    explain(conn, "TLS handshake", rc, err);
    return STATUS_TEMPFAIL;
}

static enum status connect_to(const struct directory_route *route,
                              int64_t deadline_ms, int *fd_r,
                              struct errtext *err)
{
    if (route->addresses == NULL)
        return directory_socket_local(route->host, deadline_ms, fd_r, err);
    return directory_socket_connect(route->addresses, deadline_ms, fd_r, err);
}

enum status directory_connection_open(const struct directory_route *route,
                                      int64_t deadline_ms,
                                      struct directory_connection **conn_r,
                                      struct errtext *err)
{
    struct directory_connection *conn = calloc(1, sizeof(*conn));
    enum status status;
    int rc;

    if (conn == NULL)
        return status_no_memory(err);
    status = connect_to(route, deadline_ms, &conn->fd, err);
    if (status != STATUS_OK) {
        free(conn);
        return status;
    }
    rc = make_handle(conn, route);
    if (rc != LDAP_SUCCESS) {
        explain(conn, "LDAP handle", rc, err);
        status = STATUS_TEMPFAIL;
    } else if (route->tls != NULL && route->addresses != NULL) {
        status = secure(conn, route, deadline_ms, err);
    }
    if (status == STATUS_OK)
        *conn_r = conn;
    else
        directory_connection_close(&conn, true);
    return status;
}
