/* store_policy - see store_policy.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_policy.h"

#include "store_private.h"

#include <stdlib.h>
#include <string.h>

#define MAILBOX_COLUMNS                                                        \
    "m.address, m.quota, GREATEST(COALESCE(q.bytes, 0), 0), m.message_size, "  \
    "m.rate_messages, m.rate_messages_period, m.rate_recipients, "             \
    "m.rate_recipients_period, m.tls_enforce_in, m.smtp_access, "              \
    "m.template_state, m.directory_state, m.admin_state"
#define MAILBOX_TYPES "tnnnnnnnnnttt"
#define MAILBOX_COUNT 13

/* One query for a number of keys; what is left of it holds the last again. */
#define IN_1 "(?)"
#define IN_2 "(?, ?)"
#define IN_4 "(?, ?, ?, ?)"
#define IN_16 "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

#define ALIASES                                                                \
    "SELECT " MAILBOX_COLUMNS ", a.address, a.targets, s.targets"              \
    " FROM alias a LEFT JOIN mailbox m ON m.address = a.targets"               \
    " LEFT JOIN quota2 q ON q.username = m.address"                            \
    " LEFT JOIN alias s ON s.address = m.address"                              \
    " WHERE a.active = 1"                                                      \
    " AND (a.expires IS NULL OR a.expires > UTC_TIMESTAMP())"                  \
    " AND a.address IN "
#define ALIAS_TYPES MAILBOX_TYPES "ttt"

static const struct store_sql alias_sql[] = {
    {STORE_SLOT_POLICY_ALIAS_1, ALIASES IN_1, ALIAS_TYPES},
    {STORE_SLOT_POLICY_ALIAS_2, ALIASES IN_2, ALIAS_TYPES},
    {STORE_SLOT_POLICY_ALIAS_4, ALIASES IN_4, ALIAS_TYPES},
    {STORE_SLOT_POLICY_ALIAS_16, ALIASES IN_16, ALIAS_TYPES},
};

#define MAILBOXES                                                              \
    "SELECT " MAILBOX_COLUMNS ", m.address FROM mailbox m"                     \
    " LEFT JOIN quota2 q ON q.username = m.address WHERE m.address IN "

static const struct store_sql mailbox_sql[] = {
    {STORE_SLOT_POLICY_MAILBOX_1, MAILBOXES IN_1, MAILBOX_TYPES "t"},
    {STORE_SLOT_POLICY_MAILBOX_2, MAILBOXES IN_2, MAILBOX_TYPES "t"},
    {STORE_SLOT_POLICY_MAILBOX_4, MAILBOXES IN_4, MAILBOX_TYPES "t"},
    {STORE_SLOT_POLICY_MAILBOX_16, MAILBOXES IN_16, MAILBOX_TYPES "t"},
};

static const size_t in_counts[] = {1, 2, 4, STORE_POLICY_TOGETHER_MAX};

static const struct store_sql domain_sql = {
    STORE_SLOT_POLICY_DOMAIN,
    "SELECT d.name, d.active,"
    " CASE WHEN d.max_usage > 0 THEN d.max_usage ELSE d.quota END,"
    " d.rate_messages, d.rate_messages_period, d.rate_recipients,"
    " d.rate_recipients_period"
    " FROM domain d WHERE d.name = COALESCE((SELECT a.target"
    " FROM alias_domain a WHERE a.name = ? AND a.active = 1), ?)",
    "tnnnnnn"};

static const struct store_sql usage_sql = {
    STORE_SLOT_POLICY_USAGE,
    "SELECT CAST(COALESCE(SUM(GREATEST(bytes, 0)), 0) AS UNSIGNED)"
    " FROM quota2 WHERE domain = ?",
    "n"};

static const struct store_sql sender_sql = {
    STORE_SLOT_POLICY_SENDER,
    "SELECT 1 FROM sender_acl WHERE login = ? AND sender IN " IN_4 " LIMIT 1",
    "n"};

void store_policy_mailbox_clear(struct store_policy_mailbox *mailbox)
{
    free(mailbox->address);
    *mailbox = (struct store_policy_mailbox){0};
}

void store_policy_alias_clear(struct store_policy_alias *alias)
{
    free(alias->targets);
    store_policy_mailbox_clear(&alias->mailbox);
    alias->targets = NULL;
}

void store_policy_domain_clear(struct store_policy_domain *domain)
{
    free(domain->name);
    *domain = (struct store_policy_domain){0};
}

/* A rate is two columns: the count, and the period. */
static struct rate read_rate(const struct store_connection *db,
                             const struct store_sql *sql, size_t column)
{
    return (struct rate){
        .count = (uint32_t)store_column_number(db, sql, column),
        .seconds = (uint32_t)store_column_number(db, sql, column + 1),
    };
}

/* What the three states of a mailbox come to. */
static enum status read_access(const struct store_connection *db,
                               const struct store_sql *sql, size_t first,
                               enum account_access *access_r,
                               struct errtext *err)
{
    struct account account = {0};
    const char *words[3];

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        words[i] = store_column(db, sql, first + i);
        if (words[i] == NULL)
            words[i] = "";
    }
    if (!account_template_state_from(words[0], &account.set.active) ||
        !account_directory_state_from(words[1], &account.directory_state) ||
        !account_admin_state_from(words[2], &account.admin_state)) {
        errtext_set(err, "a mailbox is in a state this program does not know");
        return STATUS_TEMPFAIL;
    }
    *access_r = account_access(&account);
    return STATUS_OK;
}

/* Reads MAILBOX_COLUMNS, the first of the row. */
static enum status read_mailbox(const struct store_connection *db,
                                const struct store_sql *sql,
                                struct store_policy_mailbox *mailbox,
                                struct errtext *err)
{
    size_t column = 1;
    enum status status;

    store_policy_mailbox_clear(mailbox);
    mailbox->quota_bytes = store_column_number(db, sql, column++);
    mailbox->used_bytes = store_column_number(db, sql, column++);
    mailbox->message_size_bytes = store_column_number(db, sql, column++);
    mailbox->rate_messages = read_rate(db, sql, column);
    mailbox->rate_recipients = read_rate(db, sql, column + 2);
    column += 4;
    mailbox->tls_in = store_column_number(db, sql, column++) != 0;
    mailbox->smtp = store_column_number(db, sql, column++) != 0;
    status = read_access(db, sql, column, &mailbox->access, err);
    if (status == STATUS_OK)
        status = store_column_copy(db, sql, 0, &mailbox->address, err);
    return status;
}

/* Addresses asked for together, and where the answers go. */
struct asked {
    const char *const *addresses;
    size_t count;
    struct store_policy_alias *aliases; /* one of the two */
    struct store_policy_mailbox *mailboxes;
};

static void clear_asked(const struct asked *asked)
{
    for (size_t i = 0; i < asked->count; i++) {
        if (asked->aliases != NULL)
            store_policy_alias_clear(&asked->aliases[i]);
        else
            store_policy_mailbox_clear(&asked->mailboxes[i]);
    }
}

/* The mailbox counts if its mail stays there: it is its own alias's target. */
static enum status read_alias(const struct store_connection *db,
                              const struct store_sql *sql,
                              struct store_policy_alias *alias,
                              struct errtext *err)
{
    const char *mailbox = store_column(db, sql, 0);
    const char *onward = store_column(db, sql, MAILBOX_COUNT + 2);
    enum status status;

    store_policy_alias_clear(alias);
    status =
        store_column_copy(db, sql, MAILBOX_COUNT + 1, &alias->targets, err);
    if (status != STATUS_OK || mailbox == NULL ||
        (onward != NULL && strcmp(onward, mailbox) != 0))
        return status;
    return read_mailbox(db, sql, &alias->mailbox, err);
}

/* Gives the present row to all that asked for it. */
static enum status hand_out(const struct store_connection *db,
                            const struct store_sql *sql,
                            const struct asked *asked, struct errtext *err)
{
    const char *address = store_column(db, sql, MAILBOX_COUNT);
    enum status status = STATUS_OK;

    for (size_t i = 0; i < asked->count && status == STATUS_OK; i++) {
        if (address == NULL || strcmp(asked->addresses[i], address) != 0)
            continue;
        status = asked->aliases != NULL
                     ? read_alias(db, sql, &asked->aliases[i], err)
                     : read_mailbox(db, sql, &asked->mailboxes[i], err);
    }
    return status;
}

static enum status run_asked(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    const struct asked *asked = arg;
    const struct store_sql *sql =
        asked->aliases != NULL ? alias_sql : mailbox_sql;
    struct store_param params[STORE_POLICY_TOGETHER_MAX];
    size_t size = 0;
    enum status status;

    clear_asked(asked);
    while (in_counts[size] < asked->count)
        size++;
    for (size_t i = 0; i < in_counts[size]; i++)
        params[i] = store_text(
            asked->addresses[i < asked->count ? i : asked->count - 1]);
    status = store_execute(db, &sql[size], params, in_counts[size], NULL, err);
    while (status == STATUS_OK) {
        status = store_fetch(db, &sql[size], err);
        if (status == STATUS_OK)
            status = hand_out(db, &sql[size], asked, err);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status ask(struct store *store, struct asked *asked,
                       int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {.run = run_asked,
                                           .reads_only = true};

    if (asked->count == 0)
        return STATUS_OK;
    if (store_work(store, &work, asked, deadline_ms, err) == STATUS_OK)
        return STATUS_OK;
    clear_asked(asked);
    return STATUS_TEMPFAIL;
}

enum status store_policy_aliases(struct store *store,
                                 const char *const *addresses, size_t count,
                                 int64_t deadline_ms,
                                 struct store_policy_alias *aliases_r,
                                 struct errtext *err)
{
    struct asked asked = {
        .addresses = addresses, .count = count, .aliases = aliases_r};

    return ask(store, &asked, deadline_ms, err);
}

enum status store_policy_mailboxes(struct store *store,
                                   const char *const *addresses, size_t count,
                                   int64_t deadline_ms,
                                   struct store_policy_mailbox *mailboxes_r,
                                   struct errtext *err)
{
    struct asked asked = {
        .addresses = addresses, .count = count, .mailboxes = mailboxes_r};

    return ask(store, &asked, deadline_ms, err);
}

struct named {
    const char *name;
    struct store_policy_domain domain;
    uint64_t bytes;
};

static enum status run_domain(struct store_connection *db, void *arg,
                              struct errtext *err)
{
    struct named *named = arg;
    struct store_param params[] = {store_text(named->name),
                                   store_text(named->name)};
    enum status status;

    store_policy_domain_clear(&named->domain);
    status =
        store_execute(db, &domain_sql, params, ARRAY_SIZE(params), NULL, err);
    if (status == STATUS_OK)
        status = store_fetch(db, &domain_sql, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    named->domain.active = store_column_number(db, &domain_sql, 1) != 0;
    named->domain.max_usage_bytes = store_column_number(db, &domain_sql, 2);
    named->domain.rate_messages = read_rate(db, &domain_sql, 3);
    named->domain.rate_recipients = read_rate(db, &domain_sql, 5);
    return store_column_copy(db, &domain_sql, 0, &named->domain.name, err);
}

enum status store_policy_domain(struct store *store, const char *name,
                                int64_t deadline_ms,
                                struct store_policy_domain *domain_r,
                                struct errtext *err)
{
    static const struct store_work work = {.run = run_domain,
                                           .reads_only = true};
    struct named named = {.name = name};

    if (store_work(store, &work, &named, deadline_ms, err) != STATUS_OK) {
        store_policy_domain_clear(&named.domain);
        return STATUS_TEMPFAIL;
    }
    *domain_r = named.domain;
    return STATUS_OK;
}

static enum status run_usage(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    struct named *named = arg;
    struct store_param param = store_text(named->name);
    enum status status = store_execute(db, &usage_sql, &param, 1, NULL, err);

    if (status == STATUS_OK)
        status = store_fetch(db, &usage_sql, err);
    if (status == STATUS_OK)
        named->bytes = store_column_number(db, &usage_sql, 0);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_policy_usage(struct store *store, const char *domain,
                               int64_t deadline_ms, uint64_t *bytes_r,
                               struct errtext *err)
{
    static const struct store_work work = {.run = run_usage,
                                           .reads_only = true};
    struct named named = {.name = domain};

    if (store_work(store, &work, &named, deadline_ms, err) != STATUS_OK)
        return STATUS_TEMPFAIL;
    *bytes_r = named.bytes;
    return STATUS_OK;
}

struct given {
    const char *login;
    const char *const *senders;
    size_t count;
    bool given;
};

static enum status run_sender(struct store_connection *db, void *arg,
                              struct errtext *err)
{
    struct given *given = arg;
    struct store_param params[1 + STORE_POLICY_SENDERS_MAX];
    enum status status;

    params[0] = store_text(given->login);
    for (size_t i = 0; i < STORE_POLICY_SENDERS_MAX; i++)
        params[1 + i] =
            store_text(given->senders[i < given->count ? i : given->count - 1]);
    status =
        store_execute(db, &sender_sql, params, ARRAY_SIZE(params), NULL, err);
    if (status == STATUS_OK)
        status = store_fetch(db, &sender_sql, err);
    given->given = status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_policy_sender(struct store *store, const char *login,
                                const char *const *senders, size_t count,
                                int64_t deadline_ms, bool *given_r,
                                struct errtext *err)
{
    static const struct store_work work = {.run = run_sender,
                                           .reads_only = true};
    struct given given = {.login = login, .senders = senders, .count = count};

    if (store_work(store, &work, &given, deadline_ms, err) != STATUS_OK)
        return STATUS_TEMPFAIL;
    *given_r = given.given;
    return STATUS_OK;
}
