/* store_mailbox - see store_mailbox.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_mailbox.h"

#include "store_private.h"

#include "address.h"

#include <stdlib.h>
#include <string.h>

/*
 * Differences are compared with what is left, so that no sum overflows. The
 * counters do not become negative even where somebody else wrote rows.
 */
static const struct store_sql charge_sql = {
    STORE_SLOT_DOMAIN_CHARGE,
    "UPDATE domain SET mailboxes_used = GREATEST(mailboxes_used + ?, 0),"
    " quota_allotted = GREATEST(quota_allotted + ?, 0),"
    " aliases_used = GREATEST(aliases_used + ?, 0)"
    " WHERE name = ? AND (? = 0 OR active = 1)"
    " AND (? <= 0 OR max_mailboxes = 0 OR ? <= max_mailboxes - mailboxes_used)"
    " AND (? <= 0 OR max_aliases = 0 OR ? <= max_aliases - aliases_used)"
    " AND (? = 0 OR quota = 0 OR ? <= quota - quota_allotted)"
    " AND (? = 0 OR max_quota = 0 OR ? <= max_quota)"
    " AND (? = 0 OR (quota = 0 AND max_quota = 0))"
    " AND (? <= 0 OR ? <= 9223372036854775807 - quota_allotted)",
    NULL};

static const struct store_sql domain_sql = {STORE_SLOT_DOMAIN_FIND,
                                            "SELECT " STORE_DOMAIN_COLUMNS
                                            " FROM domain d WHERE d.name = ?",
                                            STORE_DOMAIN_TYPES};

static const struct store_sql mailbox_sql = {
    STORE_SLOT_FIND_ADDRESS,
    "SELECT " STORE_MAILBOX_COLUMNS " FROM mailbox m WHERE m.address = ?",
    STORE_MAILBOX_TYPES};

static const struct store_sql mailbox_lock_sql = {
    STORE_SLOT_FIND_ADDRESS_LOCK,
    "SELECT " STORE_MAILBOX_COLUMNS
    " FROM mailbox m WHERE m.address = ? FOR UPDATE",
    STORE_MAILBOX_TYPES};

static const struct store_sql mailbox_id_sql = {
    STORE_SLOT_FIND_ID,
    "SELECT " STORE_MAILBOX_COLUMNS
    " FROM mailbox m WHERE m.directory = ? AND m.directory_id = ?",
    STORE_MAILBOX_TYPES};

static const struct store_sql insert_sql = {
    STORE_SLOT_MAILBOX_ADD,
    "INSERT INTO mailbox (address, domain, local_part, source, directory,"
    " directory_id, name, template, fingerprint, quota, message_size,"
    " rate_messages, rate_messages_period, rate_recipients,"
    " rate_recipients_period, smtp_access, imap_access, pop3_access,"
    " sieve_access, tls_enforce_in, tls_enforce_out, tags, template_state,"
    " directory_state, sync_print, password, pinned, admin_state, mail_path)"
    " VALUES (?, ?, ?, ?, ?, ?, LEFT(?, 255), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
    " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    NULL};

static const struct store_sql update_sql = {
    STORE_SLOT_MAILBOX_CHANGE,
    "UPDATE mailbox SET address = ?, domain = ?, local_part = ?, source = ?,"
    " directory = ?, directory_id = ?, name = LEFT(?, 255), template = ?,"
    " fingerprint = ?, quota = ?, message_size = ?, rate_messages = ?,"
    " rate_messages_period = ?, rate_recipients = ?,"
    " rate_recipients_period = ?, smtp_access = ?, imap_access = ?,"
    " pop3_access = ?, sieve_access = ?, tls_enforce_in = ?,"
    " tls_enforce_out = ?, tags = ?, template_state = ?, directory_state = ?,"
    " sync_print = ?, pinned = ?, modified = UTC_TIMESTAMP() WHERE address = ?",
    NULL};

/* Parameters that INSERT and UPDATE have in common, in their order. */
#define COMMON_PARAMS 25
#define INSERT_PARAMS (COMMON_PARAMS + 4)

enum status store_charge(struct store_connection *db,
                         const struct store_charge *charge, struct errtext *err)
{
    struct store_param params[] = {
        store_signed(charge->mailboxes),    store_signed(charge->quota_bytes),
        store_signed(charge->aliases),      store_text(charge->domain),
        store_number(charge->needs_active), store_signed(charge->mailboxes),
        store_signed(charge->mailboxes),    store_signed(charge->aliases),
        store_signed(charge->aliases),      store_number(charge->quota_grows),
        store_signed(charge->quota_bytes),  store_number(charge->quota_grows),
        store_number(charge->wanted_bytes), store_number(charge->unlimited),
        store_signed(charge->quota_bytes),  store_signed(charge->quota_bytes),
    };
    uint64_t rows = 0;
    enum status status =
        store_execute(db, &charge_sql, params, ARRAY_SIZE(params), &rows, err);

    if (status == STATUS_OK && rows == 0) {
        errtext_set(err, "a limit of %s says no", charge->domain);
        return STATUS_DENIED;
    }
    return status;
}

enum status store_read_domain(struct store_connection *db, const char *name,
                              struct store_domain *domain_r,
                              struct errtext *err)
{
    struct store_param params[] = {store_text(name)};
    enum status status = store_execute(db, &domain_sql, params, 1, NULL, err);

    if (status == STATUS_OK)
        status = store_fetch(db, &domain_sql, err);
    if (status == STATUS_OK)
        status = store_row_domain(db, &domain_sql, 0, domain_r, err);
    return status;
}

enum status store_read_mailbox(struct store_connection *db, const char *address,
                               bool lock, struct account *account_r,
                               struct errtext *err)
{
    const struct store_sql *sql = lock ? &mailbox_lock_sql : &mailbox_sql;
    struct store_param params[] = {store_text(address)};
    enum status status = store_execute(db, sql, params, 1, NULL, err);

    if (status == STATUS_OK)
        status = store_fetch(db, sql, err);
    if (status == STATUS_OK)
        status = store_row_mailbox(db, sql, 0, account_r, err);
    return status;
}

enum status store_take_mailbox(struct store_connection *db, const char *address,
                               struct account *account, struct errtext *err)
{
    enum status status;

    account_clear(account);
    status = store_read_mailbox(db, address, true, account, err);
    if (status == STATUS_NOT_FOUND)
        errtext_set(err, "%.200s is no mailbox", address);
    return status;
}

enum status store_read_mailbox_id(struct store_connection *db,
                                  const char *directory, const char *id,
                                  struct account *account_r,
                                  struct errtext *err)
{
    struct store_param params[] = {store_text(directory), store_text(id)};
    enum status status =
        store_execute(db, &mailbox_id_sql, params, 2, NULL, err);

    if (status == STATUS_OK)
        status = store_fetch(db, &mailbox_id_sql, err);
    if (status == STATUS_OK)
        status = store_row_mailbox(db, &mailbox_id_sql, 0, account_r, err);
    return status;
}

/* The local part of a canonical address, in memory of the caller. */
struct local_part {
    char text[ADDRESS_LOCAL_BYTES_MAX + 1];
};

static enum status split(const char *address, struct local_part *local_r,
                         struct errtext *err)
{
    const char *at = strrchr(address, '@');

    if (at == NULL || (size_t)(at - address) >= sizeof(local_r->text)) {
        errtext_set(err, "%s is no address", address);
        return STATUS_TEMPFAIL;
    }
    memcpy(local_r->text, address, (size_t)(at - address));
    local_r->text[at - address] = '\0';
    return STATUS_OK;
}

static struct store_param allows(const struct account *account,
                                 unsigned service)
{
    return store_number((account->set.services & service) != 0);
}

/* Fills in the parameters from address to sync_print. */
static void fill_params(struct store_param *params,
                        const struct account *account, const char *local_part)
{
    const struct account_settings *set = &account->set;
    struct store_param values[COMMON_PARAMS] = {
        store_text(account->address),
        store_text(account->domain),
        store_text(local_part),
        store_text(account_source_name(account->source)),
        store_text(account->directory),
        store_text(account->directory_id),
        store_text(account->name != NULL ? account->name : ""),
        store_text(account->template_name),
        store_text(account->fingerprint),
        store_number(set->quota_bytes),
        store_number(set->message_size_bytes),
        store_number(set->rate_messages.count),
        store_number(set->rate_messages.seconds),
        store_number(set->rate_recipients.count),
        store_number(set->rate_recipients.seconds),
        allows(account, ACCOUNT_SMTP),
        allows(account, ACCOUNT_IMAP),
        allows(account, ACCOUNT_POP3),
        allows(account, ACCOUNT_SIEVE),
        store_number(set->tls_in),
        store_number(set->tls_out),
        store_text(set->tags != NULL ? set->tags : ""),
        store_text(account_template_state_name(set->active)),
        store_text(account_directory_state_name(account->directory_state)),
        store_number(account->sync_print),
    };

    memcpy(params, values, sizeof(values));
}

/* Fills in a row's parameters; local has to live as long as they do. */
static enum status fill_insert(struct store_param *params,
                               const struct account *account,
                               struct local_part *local, struct errtext *err)
{
    enum status status = split(account->address, local, err);

    if (status != STATUS_OK)
        return status;
    fill_params(params, account, local->text);
    params[COMMON_PARAMS] = store_text(account->password);
    params[COMMON_PARAMS + 1] = store_number(account->pinned);
    params[COMMON_PARAMS + 2] =
        store_text(account_admin_state_name(account->admin_state));
    params[COMMON_PARAMS + 3] = store_text(account->mail_path);
    return STATUS_OK;
}

enum status store_insert_mailbox(struct store_connection *db,
                                 const struct account *account,
                                 struct errtext *err)
{
    struct store_param params[INSERT_PARAMS];
    struct local_part local;
    enum status status = fill_insert(params, account, &local, err);

    if (status != STATUS_OK)
        return status;
    return store_execute(db, &insert_sql, params, ARRAY_SIZE(params), NULL,
                         err);
}

enum status store_insert_mailboxes(struct store_connection *db,
                                   const struct account *const *accounts,
                                   size_t count, struct errtext *err)
{
    struct store_param *params =
        calloc(count + 1, INSERT_PARAMS * sizeof(*params));
    struct local_part *locals = calloc(count + 1, sizeof(*locals));
    enum status status = STATUS_OK;

    if (params == NULL || locals == NULL)
        status = status_no_memory(err);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = fill_insert(&params[i * INSERT_PARAMS], accounts[i],
                             &locals[i], err);
    if (status == STATUS_OK && count > 0)
        status = store_execute_rows(db, &insert_sql, params, INSERT_PARAMS,
                                    (unsigned)count, err);
    free(params);
    free(locals);
    return status;
}

enum status store_update_mailbox(struct store_connection *db,
                                 const char *address,
                                 const struct account *account,
                                 struct errtext *err)
{
    struct store_param params[COMMON_PARAMS + 2];
    struct local_part local;
    enum status status = split(account->address, &local, err);

    if (status != STATUS_OK)
        return status;
    fill_params(params, account, local.text);
    params[COMMON_PARAMS] = store_number(account->pinned);
    params[COMMON_PARAMS + 1] = store_text(address);
    return store_execute(db, &update_sql, params, ARRAY_SIZE(params), NULL,
                         err);
}
