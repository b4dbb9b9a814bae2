/*
 * account - one mailbox, as everybody in Provost talks about it
 *
 * Identity (canonical address, directory name, immutable id), settings, state,
 * and which settings an administrator has pinned. Pure data: the store reads
 * and writes it, provision compares it, decision and policy ask it.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_ACCOUNT_H
#define COMMON_ACCOUNT_H

#include "quantity.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who checks the password: our own hash, or a directory. */
enum account_source {
    ACCOUNT_LOCAL,
    ACCOUNT_LDAP
};

/* Rights for protocols, a bit each; also "which protocol is this login". */
enum account_service {
    ACCOUNT_SMTP = 1,
    ACCOUNT_IMAP = 2,
    ACCOUNT_POP3 = 4,
    ACCOUNT_SIEVE = 8,
    ACCOUNT_ALL_SERVICES = 15
};

/* What the template says (mailcow's active 1, 2, 0). */
enum account_template_state {
    ACCOUNT_ACTIVE,
    ACCOUNT_NOLOGIN,
    ACCOUNT_TEMPLATE_OFF
};

/* What the directory says. */
enum account_directory_state {
    ACCOUNT_PRESENT,
    ACCOUNT_DISABLED,
    ACCOUNT_MISSING,
    ACCOUNT_GONE /* missing for so long that mail is refused too */
};

/* What an administrator says. */
enum account_admin_state {
    ACCOUNT_UNBLOCKED,
    ACCOUNT_BLOCK_LOGIN,
    ACCOUNT_BLOCK_ALL
};

/* What follows from the three: the strictest counts (design section 6). */
enum account_access {
    ACCOUNT_OPEN,         /* logins and mail */
    ACCOUNT_LOGIN_CLOSED, /* logins refused, mail accepted */
    ACCOUNT_OFF           /* mail refused too */
};

/* The settings that can differ, be pinned and be listed as changed. */
enum account_setting {
    ACCOUNT_SET_NAME,
    ACCOUNT_SET_QUOTA,
    ACCOUNT_SET_MESSAGE_SIZE,
    ACCOUNT_SET_RATE_MESSAGES,
    ACCOUNT_SET_RATE_RECIPIENTS,
    ACCOUNT_SET_SMTP,
    ACCOUNT_SET_IMAP,
    ACCOUNT_SET_POP3,
    ACCOUNT_SET_SIEVE,
    ACCOUNT_SET_TLS_IN,
    ACCOUNT_SET_TLS_OUT,
    ACCOUNT_SET_ACTIVE,
    ACCOUNT_SET_TAGS,
    ACCOUNT_SET_ALIASES,
    ACCOUNT_SETTING_COUNT
};

#define ACCOUNT_SET_BIT(setting) (1U << (unsigned)(setting))

/* What a template gives; also the mailbox's own. tags is owned. */
struct account_settings {
    uint64_t quota_bytes;        /* 0: unlimited */
    uint64_t message_size_bytes; /* 0: unlimited */
    struct rate rate_messages;   /* sent messages */
    struct rate rate_recipients; /* recipients of sent messages */
    unsigned services;           /* enum account_service bits allowed */
    bool tls_in;                 /* tls_enforce_in */
    bool tls_out;                /* tls_enforce_out */
    enum account_template_state active;
    char *tags; /* comma separated, sorted, never NULL */
};

/* Starts as {0}; every string is owned; see account_clear. */
struct account {
    char *address; /* canonical; NULL: no mailbox */
    char *domain;  /* canonical */
    enum account_source source;
    char *directory;     /* settings name of the directory; NULL for local */
    char *directory_id;  /* immutable id in text form; NULL: not yet adopted */
    char *password;      /* local hash "{SCHEME}..."; NULL: none; a secret */
    char *name;          /* display name; "" allowed, never NULL in a mailbox */
    char *template_name; /* NULL: none applied yet */
    char *fingerprint;   /* of what was applied; NULL: nothing yet */
    char *mail_path;     /* relative; set once */
    struct account_settings set;
    unsigned pinned;     /* ACCOUNT_SET_BIT()s an administrator fixed */
    uint64_t sync_print; /* of the entry and the fingerprint that sync saw
                            last; 0: it looks again */
    enum account_directory_state directory_state;
    enum account_admin_state admin_state;
    char **aliases; /* made from the directory, canonical, sorted */
    size_t alias_count;
    bool aliases_known; /* false: the reader did not load them */
};

/* Frees what account holds, wipes the hash, and makes it {0} again. */
void account_clear(struct account *account);

/* Frees what set holds and makes it {0} again. */
void account_settings_clear(struct account_settings *set);

/*
 * Copies all of from into *to_r, which is overwritten.
 * Returns STATUS_OK; or STATUS_TEMPFAIL without memory (*to_r untouched).
 */
enum status account_copy(const struct account *from, struct account *to_r,
                         struct errtext *err) MUST_CHECK;
enum status account_settings_copy(const struct account_settings *from,
                                  struct account_settings *to_r,
                                  struct errtext *err) MUST_CHECK;

/* Returns what the three states allow, the strictest counting. */
enum account_access account_access(const struct account *account);

/*
 * Returns the protocol a SASL or Dovecot service name stands for: "smtp",
 * "smtpd", "submission", "lmtp" ... -> ACCOUNT_SMTP, "imap", "imaps", "pop",
 * "pop3", "sieve", "managesieve" ...; 0 for a name that is none of them.
 */
unsigned account_service(const char *name);

/* Constant words, as they are stored, logged and configured. */
const char *account_service_name(unsigned service);
const char *account_setting_name(enum account_setting setting);
const char *account_source_name(enum account_source source);
const char *account_template_state_name(enum account_template_state state);
const char *account_directory_state_name(enum account_directory_state state);
const char *account_admin_state_name(enum account_admin_state state);

/* The way back from a stored word: true and *value_r, or false. */
bool account_source_from(const char *word, enum account_source *value_r);
bool account_template_state_from(const char *word,
                                 enum account_template_state *value_r);
bool account_directory_state_from(const char *word,
                                  enum account_directory_state *value_r);
bool account_admin_state_from(const char *word,
                              enum account_admin_state *value_r);
bool account_setting_from(const char *word, enum account_setting *value_r);

/*
 * Appends the value of one setting as people read it ("5G", "yes", "200/1h");
 * the form of events, previews and listings.
 */
void account_append_setting(struct strbuf *buf, const struct account *account,
                            enum account_setting setting);

/* Appends the names of the settings in pinned, with commas between. */
void account_append_pins(struct strbuf *buf, unsigned pinned);

/*
 * Reads the value of one setting from the form account_append_setting writes
 * ("yes" and "no" for rights and TLS; tags with commas between, which are
 * sorted) into account, which owns its texts.
 *
 * Returns STATUS_OK; STATUS_INVALID with a sentence in err, also for the
 * aliases, which only a directory makes; STATUS_TEMPFAIL without memory.
 * Anything but STATUS_OK leaves account as it was.
 */
enum status account_read_setting(struct account *account,
                                 enum account_setting setting, const char *text,
                                 struct errtext *err) MUST_CHECK;

/* Copies the value of one setting, but for the aliases. STATUS_TEMPFAIL. */
enum status account_copy_setting(struct account *to, const struct account *from,
                                 enum account_setting setting,
                                 struct errtext *err) MUST_CHECK;

#endif
