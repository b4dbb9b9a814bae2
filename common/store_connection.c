/* store_connection - see store_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_private.h"

#include "clock.h"
#include "strbuf.h"

#include <arpa/inet.h>
#include <errmsg.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The library runs each call on a stack of its own; name resolution inside a
 * connect takes more of it than the 60 KB it has by default.
 */
static const size_t call_stack_bytes = (size_t)256 * 1024;

#define SESSION_TEXT_MAX 512

/* wsrep_local_state of a node that neither feeds another nor catches up. */
#define NODE_SYNCED "4"
#define NODE_NOT_READY 1047 /* what such a node answers a statement */

/* The text is never to be sent by LOAD DATA, whatever the server asks for. */
static const unsigned no_local_infile = 0;
static const my_bool enabled = 1;

int store_wait(struct store_connection *db, int want)
{
    struct pollfd ready = {.fd = (int)mysql_get_socket(db->mysql)};
    int got = 0;
    int count;

    if ((want & MYSQL_WAIT_READ) != 0)
        ready.events |= POLLIN;
    if ((want & MYSQL_WAIT_WRITE) != 0)
        ready.events |= POLLOUT;
    if ((want & MYSQL_WAIT_EXCEPT) != 0)
        ready.events |= POLLPRI;
    do {
        int left = clock_left_ms(db->deadline_ms);

        /* A ready socket is used even when the time is just up. */
        count = poll(&ready, 1, left);
    } while ((count < 0 && errno == EINTR) ||
             (count == 0 && clock_left_ms(db->deadline_ms) > 0));
    if (count <= 0) {
        db->broken = true;
        db->timed_out = true;
        return -1;
    }
    if ((ready.revents & (POLLIN | POLLERR | POLLHUP)) != 0)
        got |= MYSQL_WAIT_READ;
    if ((ready.revents & (POLLOUT | POLLERR | POLLHUP)) != 0)
        got |= MYSQL_WAIT_WRITE;
    if ((ready.revents & POLLPRI) != 0)
        got |= MYSQL_WAIT_EXCEPT;
    return got & want ? got & want : want;
}

enum status store_failed(struct store_connection *db, const char *what,
                         unsigned error, const char *message,
                         struct errtext *err)
{
    if (db->timed_out) {
        db->error = CR_SERVER_LOST;
        errtext_set(err, "store: %s: no answer in time", what);
        return STATUS_TEMPFAIL;
    }
    db->error = error;
    switch (store_error_class(error)) {
    case STORE_ERROR_LOST:
        db->broken = true;
        break;
    case STORE_ERROR_DUPLICATE:
        errtext_set(err, "store: %s: %s", what, message);
        return STATUS_DENIED;
    case STORE_ERROR_RETRY:
    case STORE_ERROR_NO_ANSWER:
    case STORE_ERROR_OTHER:
        /* A fault of the client library leaves the stream in doubt. */
        if (error >= CR_MIN_ERROR && error <= CR_MAX_ERROR)
            db->broken = true;
        break;
    }
    errtext_set(err, "store: %s: %s (%u)", what, message, error);
    return STATUS_TEMPFAIL;
}

/* Reads and forgets a result that a constant text may have. */
static void drop_result(struct store_connection *db)
{
    MYSQL_RES *result = NULL;
    int want = mysql_store_result_start(&result, db->mysql);

    while (want != 0) {
        int got = store_wait(db, want);

        if (got < 0)
            return;
        want = mysql_store_result_cont(&result, db->mysql, got);
    }
    mysql_free_result(result);
}

enum status store_run(struct store_connection *db, const char *text,
                      struct errtext *err)
{
    int failed = 0;
    int want;

    if (db->broken)
        return store_failed(db, "query", CR_SERVER_GONE_ERROR,
                            "the connection is gone", err);
    want = mysql_real_query_start(&failed, db->mysql, text,
                                  (unsigned long)strlen(text));
    while (want != 0) {
        int got = store_wait(db, want);

        if (got < 0)
            return store_failed(db, "query", 0, "", err);
        want = mysql_real_query_cont(&failed, db->mysql, got);
    }
    if (failed != 0)
        return store_failed(db, "query", mysql_errno(db->mysql),
                            mysql_error(db->mysql), err);
    if (mysql_field_count(db->mysql) > 0)
        drop_result(db);
    return STATUS_OK;
}

enum status store_sync(struct store_connection *db, bool wanted,
                       struct errtext *err)
{
    enum status status;

    if (!db->cluster || db->sync_wait == wanted)
        return STATUS_OK;
    status = store_run(db,
                       wanted ? "SET SESSION wsrep_sync_wait = 1"
                              : "SET SESSION wsrep_sync_wait = 0",
                       err);
    if (status == STATUS_OK)
        db->sync_wait = wanted;
    return status;
}

/* A peer that no password or data may reach without verified TLS. */
static bool is_remote(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    if (strcmp(host, "::1") == 0)
        return false;
    /* "127.0.0.1.example.org" is a name. */
    return inet_pton(AF_INET, host, address) != 1 || address[0] != 127;
}

static bool set_tls(MYSQL *mysql, const struct store_settings *set,
                    const char *host)
{
    bool has_ca = set->ca_file != NULL && set->ca_file[0] != '\0';

    if (host == NULL)
        return true;
    if (!has_ca && !is_remote(host))
        return true;
    return has_ca &&
           mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &enabled) == 0 &&
           mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &enabled) ==
               0 &&
           mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, set->ca_file) == 0;
}

static bool set_options(MYSQL *mysql, const struct store_settings *set,
                        const char *host)
{
    return mysql_optionsv(mysql, MYSQL_OPT_NONBLOCK, &call_stack_bytes) == 0 &&
           mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4") == 0 &&
           mysql_optionsv(mysql, MYSQL_OPT_LOCAL_INFILE, &no_local_infile) ==
               0 &&
           set_tls(mysql, set, host);
}

/*
 * The effective uid of this thread alone: the wrappers of libc would change
 * that of all of them.
 */
static void become(uid_t uid)
{
    (void)syscall(SYS_setresuid, -1, uid, -1);
}

/*
 * Begins to connect; a local socket is connected in this call, under the uid
 * that the server is to see.
 */
static int begin_connect(struct store_connection *db,
                         const struct store_settings *set, const char *host,
                         MYSQL **reached)
{
    bool as_other = host == NULL && set->connect_uid != 0 && geteuid() == 0;
    int want;

    if (as_other)
        become(set->connect_uid);
    want = mysql_real_connect_start(
        reached, db->mysql, host != NULL ? host : "localhost", set->user,
        set->password, set->database, host != NULL ? set->port : 0,
        host != NULL ? NULL : set->socket, CLIENT_FOUND_ROWS);
    if (as_other)
        become(0);
    return want;
}

/* Connects; found rows are what matched, so that "changed nothing" differs. */
static enum status reach(struct store_connection *db,
                         const struct store_settings *set, const char *host,
                         struct errtext *err)
{
    MYSQL *reached = NULL;
    int want;

    if (!set_options(db->mysql, set, host)) {
        db->error = CR_SSL_CONNECTION_ERROR;
        errtext_set(err, "store: %s needs TLS: set store.ca_file",
                    host != NULL ? host : "host");
        return STATUS_TEMPFAIL;
    }
    want = begin_connect(db, set, host, &reached);
    while (want != 0) {
        int got = store_wait(db, want);

        if (got < 0)
            return store_failed(db, "connect", 0, "", err);
        want = mysql_real_connect_cont(&reached, db->mysql, got);
    }
    if (reached == NULL) {
        enum status status = store_failed(db, "connect", mysql_errno(db->mysql),
                                          mysql_error(db->mysql), err);

        db->broken = true;
        return status == STATUS_DENIED ? STATUS_TEMPFAIL : status;
    }
    return STATUS_OK;
}

/* Takes what a node says of itself. */
static enum status take_cluster(struct store_connection *db, MYSQL_ROW row,
                                struct errtext *err)
{
    const char *on = row != NULL ? row[0] : NULL;
    const char *ready = row != NULL ? row[1] : NULL;
    const char *state = row != NULL ? row[2] : NULL;

    db->cluster = on != NULL && strcmp(on, "ON") == 0;
    db->synced =
        !db->cluster || (state != NULL && strcmp(state, NODE_SYNCED) == 0);
    if (!db->cluster || (ready != NULL && strcmp(ready, "ON") == 0))
        return STATUS_OK;
    return store_failed(db, "session", NODE_NOT_READY,
                        "this node has no part in its cluster now", err);
}

/*
 * Asks whether the server is part of a cluster, and if it is one of the part
 * that may write. A node that is not would answer these questions alone.
 */
static enum status ask_cluster(struct store_connection *db, struct errtext *err)
{
    static const char text[] =
        "SELECT (SELECT VARIABLE_VALUE FROM information_schema."
        "GLOBAL_VARIABLES WHERE VARIABLE_NAME = 'WSREP_ON'), "
        "(SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS "
        "WHERE VARIABLE_NAME = 'WSREP_READY'), "
        "(SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS "
        "WHERE VARIABLE_NAME = 'WSREP_LOCAL_STATE')";
    enum status status;
    MYSQL_RES *result = NULL;
    MYSQL_ROW row;
    int failed = 0;
    int want =
        mysql_real_query_start(&failed, db->mysql, text, sizeof(text) - 1);

    while (want != 0) {
        int got = store_wait(db, want);

        if (got < 0)
            return store_failed(db, "session", 0, "", err);
        want = mysql_real_query_cont(&failed, db->mysql, got);
    }
    want = failed != 0 ? 0 : mysql_store_result_start(&result, db->mysql);
    while (want != 0) {
        int got = store_wait(db, want);

        if (got < 0)
            return store_failed(db, "session", 0, "", err);
        want = mysql_store_result_cont(&result, db->mysql, got);
    }
    if (result == NULL)
        return store_failed(db, "session", mysql_errno(db->mysql),
                            mysql_error(db->mysql), err);
    row = mysql_fetch_row(result);
    status = take_cluster(db, row, err);
    mysql_free_result(result);
    return status;
}

/*
 * Session limits: a statement we gave up on must end on the server too, and
 * a lock is not waited for longer than a retry makes sense.
 */
static enum status start_session(struct store_connection *db,
                                 const struct store_settings *set,
                                 struct errtext *err)
{
    struct strbuf text = STRBUF_INIT(SESSION_TEXT_MAX);
    int64_t limit_ms = set->timeout_ms > 0 ? set->timeout_ms : 8000;
    enum status status;

    strbuf_appendf(&text,
                   "SET SESSION sql_mode = 'STRICT_ALL_TABLES,"
                   "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', "
                   "time_zone = '+00:00', innodb_lock_wait_timeout = 2, "
                   "max_statement_time = %lld.%03d",
                   (long long)(limit_ms / 1000), (int)(limit_ms % 1000));
    status = text.failed ? status_no_memory(err)
                         : store_run(db, strbuf_text(&text), err);
    strbuf_clear(&text);
    if (status == STATUS_OK)
        status = store_run(
            db, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", err);
    if (status == STATUS_OK)
        status = ask_cluster(db, err);
    return status;
}

enum status store_connect(const struct store_settings *set, const char *host,
                          int64_t deadline_ms, struct store_connection **db_r,
                          unsigned *error_r, struct errtext *err)
{
    struct store_connection *db = calloc(1, sizeof(*db));
    enum status status;

    if (db == NULL)
        return status_no_memory(err);
    db->deadline_ms = deadline_ms;
    db->made_ms = clock_ms();
    db->mysql = mysql_init(NULL);
    if (db->mysql == NULL) {
        free(db);
        return status_no_memory(err);
    }
    status = reach(db, set, host, err);
    if (status == STATUS_OK)
        status = start_session(db, set, err);
    if (status != STATUS_OK) {
        *error_r = db->error;
        store_disconnect(&db);
        return STATUS_TEMPFAIL;
    }
    *db_r = db;
    return STATUS_OK;
}

void store_disconnect(struct store_connection **db)
{
    if (*db == NULL)
        return;
    /*
     * The library says good-bye to the server and would wait for room in the
     * socket of one that hangs.
     */
    if ((*db)->broken && (int)mysql_get_socket((*db)->mysql) >= 0)
        (void)shutdown((int)mysql_get_socket((*db)->mysql), SHUT_RDWR);
    mysql_close((*db)->mysql);
    store_statements_free(*db);
    free(*db);
    *db = NULL;
}
