/*
 * limit - what a login service could reach at best on this machine
 *
 * usage: limit -s SOCKET -m MODE [-w WORKERS] [-l LDAPI-URI] [-q DB-SOCKET]
 *
 * The yardstick of the benchmark. A saslauthd socket whose workers do what any
 * login service has to ask of others and nothing else: MODE is "hop" (read the
 * frame, answer) or a sum of "select" (one prepared SELECT of mailbox and
 * domain), "search" (the person by mail) and "bind" (as the person), as in
 * "select+search+bind". Without "search" the DN is taken to be known. It
 * checks nothing, remembers nothing, logs nothing and writes nothing; all
 * connections are open before it listens. Each worker has its own, so that
 * nobody waits for a pool. It is no login service: trust it with nothing.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "people.h"

#include <ldap.h>
#include <mariadb/mysql.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WORKERS_MAX 64
#define FRAME_BYTES_MAX 1024
#define COLUMNS_MAX 64
#define COLUMN_BYTES_MAX 512
#define BACKLOG 1024

/* The query of store_find for a mailbox that is there. */
static const char query[] =
    "SELECT d.name, d.name_unicode, d.active, d.max_mailboxes, "
    "d.mailboxes_used, d.quota, d.quota_allotted, d.max_quota, d.max_usage, "
    "d.max_aliases, d.aliases_used, "
    "m.address, m.domain, m.source, m.directory, m.directory_id, m.password, "
    "m.name, m.template, m.fingerprint, m.mail_path, m.quota, "
    "m.message_size, m.rate_messages, m.rate_messages_period, "
    "m.rate_recipients, m.rate_recipients_period, m.smtp_access, "
    "m.imap_access, m.pop3_access, m.sieve_access, m.tls_enforce_in, "
    "m.tls_enforce_out, m.template_state, m.tags, m.pinned, "
    "m.directory_state, m.admin_state"
    " FROM mailbox m JOIN domain d ON d.name = m.domain"
    " WHERE m.address = ?";

struct setup {
    const char *socket_path;
    const char *ldap_uri;
    const char *db_socket;
    bool select, search, bind;
    unsigned workers;
    int listener;
};

struct person {
    char user[PEOPLE_TEXT_BYTES];
    char domain[PEOPLE_TEXT_BYTES];
    char password[PEOPLE_TEXT_BYTES];
    char address[2 * PEOPLE_TEXT_BYTES];
};

struct worker {
    const struct setup *setup;
    pthread_t thread;
    LDAP *searcher, *binder;
    MYSQL *db;
    MYSQL_STMT *statement;
    MYSQL_BIND columns[COLUMNS_MAX];
    char values[COLUMNS_MAX][COLUMN_BYTES_MAX];
    struct person person;
    unsigned long address_len;
};

static bool bind_as(LDAP *ld, const char *dn, char *password)
{
    struct berval secret = {.bv_len = strlen(password), .bv_val = password};

    return ldap_sasl_bind_s(ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL,
                            NULL) == LDAP_SUCCESS;
}

static bool open_ldap(const char *uri, LDAP **ld_r)
{
    int version = LDAP_VERSION3;
    char service[] = "service";

    return ldap_initialize(ld_r, uri) == LDAP_SUCCESS &&
           ldap_set_option(*ld_r, LDAP_OPT_PROTOCOL_VERSION, &version) ==
               LDAP_OPT_SUCCESS &&
           bind_as(*ld_r, "cn=mail," PEOPLE_BASE, service);
}

static bool open_database(struct worker *worker)
{
    MYSQL_BIND in = {.buffer_type = MYSQL_TYPE_STRING,
                     .buffer = worker->person.address,
                     .length = &worker->address_len};
    unsigned count;

    worker->db = mysql_init(NULL);
    if (worker->db == NULL ||
        mysql_real_connect(worker->db, NULL, "root", NULL, "provost", 0,
                           worker->setup->db_socket, 0) == NULL)
        return false;
    worker->statement = mysql_stmt_init(worker->db);
    if (worker->statement == NULL ||
        mysql_stmt_prepare(worker->statement, query, sizeof(query) - 1) != 0)
        return false;
    count = mysql_stmt_field_count(worker->statement);
    for (unsigned i = 0; i < count && i < COLUMNS_MAX; i++) {
        worker->columns[i].buffer_type = MYSQL_TYPE_STRING;
        worker->columns[i].buffer = worker->values[i];
        worker->columns[i].buffer_length = COLUMN_BYTES_MAX;
    }
    return count <= COLUMNS_MAX &&
           mysql_stmt_bind_param(worker->statement, &in) == 0 &&
           mysql_stmt_bind_result(worker->statement, worker->columns) == 0;
}

/* The parameter is bound to worker->person once and for all. */
static bool do_select(struct worker *worker)
{
    bool found;

    worker->address_len = strlen(worker->person.address);
    if (mysql_stmt_execute(worker->statement) != 0)
        return false;
    found = mysql_stmt_fetch(worker->statement) == 0;
    return mysql_stmt_free_result(worker->statement) == 0 && found;
}

/* Finds the person's DN; owned, ldap_memfree. */
static char *do_search(struct worker *worker)
{
    static const char *const names[] = {"mail", "displayName", "employeeType",
                                        "entryUUID", NULL};
    char *attributes[5];
    char filter[4 * PEOPLE_TEXT_BYTES];
    LDAPMessage *found = NULL;
    char *dn = NULL;

    memcpy(attributes, names, sizeof(attributes));
    (void)snprintf(filter, sizeof(filter), "(mail=%s)", worker->person.address);
    if (ldap_search_ext_s(worker->searcher, PEOPLE_BASE, LDAP_SCOPE_SUBTREE,
                          filter, attributes, 0, NULL, NULL, NULL, 2,
                          &found) == LDAP_SUCCESS &&
        ldap_count_entries(worker->searcher, found) == 1)
        dn = ldap_get_dn(worker->searcher,
                         ldap_first_entry(worker->searcher, found));
    ldap_msgfree(found);
    return dn;
}

static bool check(struct worker *worker)
{
    const struct setup *setup = worker->setup;
    char known[3 * PEOPLE_TEXT_BYTES];
    char *dn = NULL;
    bool good;

    if (setup->select && !do_select(worker))
        return false;
    if (setup->search) {
        dn = do_search(worker);
        if (dn == NULL)
            return false;
    }
    if (!setup->bind) {
        ldap_memfree(dn);
        return true;
    }
    (void)snprintf(known, sizeof(known), "uid=%s,ou=people," PEOPLE_BASE,
                   worker->person.user);
    good = bind_as(worker->binder, dn != NULL ? dn : known,
                   worker->person.password);
    ldap_memfree(dn);
    return good;
}

/* Copies the counted string at *at out of the frame. */
static bool take_field(const unsigned char *frame, size_t len, size_t *at,
                       char *out)
{
    size_t field_len;

    if (*at + 2 > len)
        return false;
    field_len = (size_t)frame[*at] << 8 | frame[*at + 1];
    *at += 2;
    if (field_len >= PEOPLE_TEXT_BYTES || *at + field_len > len)
        return false;
    memcpy(out, frame + *at, field_len);
    out[field_len] = '\0';
    *at += field_len;
    return true;
}

static void serve(struct worker *worker, int fd)
{
    static const unsigned char no[] = {0, 2, 'N', 'O'};
    char yes[2 * PEOPLE_TEXT_BYTES + 8];
    int yes_len;
    unsigned char frame[FRAME_BYTES_MAX];
    struct person *person = &worker->person;
    char service[PEOPLE_TEXT_BYTES];
    ssize_t len = recv(fd, frame, sizeof(frame), 0);
    size_t at = 0;

    if (len <= 0 || !take_field(frame, (size_t)len, &at, person->user) ||
        !take_field(frame, (size_t)len, &at, person->password) ||
        !take_field(frame, (size_t)len, &at, service) ||
        !take_field(frame, (size_t)len, &at, person->domain))
        return;
    (void)snprintf(person->address, sizeof(person->address), "%s%s%s",
                   person->user, person->domain[0] != '\0' ? "@" : "",
                   person->domain);
    if (!check(worker)) {
        (void)send(fd, no, sizeof(no), MSG_NOSIGNAL);
        return;
    }
    /* The first two bytes are the count of those behind them. */
    yes_len = snprintf(yes, sizeof(yes), "%c%cOK %s", 0,
                       (int)strlen(person->address) + 3, person->address);
    (void)send(fd, yes, (size_t)yes_len, MSG_NOSIGNAL);
}

static void *run_worker(void *data)
{
    struct worker *worker = data;

    for (;;) {
        int fd = accept(worker->setup->listener, NULL, NULL);

        if (fd < 0)
            continue;
        serve(worker, fd);
        (void)close(fd);
    }
    return NULL;
}

static bool open_worker(struct worker *worker)
{
    const struct setup *setup = worker->setup;

    if (setup->search && !open_ldap(setup->ldap_uri, &worker->searcher))
        return false;
    if (setup->bind && !open_ldap(setup->ldap_uri, &worker->binder))
        return false;
    return !setup->select || open_database(worker);
}

static bool start_listening(struct setup *setup)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
                   setup->socket_path);
    setup->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return setup->listener >= 0 &&
           bind(setup->listener, (struct sockaddr *)&address,
                sizeof(address)) == 0 &&
           listen(setup->listener, BACKLOG) == 0;
}

static int run(struct setup *setup)
{
    static struct worker workers[WORKERS_MAX];

    if (mysql_library_init(0, NULL, NULL) != 0)
        return EXIT_FAILURE;
    for (unsigned i = 0; i < setup->workers; i++) {
        workers[i].setup = setup;
        if (!open_worker(&workers[i])) {
            (void)fprintf(stderr, "limit: cannot reach a server\n");
            return EXIT_FAILURE;
        }
    }
    if (!start_listening(setup)) {
        perror(setup->socket_path);
        return EXIT_FAILURE;
    }
    for (unsigned i = 0; i < setup->workers; i++)
        if (pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]) !=
            0)
            return EXIT_FAILURE;
    for (unsigned i = 0; i < setup->workers; i++)
        (void)pthread_join(workers[i].thread, NULL);
    return EXIT_SUCCESS;
}

static void take_mode(struct setup *setup, const char *mode)
{
    setup->select = strstr(mode, "select") != NULL;
    setup->search = strstr(mode, "search") != NULL;
    setup->bind = strstr(mode, "bind") != NULL;
}

int main(int argc, char **argv)
{
    static struct setup setup = {.workers = 16};
    bool good = true;
    int option;

    while (good && (option = getopt(argc, argv, "s:m:w:l:q:")) != -1) {
        switch (option) {
        case 's':
            setup.socket_path = optarg;
            break;
        case 'm':
            take_mode(&setup, optarg);
            break;
        case 'w':
            setup.workers = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'l':
            setup.ldap_uri = optarg;
            break;
        case 'q':
            setup.db_socket = optarg;
            break;
        default:
            good = false;
        }
    }
    if (!good || setup.socket_path == NULL || setup.workers == 0 ||
        setup.workers > WORKERS_MAX) {
        (void)fprintf(stderr, "usage: limit -s SOCKET -m MODE [-w WORKERS] "
                              "[-l LDAPI-URI] [-q DB-SOCKET]\n");
        return 64;
    }
    return run(&setup);
}
