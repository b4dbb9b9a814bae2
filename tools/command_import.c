/* command_import - provostctl import postfixadmin|mailcow */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "address.h"
#include "import_dsn.h"
#include "import_rates.h"
#include "import_rows.h"
#include "importer.h"
#include "secret.h"
#include "store_forward.h"
#include "store_import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* The words of the command. */
struct import_words {
    const char *dsn_file;
    const char *mail_base;
    const char *maildir_sub;
    const char *rates;
    const char *scheme;
    bool plan;
};

struct import {
    struct importer importer;
    enum store_import_kind kind;
    struct import_words words;
    struct import_rates *rates;
};

/* Says what is no address or domain; true if it was one. */
static enum status judge(struct import *import, enum status status,
                         const char *what, const char *name,
                         const struct errtext *err)
{
    if (status != STATUS_INVALID)
        return status;
    importer_say(&import->importer, '!', "%s %s: %s", what, name, err->text);
    return STATUS_DENIED;
}

/* A flag of a column, or of JSON, where it may be a word. */
static bool is_one(const char *text)
{
    return text != NULL &&
           (strcmp(text, "1") == 0 || strcmp(text, "true") == 0);
}

static bool is_zero(const char *text)
{
    return text != NULL &&
           (strcmp(text, "0") == 0 || strcmp(text, "false") == 0);
}

/* Reads the limits; says where "none" becomes "no more". */
static void read_limits(struct import *import, const char *const *columns,
                        struct store_domain *domain)
{
    bool zero_is_none = import->kind == STORE_IMPORT_MAILCOW;
    bool closed = false;

    domain->max_mailboxes =
        import_limit(columns[IMPORT_DOMAIN_MAILBOXES], zero_is_none,
                     columns[IMPORT_DOMAIN_MAILBOXES_USED], &closed);
    if (closed)
        importer_say(&import->importer, '!',
                     "domain %s: no more mailboxes are allowed there, and "
                     "max-mailboxes %llu stands for it",
                     domain->name, (unsigned long long)domain->max_mailboxes);
    domain->max_aliases =
        import_limit(columns[IMPORT_DOMAIN_ALIASES], zero_is_none,
                     columns[IMPORT_DOMAIN_ALIASES_USED], &closed);
    if (closed)
        importer_say(&import->importer, '!',
                     "domain %s: no more aliases are allowed there, and "
                     "max-aliases %llu stands for it",
                     domain->name, (unsigned long long)domain->max_aliases);
    domain->quota_bytes = import_mebibytes(columns[IMPORT_DOMAIN_QUOTA]);
    domain->max_quota_bytes =
        import_mebibytes(columns[IMPORT_DOMAIN_MAX_QUOTA]);
    domain->active = !is_zero(columns[IMPORT_DOMAIN_ACTIVE]);
}

static enum status visit_domain(const char *const *columns, void *arg,
                                struct errtext *err)
{
    struct import *import = arg;
    const char *name = columns[IMPORT_DOMAIN_NAME];
    struct store_domain domain = {0};
    enum status status;

    if (is_one(columns[IMPORT_DOMAIN_BACKUP])) {
        importer_say(&import->importer, '!',
                     "domain %s: mail is only passed on for it", name);
        return STATUS_OK;
    }
    /* An alias domain of PostfixAdmin's is a domain too; it is made later. */
    if (columns[IMPORT_DOMAIN_ALIAS_OF] != NULL &&
        is_zero(columns[IMPORT_DOMAIN_MAILBOXES_USED]))
        return STATUS_OK;
    status = judge(import, address_domain(name, &domain.name, err), "domain",
                   name, err);
    if (status == STATUS_OK)
        status = address_domain_unicode(domain.name, &domain.name_unicode, err);
    if (status == STATUS_OK) {
        read_limits(import, columns, &domain);
        status = importer_domain(&import->importer, &domain, err);
    }
    store_domain_clear(&domain);
    return status == STATUS_DENIED ? STATUS_OK : status;
}

static enum status visit_alias_domain(const char *const *columns, void *arg,
                                      struct errtext *err)
{
    struct import *import = arg;
    const char *word = columns[IMPORT_ALIAS_DOMAIN_NAME];
    const char *target_word = columns[IMPORT_ALIAS_DOMAIN_TARGET];
    char *name = NULL;
    char *target = NULL;
    enum status status;

    if (is_zero(columns[IMPORT_ALIAS_DOMAIN_ACTIVE])) {
        importer_say(&import->importer, '!',
                     "alias domain %s: it is switched off there", word);
        return STATUS_OK;
    }
    status = judge(import, address_domain(word, &name, err), "alias domain",
                   word, err);
    if (status == STATUS_OK)
        status = judge(import,
                       address_domain(target_word != NULL ? target_word : "",
                                      &target, err),
                       "alias domain", word, err);
    if (status == STATUS_OK)
        status = importer_alias_domain(&import->importer, name, target, err);
    free(name);
    free(target);
    return status == STATUS_DENIED ? STATUS_OK : status;
}

/* Reads one setting as people write it; says what is refused. */
static enum status read_setting(struct import *import, struct account *account,
                                enum account_setting setting, const char *text,
                                struct errtext *err)
{
    enum status status;

    if (text == NULL || text[0] == '\0')
        return STATUS_OK;
    status = account_read_setting(account, setting, text, err);
    if (status != STATUS_INVALID)
        return status;
    importer_say(&import->importer, '!', "mailbox %s: its %s is left out: %s",
                 account->address, account_setting_name(setting), err->text);
    return STATUS_OK;
}

static void read_services(const char *const *columns, struct account *account)
{
    static const struct {
        unsigned column;
        unsigned service;
    } rights[] = {
        {IMPORT_SMTP, ACCOUNT_SMTP},
        {IMPORT_IMAP, ACCOUNT_IMAP},
        {IMPORT_POP3, ACCOUNT_POP3},
        {IMPORT_SIEVE, ACCOUNT_SIEVE},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rights); i++) {
        if (is_zero(columns[rights[i].column]))
            account->set.services &= ~rights[i].service;
    }
    account->set.tls_in = is_one(columns[IMPORT_TLS_IN]);
    account->set.tls_out = is_one(columns[IMPORT_TLS_OUT]);
}

/*
 * mailcow: 1 open, 2 no logins, 0 neither logins nor mail. What a person
 * there shut stays shut here whatever a template says.
 */
static enum account_admin_state admin_state_of(const char *active)
{
    if (is_zero(active))
        return ACCOUNT_BLOCK_ALL;
    return active != NULL && strcmp(active, "2") == 0 ? ACCOUNT_BLOCK_LOGIN
                                                      : ACCOUNT_UNBLOCKED;
}

/* What only mailcow has. */
static enum status read_mailcow(struct import *import,
                                const char *const *columns,
                                struct account *account, struct errtext *err)
{
    const char *source = columns[IMPORT_AUTHSOURCE];
    const struct directory_settings *set;

    read_services(columns, account);
    (void)import_rates_find(import->rates, account->address,
                            &account->set.rate_messages);
    if (columns[IMPORT_APP_PASSWORDS] != NULL &&
        !is_zero(columns[IMPORT_APP_PASSWORDS]))
        importer_say(&import->importer, '!',
                     "mailbox %s: its app passwords (%s) are not carried "
                     "over: provostctl app-password add makes new ones",
                     account->address, columns[IMPORT_APP_PASSWORDS]);
    if (source != NULL && strcmp(source, "mailcow") != 0) {
        set = settings_directory_for(import->importer.tool->settings,
                                     account->domain);
        if (set == NULL)
            importer_say(&import->importer, '!',
                         "mailbox %s: %s checks its password there, and no "
                         "directory serves %s here: it is made local",
                         account->address, source, account->domain);
        account->source = set != NULL ? ACCOUNT_LDAP : ACCOUNT_LOCAL;
        account->directory = set != NULL ? strdup(set->name) : NULL;
        if (set != NULL && account->directory == NULL)
            return status_no_memory(err);
    }
    return read_setting(import, account, ACCOUNT_SET_TAGS, columns[IMPORT_TAGS],
                        err);
}

/* The hash, or a line that says why nobody gets in with it. */
static enum status read_hash(struct import *import, const char *text,
                             struct account *account, struct errtext *err)
{
    enum status status =
        import_hash(text, import->words.scheme, &account->password, err);

    if (status != STATUS_NOT_FOUND)
        return status;
    importer_say(&import->importer, '!',
                 "mailbox %s: no password is carried over: %s",
                 account->address, err->text);
    return STATUS_OK;
}

/* Fills account, whose address is set. STATUS_DENIED: it was said why not. */
static enum status read_mailbox(struct import *import,
                                const char *const *columns,
                                struct account *account, struct errtext *err)
{
    enum status status;

    account->source = ACCOUNT_LOCAL;
    account->set.services = ACCOUNT_ALL_SERVICES;
    account->set.quota_bytes = import_number(columns[IMPORT_QUOTA], NULL);
    account->admin_state = admin_state_of(columns[IMPORT_ACTIVE]);
    account->domain = strdup(address_domain_of(account->address));
    account->name = strdup("");
    account->set.tags = strdup("");
    if (account->domain == NULL || account->name == NULL ||
        account->set.tags == NULL)
        return status_no_memory(err);
    status = judge(
        import,
        import_mail_path(columns[IMPORT_PATH], import->words.mail_base,
                         import->words.maildir_sub, &account->mail_path, err),
        "mailbox", account->address, err);
    if (status == STATUS_OK)
        status = read_setting(import, account, ACCOUNT_SET_NAME,
                              columns[IMPORT_NAME], err);
    if (status == STATUS_OK)
        status = read_hash(import, columns[IMPORT_PASSWORD], account, err);
    if (status == STATUS_OK && import->kind == STORE_IMPORT_MAILCOW)
        status = read_mailcow(import, columns, account, err);
    return status;
}

static enum status visit_mailbox(const char *const *columns, void *arg,
                                 struct errtext *err)
{
    struct import *import = arg;
    const char *word = columns[IMPORT_ADDRESS];
    struct account account = {0};
    enum status status;

    if (import->kind == STORE_IMPORT_MAILCOW && columns[IMPORT_KIND] != NULL &&
        columns[IMPORT_KIND][0] != '\0') {
        importer_say(&import->importer, '!',
                     "mailbox %s: it is a \"%s\" of the calendar", word,
                     columns[IMPORT_KIND]);
        return STATUS_OK;
    }
    status = judge(import, address_canonical(word, &account.address, err),
                   "mailbox", word, err);
    if (status == STATUS_OK)
        status = read_mailbox(import, columns, &account, err);
    if (status == STATUS_OK)
        status = importer_mailbox(&import->importer, &account, err);
    account_clear(&account);
    return status == STATUS_DENIED ? STATUS_OK : status;
}

/* The alias of a mailbox's own name, which may lead elsewhere. */
static enum status own_alias(struct import *import, const char *address,
                             const char *targets, bool active,
                             struct errtext *err)
{
    if (strcmp(targets, address) != 0 && active)
        return importer_forward(&import->importer, address, targets, err);
    if (!active)
        importer_say(&import->importer, '!',
                     "forward %s: it is switched off there; mail goes to the "
                     "mailbox here",
                     address);
    return STATUS_OK;
}

static enum status visit_alias(const char *const *columns, void *arg,
                               struct errtext *err)
{
    struct import *import = arg;
    const char *word = columns[IMPORT_ALIAS_ADDRESS];
    const char *list = columns[IMPORT_ALIAS_TARGETS];
    bool active = !is_zero(columns[IMPORT_ALIAS_ACTIVE]);
    struct strbuf targets = STRBUF_INIT(STORE_FORWARD_BYTES_MAX);
    char *address = NULL;
    enum status status;

    if (is_one(columns[IMPORT_ALIAS_INTERNAL])) {
        importer_say(&import->importer, '!',
                     "alias %s: it is for senders of that host alone, and "
                     "would be for all here",
                     word);
        return STATUS_OK;
    }
    status =
        judge(import, import_address(word, &address, err), "alias", word, err);
    if (status == STATUS_OK)
        status = judge(import,
                       import_targets(list != NULL ? list : "", &targets, err),
                       "alias", word, err);
    if (status == STATUS_OK)
        status =
            is_one(columns[IMPORT_ALIAS_IS_MAILBOX])
                ? own_alias(import, address, strbuf_text(&targets), active, err)
                : importer_alias(&import->importer, address,
                                 strbuf_text(&targets), active, err);
    free(address);
    strbuf_clear(&targets);
    return status == STATUS_DENIED ? STATUS_OK : status;
}

static enum status visit_sender(const char *const *columns, void *arg,
                                struct errtext *err)
{
    struct import *import = arg;
    const char *login_word = columns[IMPORT_SENDER_LOGIN];
    const char *sender_word = columns[IMPORT_SENDER_ADDRESS];
    char *login = NULL;
    char *sender = NULL;
    enum status status;

    if (login_word == NULL || sender_word == NULL)
        return STATUS_OK;
    if (strcmp(sender_word, "*") == 0) {
        importer_say(&import->importer, '!',
                     "sender %s as *: nobody may send as everybody here",
                     login_word);
        return STATUS_OK;
    }
    status = judge(import, address_canonical(login_word, &login, err), "sender",
                   login_word, err);
    if (status == STATUS_OK)
        status = judge(import, import_address(sender_word, &sender, err),
                       "sender", sender_word, err);
    if (status == STATUS_OK)
        status = importer_sender(&import->importer, login, sender, err);
    free(login);
    free(sender);
    return status == STATUS_DENIED ? STATUS_OK : status;
}

static enum status import_all(struct import *import, struct store *source,
                              struct errtext *err)
{
    static enum status (*const visits[])(const char *const *, void *,
                                         struct errtext *) = {
        [STORE_IMPORT_DOMAINS] = visit_domain,
        [STORE_IMPORT_ALIAS_DOMAINS] = visit_alias_domain,
        [STORE_IMPORT_MAILBOXES] = visit_mailbox,
        [STORE_IMPORT_ALIASES] = visit_alias,
        [STORE_IMPORT_SENDERS] = visit_sender,
    };
    enum status status = STATUS_OK;

    for (int list = 0; status == STATUS_OK && list < STORE_IMPORT_LISTS;
         list++) {
        struct store_import_visitor visitor = {visits[list], import};

        status = store_import_list(source, import->kind,
                                   (enum store_import_list)list, &visitor, err);
    }
    return status == STATUS_OK ? importer_limits(&import->importer, err)
                               : status;
}

static void left_rate(const char *name, const char *reason, void *arg)
{
    importer_say(arg, '!', "rate of %s: %s", name, reason);
}

/* Reads the file of rates, if one was named. */
static int read_rates(struct import *import)
{
    char *text = calloc(1, IMPORT_RATES_BYTES_MAX + 2);
    const char *path = import->words.rates;
    struct errtext err = {{0}};
    int code = EX_OK;
    FILE *file;
    size_t len;

    if (path == NULL || text == NULL) {
        free(text);
        return path == NULL ? EX_OK : EX_TEMPFAIL;
    }
    file = fopen(path, "re");
    if (file == NULL) {
        tool_error("%s: %s", path, strerrordesc_np(errno));
        free(text);
        return EX_NOINPUT;
    }
    len = fread(text, 1, IMPORT_RATES_BYTES_MAX + 1, file);
    if (ferror(file) != 0 || len > IMPORT_RATES_BYTES_MAX) {
        tool_error("%s: cannot be read, or is too long", path);
        code = EX_DATAERR;
    } else if (import_rates_parse(text, left_rate, &import->importer,
                                  &import->rates, &err) != STATUS_OK) {
        code = tool_failed(STATUS_TEMPFAIL, &err);
    }
    (void)fclose(file);
    free(text);
    return code;
}

/* Opens what the DSN file names, and takes all of it over. */
static int run_import(struct import *import)
{
    struct store_settings set = {0};
    struct store *source = NULL;
    struct errtext err = {{0}};
    enum status status = import_dsn_read(import->words.dsn_file, &set, &err);
    int code;

    if (status != STATUS_OK) {
        (void)tool_failed(status, &err);
        return status == STATUS_INVALID ? EX_CONFIG : EX_TEMPFAIL;
    }
    code = read_rates(import);
    if (code == EX_OK) {
        status = store_open(&set, &source, &err);
        if (status == STATUS_OK)
            status = import_all(import, source, &err);
        store_close(&source);
        if (status != STATUS_OK)
            code = tool_failed(status, &err);
    }
    import_dsn_free(&set);
    if (code == EX_OK)
        return importer_end(&import->importer);
    tool_error("the import is not whole: mend that and type it again");
    return code;
}

static int import_from(struct tool *tool, struct arguments *arguments,
                       enum store_import_kind kind)
{
    bool mailcow = kind == STORE_IMPORT_MAILCOW;
    struct import import = {
        .importer = {.tool = tool},
        .kind = kind,
        .words = {.mail_base = mailcow ? "/var/vmail/" : "", .maildir_sub = ""},
    };
    struct import_words *words = &import.words;
    const struct tool_option options[] = {
        {"dsn-file", &words->dsn_file, NULL},
        {"plan", NULL, &words->plan},
        {"mail-base", &words->mail_base, NULL},
        {"scheme", &words->scheme, NULL},
        {mailcow ? "maildir-sub" : NULL, &words->maildir_sub, NULL},
        {"rates", &words->rates, NULL},
        {NULL, NULL, NULL},
    };
    int code;

    if (!tool_arguments(arguments, options, 0, 0))
        return EX_USAGE;
    if (words->dsn_file == NULL) {
        tool_error("--dsn-file names the file that says where the database "
                   "is");
        return EX_USAGE;
    }
    import.importer.plan_only = words->plan;
    code = tool_store(tool, false);
    if (code == EX_OK)
        code = run_import(&import);
    import_rates_free(&import.rates);
    importer_clear(&import.importer);
    return code;
}

int import_postfixadmin(struct tool *tool, struct arguments *arguments)
{
    return import_from(tool, arguments, STORE_IMPORT_POSTFIXADMIN);
}

int import_mailcow(struct tool *tool, struct arguments *arguments)
{
    return import_from(tool, arguments, STORE_IMPORT_MAILCOW);
}
