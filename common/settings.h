/*
 * settings - provost.conf and conf.d, read, checked and explained
 *
 * One table of options (settings_table.c) feeds load, check, dump and the
 * documentation test. No global: a loaded struct settings is passed down, is
 * never changed afterwards, and a reload makes a new one. The only file that
 * knows libconfig. Files are trusted only as far as their text: unknown keys,
 * wrong types, values out of range and contradictions are errors with file,
 * line and key, and with a sentence that tells the fix.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_SETTINGS_H
#define COMMON_SETTINGS_H

#include "account.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* An owned list of owned texts. */
struct text_list {
    char **items;
    size_t count;
};

/* Appends a copy of item. Returns STATUS_OK, or STATUS_TEMPFAIL. */
enum status text_list_add(struct text_list *list, const char *item,
                          struct errtext *err) MUST_CHECK;

/* Frees the items and makes the list empty. */
void text_list_clear(struct text_list *list);

/* Presets of what differs between directories (issue: schema = "..."). */
enum directory_schema {
    SCHEMA_CUSTOM, /* the default: id_field auto, nothing else assumed */
    SCHEMA_OPENLDAP,
    SCHEMA_AD,
    SCHEMA_389DS,
    SCHEMA_FREEIPA
};

/* How nested groups are found. */
enum directory_group_method {
    GROUP_NONE,      /* attribute_field as the entry has it */
    GROUP_MEMBER_OF, /* memberOf, direct groups */
    GROUP_IN_CHAIN   /* AD's matching rule, nested groups too */
};

/* How the directory writes time stamps. */
enum directory_time_format {
    TIME_GENERALIZED, /* RFC 4517 GeneralizedTime */
    TIME_FILETIME     /* AD: 100 ns since 1601 */
};

/* One row of attribute_mapping: a literal or a pattern, never both. */
struct mapping_row {
    char *attribute; /* literal, whole value; "" if pattern */
    char *pattern;   /* fnmatch(3) pattern; "" or NULL if attribute */
    bool match_case; /* default false */
    char *template_name;
};

struct directory_settings {
    char *name;
    enum directory_schema schema;
    struct text_list hosts; /* in order: names and addresses, or, if they begin
                               with '/', all of them paths of ldapi sockets */
    unsigned port; /* as it will be used: 389 became 636 with use_ssl */
    bool use_ssl;
    bool use_tls;
    bool ignore_ssl_errors;
    bool allow_cleartext;
    char *ca_file; /* "": the system's */
    struct text_list base_dns;
    char *bind_dn;            /* "": anonymous */
    char *bind_password_file; /* "": none */
    char *bind_password;      /* read from the file; a secret; NULL: none */
    char *username_field;
    struct text_list login_fields;
    struct text_list login_domains; /* canonical; ends of login names that are
                                       no mail domains */
    char *windows_domain;  /* "": none; people log in as NAME\user, too */
    char *filter;          /* "": none */
    char *disabled_filter; /* "": none; a bind alone tells */
    char *attribute_field; /* "": none */
    struct mapping_row *mapping;
    size_t mapping_count;
    char *default_template; /* "": refuse */
    char *name_field;
    char *alias_field; /* "": none */
    char *quota_field; /* "": the template's */
    char *id_field;    /* "auto" or an attribute */
    enum directory_group_method group_method;
    enum directory_time_format time_format;
    struct text_list domains; /* canonical; empty: all that no other claims */
    bool login_provisioning;
    bool import_users;
    bool periodic_full_sync;
    unsigned sync_interval_minutes;
    int64_t connect_timeout_ms;   /* TCP and TLS, each host */
    int64_t operation_timeout_ms; /* one bind or search */
    int64_t retry_after_ms;       /* breaker: how long a dead host rests */
    int64_t entry_ttl_ms;         /* 0: entries are not remembered */
    unsigned entry_max;           /* entries remembered at most */
    unsigned max_connections;     /* of each kind (search, bind) */
};

struct template_settings {
    char *name;
    struct account_settings set;
};

#define STORE_HOSTS_MAX 16

struct store_settings {
    char *socket;           /* "" when host is set */
    struct text_list hosts; /* in order; none: socket */
    unsigned port;
    char *user;
    char *password_file;
    char *password; /* read from the file; a secret; NULL: unix_socket auth */
    char *database;
    char *ca_file; /* for host; "" and a host that is not loopback: error */
    unsigned max_connections;
    int64_t timeout_ms; /* one transaction with its retries */
    uid_t connect_uid;  /* from no file: root connects as this user, whom
                           unix_socket then sees; 0: as it is */
};

/* What a right password that meets a limit, or no template, is answered. */
enum provisioning_refused {
    REFUSED_TEMPORARY, /* the default: 454 */
    REFUSED_REFUSE     /* 535 */
};

/* What may be asked at a socket of authd. */
enum socket_kind {
    SOCKET_LOGIN,
    SOCKET_PROVISION, /* by policyd: makes sure that a mailbox exists */
    SOCKET_KEYS       /* by the plugin's auxprop: SCRAM keys; needs allowed */
};

struct socket_settings {
    char *path;
    enum socket_kind kind;
    mode_t mode;              /* e.g. 0660 */
    char *group;              /* "": as the process */
    struct text_list allowed; /* user names by SO_PEERCRED; empty: any */
    bool canonical_only; /* default true: stock clients keep the typed name */
};

struct auth_settings {
    struct socket_settings *sockets;
    size_t socket_count;
    char *control_path; /* control socket, root and group */
    char *control_group;
    int64_t deadline_ms; /* one attempt, all in all */
    int64_t queue_age_ms;
    unsigned queue_max;
    unsigned workers;
    unsigned max_connections;
    unsigned directory_share; /* logins in flight per directory; 0: workers-1 */
    int64_t client_timeout_ms; /* a frame has to be whole by then */
    int64_t cache_ttl_ms;      /* verified logins; 0: off */
    unsigned cache_max;
    int64_t refused_ttl_ms; /* refused pairs */
    unsigned refused_max;
    unsigned throttle_failures; /* wrong passwords before it closes; 0: off */
    int64_t throttle_period_ms;
    unsigned throttle_failures_per_client;
    unsigned throttle_max;
    char *keys_secret_file;
    char *keys_secret; /* for the keys of people who have none; a secret */
    struct text_list trusted_clients; /* addresses or CIDR */
    unsigned hash_workers;            /* local hashes verified at once */
    enum provisioning_refused on_provisioning_refused;
};

struct mail_settings {
    char *path_format; /* mail_path_format */
    unsigned uid;      /* mail_uid */
    unsigned gid;
};

/* The history in the store. */
struct event_settings {
    int64_t keep_ms; /* "keep": older events, runs and rates are removed */
};

/* What becomes of a mailbox whose person has left the directory. */
enum sync_missing {
    SYNC_MISSING_KEEP,    /* an event is all */
    SYNC_MISSING_SUSPEND, /* logins are refused, mail is accepted */
    SYNC_MISSING_DISABLE  /* and later mail is refused too */
};

/* provost-sync. */
struct sync_settings {
    char *canary;       /* an address that must be in its directory; "" none */
    char *max_removals; /* "5%" (3 at least, 50 at most) or a number, a day */
    unsigned missing_runs;  /* complete readings without the person, and */
    int64_t missing_for_ms; /* so long, before anything happens */
    enum sync_missing on_missing;
    int64_t disable_after_ms;    /* from suspended to disabled */
    int64_t rename_alias_for_ms; /* of an old address; 0: for ever */
};

/* What a rule of policyd does when it says no. */
enum policy_mode {
    POLICY_MODE_OFF,
    POLICY_MODE_WARN, /* DUNNO, and a line that it would refuse */
    POLICY_MODE_ENFORCE
};

/* What it does when the store does not answer. */
enum policy_away {
    POLICY_AWAY_DEFAULT, /* the rule's own choice */
    POLICY_AWAY_DUNNO,
    POLICY_AWAY_DEFER
};

/* How a full mailbox is said: 452 4.2.2 or 552 5.2.2. */
enum policy_over_quota {
    POLICY_OVER_QUOTA_DEFER,
    POLICY_OVER_QUOTA_REJECT
};

/* One row of policy.rules; rules without a row follow behind them. */
struct policy_rule_settings {
    char *name;
    enum policy_mode mode;
    enum policy_away store_away;
    char *text; /* words of the answer, code excluded; "": the rule's own */
};

/* One place where Postfix asks: a unix socket, or a host and port. */
struct policy_listen_settings {
    char *path; /* "" when host is set */
    mode_t mode;
    char *group;   /* "": as the process */
    char *host;    /* an address; "": path */
    unsigned port; /* of host */
};

/* provost-policyd, and what its rules are decided by (policyd/rule.h). */
struct policy_settings {
    struct policy_listen_settings *listens;
    size_t listen_count;
    unsigned max_connections;
    unsigned workers;
    char *control_path; /* control socket, root and group */
    char *control_group;
    int64_t rate_flush_ms; /* "rate_flush", 3s: counters to the store */
    unsigned rate_max;     /* counters kept at most */
    bool share_rates;      /* with other hosts, through the store */
    char *node;            /* this host's name among them; "": its own */
    struct policy_rule_settings *rules;
    size_t rule_count;
    int64_t account_ttl_ms;  /* "account_ttl", 5s; 0: nothing remembered */
    unsigned account_max;    /* addresses, logins, domains remembered at most */
    int64_t usage_ttl_ms;    /* "usage_ttl", 5s: sum of a domain */
    int64_t instance_ttl_ms; /* "instance_ttl", 1h: RCPT to END-OF-MESSAGE */
    unsigned instance_max;
    uint64_t quota_grace_bytes; /* "quota_grace", 0 */
    enum policy_over_quota over_quota;
    char *recipient_delimiter; /* "+", as Postfix's; "": no extensions */
    char *provision_socket;    /* authd's, of kind provision */
    int64_t unknown_ttl_ms;    /* "unknown_ttl", 10m: authd's no */
    int64_t deadline_ms;       /* "deadline", 2s: one request */
};

struct settings {
    struct store_settings store;
    struct directory_settings *directories;
    size_t directory_count;
    struct template_settings *templates;
    size_t template_count;
    struct auth_settings auth;
    struct event_settings event;
    struct mail_settings mail;
    struct policy_settings policy;
    struct sync_settings sync;
    char *log_level; /* error, warning, info, debug */
};

/* Faults found while loading: one line each, "file:line: key: sentence". */
#define SETTINGS_FAULTS_BYTES_MAX 16384

/*
 * Reads path and, in name order, every .conf in the conf.d beside it; a later
 * file may add to lists and set what no earlier file set.
 *
 * Returns STATUS_OK and an owned *settings_r (settings_free);
 * STATUS_INVALID with all faults, a line each, appended to faults;
 * STATUS_TEMPFAIL without memory. Never a half-read struct.
 */
enum status settings_load(const char *path, struct settings **settings_r,
                          struct strbuf *faults) MUST_CHECK;

/* Wipes the secrets, frees *settings and sets it to NULL; it may be NULL. */
void settings_free(struct settings **settings);

/*
 * Appends the effective settings as a file that can be loaded again: secrets
 * stay in their files, beside which a comment says "***". With non_default,
 * only what differs from the defaults. What a schema preset set is shown with
 * its value and a comment.
 */
void settings_show(const struct settings *settings, bool non_default,
                   struct strbuf *buf);

/*
 * Appends one line an option: path, type, default and range with tabs between;
 * for the documentation gate.
 */
void settings_describe(struct strbuf *buf);

/*
 * Returns the directory that serves a canonical domain: the one that claims
 * it, else the one that claims none; NULL if there is none. Borrowed.
 */
const struct directory_settings *
settings_directory_for(const struct settings *settings, const char *domain);

/* Likewise the one whose login_domains name a canonical domain, or NULL. */
const struct directory_settings *
settings_directory_of_login(const struct settings *settings,
                            const char *domain);

/* Returns the template or directory of that name, or NULL. Borrowed. */
const struct template_settings *
settings_template(const struct settings *settings, const char *name);
const struct directory_settings *
settings_directory(const struct settings *settings, const char *name);

#endif
