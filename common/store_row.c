/* store_row - see store_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_private.h"

#include <stdlib.h>

void store_domain_clear(struct store_domain *domain)
{
    free(domain->name);
    free(domain->name_unicode);
    *domain = (struct store_domain){0};
}

void store_found_clear(struct store_found *found)
{
    store_domain_clear(&found->domain);
    account_clear(&found->account);
}

/* A rate is two columns: the count, and the period. */
static struct rate rate_at(const struct store_connection *db,
                           const struct store_sql *sql, size_t column)
{
    return (struct rate){
        .count = (uint32_t)store_column_number(db, sql, column),
        .seconds = (uint32_t)store_column_number(db, sql, column + 1),
    };
}

enum status store_row_domain(const struct store_connection *db,
                             const struct store_sql *sql, size_t first,
                             struct store_domain *domain_r, struct errtext *err)
{
    struct store_domain domain = {0};
    size_t column = first + 2;

    if (store_column_copy(db, sql, first, &domain.name, err) != STATUS_OK ||
        store_column_copy(db, sql, first + 1, &domain.name_unicode, err) !=
            STATUS_OK) {
        store_domain_clear(&domain);
        return STATUS_TEMPFAIL;
    }
    domain.active = store_column_number(db, sql, column++) != 0;
    domain.max_mailboxes = store_column_number(db, sql, column++);
    domain.mailboxes_used = store_column_number(db, sql, column++);
    domain.quota_bytes = store_column_number(db, sql, column++);
    domain.quota_allotted = store_column_number(db, sql, column++);
    domain.max_quota_bytes = store_column_number(db, sql, column++);
    domain.max_usage_bytes = store_column_number(db, sql, column++);
    domain.max_aliases = store_column_number(db, sql, column++);
    domain.aliases_used = store_column_number(db, sql, column++);
    domain.rate_messages = rate_at(db, sql, column);
    domain.rate_recipients = rate_at(db, sql, column + 2);
    *domain_r = domain;
    return STATUS_OK;
}

/* The columns of STORE_MAILBOX_COLUMNS, counted from its first. */
enum mailbox_column {
    MAILBOX_ADDRESS,
    MAILBOX_DOMAIN,
    MAILBOX_SOURCE,
    MAILBOX_DIRECTORY,
    MAILBOX_DIRECTORY_ID,
    MAILBOX_PASSWORD,
    MAILBOX_NAME,
    MAILBOX_TEMPLATE,
    MAILBOX_FINGERPRINT,
    MAILBOX_MAIL_PATH,
    MAILBOX_QUOTA,
    MAILBOX_MESSAGE_SIZE,
    MAILBOX_RATE_MESSAGES,
    MAILBOX_RATE_MESSAGES_PERIOD,
    MAILBOX_RATE_RECIPIENTS,
    MAILBOX_RATE_RECIPIENTS_PERIOD,
    MAILBOX_SMTP,
    MAILBOX_IMAP,
    MAILBOX_POP3,
    MAILBOX_SIEVE,
    MAILBOX_TLS_IN,
    MAILBOX_TLS_OUT,
    MAILBOX_TEMPLATE_STATE,
    MAILBOX_TAGS,
    MAILBOX_PINNED,
    MAILBOX_DIRECTORY_STATE,
    MAILBOX_ADMIN_STATE,
    MAILBOX_SYNC_PRINT
};

/* A row being read: where it is. */
struct reader {
    const struct store_connection *db;
    const struct store_sql *sql;
    size_t first;
};

static uint64_t number(const struct reader *reader, enum mailbox_column column)
{
    return store_column_number(reader->db, reader->sql,
                               reader->first + (size_t)column);
}

static const char *word(const struct reader *reader, enum mailbox_column column)
{
    const char *text =
        store_column(reader->db, reader->sql, reader->first + (size_t)column);

    return text != NULL ? text : "";
}

static bool copy(const struct reader *reader, enum mailbox_column column,
                 char **text_r)
{
    return store_column_copy(reader->db, reader->sql,
                             reader->first + (size_t)column, text_r,
                             NULL) == STATUS_OK;
}

static bool read_texts(const struct reader *reader, struct account *account)
{
    return copy(reader, MAILBOX_ADDRESS, &account->address) &&
           copy(reader, MAILBOX_DOMAIN, &account->domain) &&
           copy(reader, MAILBOX_DIRECTORY, &account->directory) &&
           copy(reader, MAILBOX_DIRECTORY_ID, &account->directory_id) &&
           copy(reader, MAILBOX_PASSWORD, &account->password) &&
           copy(reader, MAILBOX_NAME, &account->name) &&
           copy(reader, MAILBOX_TEMPLATE, &account->template_name) &&
           copy(reader, MAILBOX_FINGERPRINT, &account->fingerprint) &&
           copy(reader, MAILBOX_MAIL_PATH, &account->mail_path) &&
           copy(reader, MAILBOX_TAGS, &account->set.tags);
}

static unsigned services(const struct reader *reader)
{
    return (number(reader, MAILBOX_SMTP) != 0 ? ACCOUNT_SMTP : 0U) |
           (number(reader, MAILBOX_IMAP) != 0 ? ACCOUNT_IMAP : 0U) |
           (number(reader, MAILBOX_POP3) != 0 ? ACCOUNT_POP3 : 0U) |
           (number(reader, MAILBOX_SIEVE) != 0 ? ACCOUNT_SIEVE : 0U);
}

static void read_numbers(const struct reader *reader, struct account *account)
{
    struct account_settings *set = &account->set;

    set->quota_bytes = number(reader, MAILBOX_QUOTA);
    set->message_size_bytes = number(reader, MAILBOX_MESSAGE_SIZE);
    set->rate_messages.count = (uint32_t)number(reader, MAILBOX_RATE_MESSAGES);
    set->rate_messages.seconds =
        (uint32_t)number(reader, MAILBOX_RATE_MESSAGES_PERIOD);
    set->rate_recipients.count =
        (uint32_t)number(reader, MAILBOX_RATE_RECIPIENTS);
    set->rate_recipients.seconds =
        (uint32_t)number(reader, MAILBOX_RATE_RECIPIENTS_PERIOD);
    set->services = services(reader);
    set->tls_in = number(reader, MAILBOX_TLS_IN) != 0;
    set->tls_out = number(reader, MAILBOX_TLS_OUT) != 0;
    account->pinned = (unsigned)number(reader, MAILBOX_PINNED);
    account->sync_print = number(reader, MAILBOX_SYNC_PRINT);
}

static bool read_states(const struct reader *reader, struct account *account)
{
    return account_source_from(word(reader, MAILBOX_SOURCE),
                               &account->source) &&
           account_template_state_from(word(reader, MAILBOX_TEMPLATE_STATE),
                                       &account->set.active) &&
           account_directory_state_from(word(reader, MAILBOX_DIRECTORY_STATE),
                                        &account->directory_state) &&
           account_admin_state_from(word(reader, MAILBOX_ADMIN_STATE),
                                    &account->admin_state);
}

enum status store_row_mailbox(const struct store_connection *db,
                              const struct store_sql *sql, size_t first,
                              struct account *account_r, struct errtext *err)
{
    struct reader reader = {db, sql, first};
    struct account account = {0};

    if (!read_texts(&reader, &account)) {
        account_clear(&account);
        return status_no_memory(err);
    }
    read_numbers(&reader, &account);
    if (!read_states(&reader, &account)) {
        /* Guessing a state could open a mailbox that is to be closed. */
        errtext_set(err,
                    "store: mailbox %s has a state this program does "
                    "not know",
                    account.address);
        account_clear(&account);
        return STATUS_TEMPFAIL;
    }
    *account_r = account;
    return STATUS_OK;
}
