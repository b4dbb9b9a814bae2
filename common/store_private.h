/*
 * store_private - what the rooms of the store share: connections, prepared
 * statements, transactions
 *
 * For store*.c alone. A connection belongs to one caller at a time; all that
 * waits does so until the connection's deadline, whatever the server does,
 * because libmariadb runs here in its non-blocking form and we poll.
 *
 * A call that fails sets db->error to the server's or the client library's
 * number; the statuses are STATUS_TEMPFAIL (no answer; store_transaction looks
 * at db->error to try again) and STATUS_DENIED for a duplicate key.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_PRIVATE_H
#define COMMON_STORE_PRIVATE_H

#include "store.h"
#include "store_error.h"
#include "store_host.h"
#include "store_transaction.h"

#include <mysql.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_PARAMS_MAX 32
#define STORE_COLUMNS_MAX 48
#define STORE_TOKEN_SIZE 33 /* 128 random bits in hex, and NUL */

/* Where a connection keeps a prepared statement; one for each text. */
enum store_slot {
    STORE_SLOT_FIND,
    STORE_SLOT_FIND_1,
    STORE_SLOT_FIND_2,
    STORE_SLOT_FIND_4,
    STORE_SLOT_FIND_8,
    STORE_SLOT_FIND_16,
    STORE_SLOT_FIND_ID,
    STORE_SLOT_FIND_ADDRESS,
    STORE_SLOT_FIND_ADDRESS_LOCK,
    STORE_SLOT_ALIASES,
    STORE_SLOT_ALIAS_READ,
    STORE_SLOT_APP_PASSWORDS,
    STORE_SLOT_LOGIN_WRITE,
    STORE_SLOT_ATTEMPT_WRITE,
    STORE_SLOT_ATTEMPT_LIST,
    STORE_SLOT_ATTEMPT_PRUNE,
    STORE_SLOT_LOGIN_APP_PASSWORD,
    STORE_SLOT_EVENT_WRITE,
    STORE_SLOT_EVENT_ONCE,
    STORE_SLOT_EVENT_TOKEN,
    /* The lists of store_history.c: five indexes, up and down. */
    STORE_SLOT_EVENT_LIST_FIRST,
    STORE_SLOT_EVENT_LIST_LAST = STORE_SLOT_EVENT_LIST_FIRST + 9,
    STORE_SLOT_EVENT_NEAR,
    STORE_SLOT_EVENT_PRUNE,
    /* The questions of store_inspect.c. */
    STORE_SLOT_ASK_FIRST,
    STORE_SLOT_ASK_LAST = STORE_SLOT_ASK_FIRST + 7,
    STORE_SLOT_DOMAIN_USES,
    STORE_SLOT_RECOUNT_LOCK,
    STORE_SLOT_RECOUNT_READ,
    STORE_SLOT_RECOUNT_WRITE,
    STORE_SLOT_SCHEMA,
    STORE_SLOT_SCHEMA_WRITE,
    STORE_SLOT_DOMAIN_FIND,
    STORE_SLOT_DOMAIN_LIST,
    STORE_SLOT_DOMAIN_ADD,
    STORE_SLOT_DOMAIN_EDIT,
    STORE_SLOT_DOMAIN_REMOVE,
    STORE_SLOT_DOMAIN_NAME_TAKEN,
    STORE_SLOT_DOMAIN_IN_USE,
    STORE_SLOT_DOMAIN_LOCK,
    STORE_SLOT_DOMAIN_USAGE,
    STORE_SLOT_ALIAS_DOMAIN_ADD,
    STORE_SLOT_ALIAS_DOMAIN_LIST,
    STORE_SLOT_ALIAS_DOMAIN_REMOVE,
    STORE_SLOT_DOMAIN_CHARGE,
    STORE_SLOT_MAILBOX_ADD,
    STORE_SLOT_MAILBOX_CHANGE,
    STORE_SLOT_MAILBOX_SOURCE,
    STORE_SLOT_MAILBOX_BLOCK,
    STORE_SLOT_MAILBOX_PIN,
    STORE_SLOT_MAILBOX_PASSWORD,
    STORE_SLOT_MAILBOX_LIST,
    STORE_SLOT_MAILBOX_FACTS,
    STORE_SLOT_MAILBOX_ALIASES,
    STORE_SLOT_MAILBOX_LEADING,
    STORE_SLOT_MAILBOX_LOGINS,
    STORE_SLOT_TEMPLATE_LIST,
    STORE_SLOT_APP_PASSWORD_COUNT,
    STORE_SLOT_APP_PASSWORD_ADD,
    STORE_SLOT_APP_PASSWORD_ID,
    STORE_SLOT_APP_PASSWORD_READ,
    STORE_SLOT_APP_PASSWORD_REVOKE,
    STORE_SLOT_APP_PASSWORD_LIST,
    STORE_SLOT_ALIAS_ADD,
    STORE_SLOT_ALIAS_REMOVE,
    STORE_SLOT_ALIAS_TURN,
    STORE_SLOT_ALIAS_DROP,
    STORE_SLOT_ALIAS_EXPIRE,
    STORE_SLOT_ALIAS_PRUNE,
    STORE_SLOT_RATE_CLOCK,
    STORE_SLOT_RATE_WRITE,
    STORE_SLOT_RATE_NODES,
    STORE_SLOT_RATE_READ,
    STORE_SLOT_RATE_PRUNE,
    STORE_SLOT_RATE_RENAMES,
    STORE_SLOT_FORWARD_FIND,
    STORE_SLOT_FORWARD_ADD,
    STORE_SLOT_FORWARD_OWN,
    STORE_SLOT_SENDER_ADD,
    STORE_SLOT_SENDER_FIND,
    STORE_SLOT_ALIAS_DOMAIN_FIND,
    /* Another program's tables: a list each. */
    STORE_SLOT_IMPORT_PROBE,
    STORE_SLOT_IMPORT_FIRST,
    STORE_SLOT_IMPORT_LAST = STORE_SLOT_IMPORT_FIRST + 4,
    /* The statements of a rename, in their order. */
    STORE_SLOT_MOVE_FIRST,
    STORE_SLOT_MOVE_LAST = STORE_SLOT_MOVE_FIRST + 9,
    STORE_SLOT_REMOVE_COUNTS,
    STORE_SLOT_REMOVE_FIRST,
    STORE_SLOT_REMOVE_LAST = STORE_SLOT_REMOVE_FIRST + 6,
    STORE_SLOT_POLICY_ALIAS_1,
    STORE_SLOT_POLICY_ALIAS_2,
    STORE_SLOT_POLICY_ALIAS_4,
    STORE_SLOT_POLICY_ALIAS_16,
    STORE_SLOT_POLICY_MAILBOX_1,
    STORE_SLOT_POLICY_MAILBOX_2,
    STORE_SLOT_POLICY_MAILBOX_4,
    STORE_SLOT_POLICY_MAILBOX_16,
    STORE_SLOT_POLICY_DOMAIN,
    STORE_SLOT_POLICY_USAGE,
    STORE_SLOT_POLICY_SENDER,
    STORE_SLOT_LEASE_MAKE,
    STORE_SLOT_LEASE_TAKE,
    STORE_SLOT_LEASE_READ,
    STORE_SLOT_LEASE_HOLD,
    STORE_SLOT_LEASE_RELEASE,
    STORE_SLOT_SYNC_STATE,
    STORE_SLOT_SYNC_NOTE,
    STORE_SLOT_SYNC_MAILBOXES,
    STORE_SLOT_SYNC_ALIASES,
    STORE_SLOT_SYNC_CENSUS,
    STORE_SLOT_SYNC_PEOPLE,
    STORE_SLOT_SYNC_PERSON_PUT,
    STORE_SLOT_SYNC_PERSON_FORGET,
    STORE_SLOT_SYNC_REMOVAL,
    STORE_SLOT_SYNC_PRINT,
    STORE_SLOT_SYNC_RUN_BEGIN,
    STORE_SLOT_SYNC_RUN_ID,
    STORE_SLOT_SYNC_RUN_END,
    STORE_SLOT_SYNC_RUNS,
    STORE_SLOT_SYNC_RUN_PRUNE,
    STORE_SLOT_COUNT
};

/*
 * A statement: its text, and of a SELECT its columns, a letter each: 't' text,
 * 'n' unsigned number. NULL: no result.
 */
struct store_sql {
    unsigned slot; /* enum store_slot, or one of a row of them */
    const char *text;
    const char *columns;
};

/* One parameter; made by store_text and its sisters. */
struct store_param {
    const char *text; /* NULL and not a number: SQL NULL */
    bool is_number;
    bool is_signed;
    uint64_t number;
};
struct store_param store_text(const char *text); /* NULL: SQL NULL */
struct store_param store_number(uint64_t number);
struct store_param store_signed(int64_t number);

struct store_statement;

struct store_connection {
    MYSQL *mysql;
    struct store_statement *statements[STORE_SLOT_COUNT];
    struct store_connection *next; /* while idle */
    int64_t deadline_ms;           /* of the present use */
    unsigned error;                /* of the last failure; 0: ours (memory) */
    unsigned generation;           /* of the pool when it was made */
    bool broken;                   /* must not be used again */
    bool timed_out;                /* our deadline passed while we waited */
    size_t host;                   /* its place among the store's hosts */
    int64_t made_ms;
    int64_t taken_ms;             /* when the present use began */
    bool cluster;                 /* wsrep_on */
    bool synced;                  /* no node that feeds or follows another */
    bool sync_wait;               /* wsrep_sync_wait is 1 now */
    char token[STORE_TOKEN_SIZE]; /* of the present transaction */
};

/* Callers of store_find that ask together; see store_find.c. */
struct store_caller;
struct store_finds {
    pthread_mutex_t lock;
    pthread_condattr_t monotonic;
    struct store_caller *first; /* waits, the oldest first */
    struct store_caller *unused;
    unsigned leaders; /* that ask the server now */
    int64_t led_ms;   /* when the last of them began */
};

struct store {
    const struct store_settings *set;
    struct store_host *hosts; /* one at least; the lock guards them */
    size_t host_count;
    struct store_finds finds;
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct store_connection *idle;
    unsigned used;    /* connections that exist, idle ones included */
    unsigned threads; /* connects that their callers left behind */
    unsigned generation;
    unsigned seed; /* of the jitter */
};

/* store_connection.c */

/*
 * Connects to host (NULL: the socket of set) and starts a session there. A
 * cluster's node that takes no statements now is STATUS_TEMPFAIL, error 1047.
 */
enum status store_connect(const struct store_settings *set, const char *host,
                          int64_t deadline_ms, struct store_connection **db_r,
                          unsigned *error_r, struct errtext *err) MUST_CHECK;
void store_disconnect(struct store_connection **db);

/*
 * Waits until the socket is ready for what the library wants. Returns what it
 * got, or -1 when the deadline passed; the connection is broken then.
 */
int store_wait(struct store_connection *db, int want);

/*
 * Runs a constant text without parameters (BEGIN, SET, schema files); a result
 * it may have is thrown away.
 */
enum status store_run(struct store_connection *db, const char *text,
                      struct errtext *err) MUST_CHECK;

/* Notes a failure of the library's last call and says what it was. */
enum status store_failed(struct store_connection *db, const char *what,
                         unsigned error, const char *message,
                         struct errtext *err) MUST_CHECK;

/* Makes wsrep_sync_wait 1 or 0, if this is a cluster and it is not yet so. */
enum status store_sync(struct store_connection *db, bool wanted,
                       struct errtext *err) MUST_CHECK;

/* store_statement.c */

/*
 * Runs a statement. *rows_r (may be NULL) gets how many rows it matched.
 * STATUS_DENIED: a duplicate key. A SELECT's rows wait for store_fetch.
 */
enum status store_execute(struct store_connection *db,
                          const struct store_sql *sql,
                          const struct store_param *params, size_t count,
                          uint64_t *rows_r, struct errtext *err) MUST_CHECK;

/*
 * Runs a statement without a result once for each of count rows, in one round
 * trip but in a cluster, where that is not safe. params holds count rows of
 * width parameters; a column holds numbers in all rows or in none.
 */
enum status store_execute_rows(struct store_connection *db,
                               const struct store_sql *sql,
                               const struct store_param *params, size_t width,
                               unsigned count, struct errtext *err) MUST_CHECK;

/* The next row: STATUS_OK, STATUS_NOT_FOUND after the last, or TEMPFAIL. */
enum status store_fetch(struct store_connection *db,
                        const struct store_sql *sql,
                        struct errtext *err) MUST_CHECK;

/* Columns of the present row. Text lives until the next fetch; NULL: NULL. */
const char *store_column(const struct store_connection *db,
                         const struct store_sql *sql, size_t column);
uint64_t store_column_number(const struct store_connection *db,
                             const struct store_sql *sql, size_t column);

/* Copies a text column, which may be NULL, into an owned *text_r. */
enum status store_column_copy(const struct store_connection *db,
                              const struct store_sql *sql, size_t column,
                              char **text_r, struct errtext *err) MUST_CHECK;

void store_statements_free(struct store_connection *db);

/* store_reach.c */

/*
 * Makes a connection for a place that was taken, to the first host that
 * answers, before deadline even where a name has to be looked up. On failure
 * the place is given back.
 */
enum status store_reach(struct store *store, int64_t deadline_ms,
                        unsigned generation, struct store_connection **db_r,
                        unsigned *error_r, struct errtext *err) MUST_CHECK;

/* store_pool.c */

/* Makes a condition whose waits end by the clock of our deadlines. */
int store_condition_init(pthread_cond_t *condition) MUST_CHECK;

/* Gives a place back that held a connection, or was to hold one. */
void store_give_back(struct store *store);
enum status store_checkout(struct store *store, int64_t deadline_ms,
                           struct store_connection **db_r, unsigned *error_r,
                           struct errtext *err) MUST_CHECK;
void store_checkin(struct store *store, struct store_connection **db);

/* store_find.c */
enum status store_finds_open(struct store_finds *finds,
                             struct errtext *err) MUST_CHECK;
void store_finds_close(struct store_finds *finds);

/* store_history.c */

/*
 * Deletes what is older than before (seconds UTC, the statement's one
 * parameter) by a DELETE of at most STORE_PRUNE_ROWS, each a transaction, until
 * none is left or it is deadline_ms. See store_event_prune for the outcomes.
 */
enum status store_prune(struct store *store, const struct store_sql *sql,
                        int64_t before, int64_t deadline_ms, uint64_t *count_r,
                        struct errtext *err) MUST_CHECK;

/* store_row.c: rows into structs */

/* Columns of a domain and of a mailbox, for the SELECTs of several rooms. */
#define STORE_DOMAIN_COLUMNS                                                   \
    "d.name, d.name_unicode, d.active, d.max_mailboxes, d.mailboxes_used, "    \
    "d.quota, d.quota_allotted, d.max_quota, d.max_usage, d.max_aliases, "     \
    "d.aliases_used, d.rate_messages, d.rate_messages_period, "                \
    "d.rate_recipients, d.rate_recipients_period"
#define STORE_DOMAIN_TYPES "ttnnnnnnnnnnnnn"
#define STORE_DOMAIN_COUNT 15
#define STORE_MAILBOX_COLUMNS                                                  \
    "m.address, m.domain, m.source, m.directory, m.directory_id, m.password, " \
    "m.name, m.template, m.fingerprint, m.mail_path, m.quota, "                \
    "m.message_size, m.rate_messages, m.rate_messages_period, "                \
    "m.rate_recipients, m.rate_recipients_period, m.smtp_access, "             \
    "m.imap_access, m.pop3_access, m.sieve_access, m.tls_enforce_in, "         \
    "m.tls_enforce_out, m.template_state, m.tags, m.pinned, "                  \
    "m.directory_state, m.admin_state, m.sync_print"
#define STORE_MAILBOX_TYPES "ttttttttttnnnnnnnnnnnnttnttn"

enum status store_row_domain(const struct store_connection *db,
                             const struct store_sql *sql, size_t first,
                             struct store_domain *domain_r,
                             struct errtext *err) MUST_CHECK;
enum status store_row_mailbox(const struct store_connection *db,
                              const struct store_sql *sql, size_t first,
                              struct account *account_r,
                              struct errtext *err) MUST_CHECK;

#endif
