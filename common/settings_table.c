/* settings_table - see settings_table.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings_table.h"

#include <ctype.h>
#include <string.h>

static const char *const schema_words[] = {
    [SCHEMA_CUSTOM] = "custom",   [SCHEMA_OPENLDAP] = "openldap",
    [SCHEMA_AD] = "ad",           [SCHEMA_389DS] = "389ds",
    [SCHEMA_FREEIPA] = "freeipa", [SCHEMA_FREEIPA + 1] = NULL,
};

static const char *const group_method_words[] = {
    [GROUP_NONE] = "none",
    [GROUP_MEMBER_OF] = "member_of",
    [GROUP_IN_CHAIN] = "in_chain",
    [GROUP_IN_CHAIN + 1] = NULL,
};

static const char *const time_format_words[] = {
    [TIME_GENERALIZED] = "generalized",
    [TIME_FILETIME] = "filetime",
    [TIME_FILETIME + 1] = NULL,
};

static const char *const active_words[] = {
    [ACCOUNT_ACTIVE] = "active",
    [ACCOUNT_NOLOGIN] = "nologin",
    [ACCOUNT_TEMPLATE_OFF] = "off",
    [ACCOUNT_TEMPLATE_OFF + 1] = NULL,
};

static const char *const socket_kind_words[] = {
    [SOCKET_LOGIN] = "login",
    [SOCKET_PROVISION] = "provision",
    [SOCKET_KEYS] = "keys",
    [SOCKET_KEYS + 1] = NULL,
};

static const char *const refused_words[] = {
    [REFUSED_TEMPORARY] = "temporary",
    [REFUSED_REFUSE] = "refuse",
    [REFUSED_REFUSE + 1] = NULL,
};

static const char *const policy_mode_words[] = {
    [POLICY_MODE_OFF] = "off",
    [POLICY_MODE_WARN] = "warn",
    [POLICY_MODE_ENFORCE] = "enforce",
    [POLICY_MODE_ENFORCE + 1] = NULL,
};

static const char *const policy_away_words[] = {
    [POLICY_AWAY_DEFAULT] = "default",
    [POLICY_AWAY_DUNNO] = "dunno",
    [POLICY_AWAY_DEFER] = "defer",
    [POLICY_AWAY_DEFER + 1] = NULL,
};

static const char *const over_quota_words[] = {
    [POLICY_OVER_QUOTA_DEFER] = "defer",
    [POLICY_OVER_QUOTA_REJECT] = "reject",
    [POLICY_OVER_QUOTA_REJECT + 1] = NULL,
};

static const char *const missing_words[] = {
    [SYNC_MISSING_KEEP] = "keep",
    [SYNC_MISSING_SUSPEND] = "suspend",
    [SYNC_MISSING_DISABLE] = "disable",
    [SYNC_MISSING_DISABLE + 1] = NULL,
};

static const char *const log_level_words[] = {"error", "warning", "info",
                                              "debug", NULL};

#define SECOND UINT64_C(1000) /* durations are kept in milliseconds */
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* Rows: type of the group's struct, field, key, kind, default, range. */
#define PLAIN(type, field, key, kind, text)                                    \
    {                                                                          \
        key, kind, offsetof(struct type, field), text, 0, 0, NULL              \
    }
#define RANGE(type, field, key, kind, text, min, max)                          \
    {                                                                          \
        key, kind, offsetof(struct type, field), text, min, max, NULL          \
    }
#define WORDS(type, field, key, kind, text, words)                             \
    {                                                                          \
        key, kind, offsetof(struct type, field), text, 0, 0, words             \
    }

#define STORE(field, kind, text)                                               \
    PLAIN(store_settings, field, #field, kind, text)
#define STORE_RANGE(field, key, kind, text, min, max)                          \
    RANGE(store_settings, field, key, kind, text, min, max)

static const struct settings_option store_options[] = {
    STORE(socket, KIND_SOCKET, "/run/mysqld/mysqld.sock"),
    PLAIN(store_settings, hosts, "host", KIND_HOSTS, ""),
    STORE_RANGE(port, "port", KIND_NUMBER, "3306", 1, 65535),
    STORE(user, KIND_TEXT, "provost"),
    STORE(password_file, KIND_SECRET, ""),
    STORE(database, KIND_TEXT, "provost"),
    STORE(ca_file, KIND_FILE, ""),
    STORE_RANGE(max_connections, "max_connections", KIND_NUMBER, "8", 1, 256),
    STORE_RANGE(timeout_ms, "timeout", KIND_DURATION, "5s", 100, MINUTE),
};

static const struct settings_option mapping_options[] = {
    PLAIN(mapping_row, attribute, "attribute", KIND_TEXT, ""),
    PLAIN(mapping_row, pattern, "pattern", KIND_TEXT, ""),
    PLAIN(mapping_row, match_case, "match_case", KIND_BOOL, "false"),
    PLAIN(mapping_row, template_name, "template", KIND_TEXT, NULL),
};

static const struct settings_group directory_children[] = {
    {
        .key = "attribute_mapping",
        .is_list = true,
        .offset = offsetof(struct directory_settings, mapping),
        .count_offset = offsetof(struct directory_settings, mapping_count),
        .size = sizeof(struct mapping_row),
        .options = mapping_options,
        .option_count = ARRAY_SIZE(mapping_options),
    },
};

#define DIR(field, kind, text)                                                 \
    PLAIN(directory_settings, field, #field, kind, text)
#define DIR_AS(field, key, kind, text)                                         \
    PLAIN(directory_settings, field, key, kind, text)
#define DIR_RANGE(field, key, kind, text, min, max)                            \
    RANGE(directory_settings, field, key, kind, text, min, max)
#define DIR_WORDS(field, text, words)                                          \
    WORDS(directory_settings, field, #field, KIND_WORD, text, words)

static const struct settings_option directory_options[] = {
    DIR(name, KIND_NAME, NULL),
    DIR_WORDS(schema, "custom", schema_words),
    DIR_AS(hosts, "host", KIND_HOSTS, NULL),
    DIR_RANGE(port, "port", KIND_NUMBER, "389", 1, 65535),
    DIR(use_ssl, KIND_BOOL, "false"),
    DIR(use_tls, KIND_BOOL, "true"),
    DIR(ignore_ssl_errors, KIND_BOOL, "false"),
    DIR(allow_cleartext, KIND_BOOL, "false"),
    DIR(ca_file, KIND_FILE, ""),
    DIR_AS(base_dns, "base_dn", KIND_TEXTS, NULL),
    DIR(bind_dn, KIND_TEXT, ""),
    DIR(bind_password_file, KIND_SECRET, ""),
    DIR(username_field, KIND_ATTRIBUTE, "mail"),
    DIR(login_fields, KIND_ATTRIBUTES, ""),
    DIR(login_domains, KIND_DOMAINS, ""),
    DIR(windows_domain, KIND_NAME, ""),
    DIR(filter, KIND_TEXT, ""),
    DIR(disabled_filter, KIND_TEXT, ""),
    DIR(attribute_field, KIND_ATTRIBUTE, ""),
    DIR(default_template, KIND_TEXT, ""),
    DIR(name_field, KIND_ATTRIBUTE, "displayName"),
    DIR(alias_field, KIND_ATTRIBUTE, ""),
    DIR(quota_field, KIND_ATTRIBUTE, ""),
    DIR(id_field, KIND_ATTRIBUTE, "auto"),
    DIR_WORDS(group_method, "none", group_method_words),
    DIR_WORDS(time_format, "generalized", time_format_words),
    DIR(domains, KIND_DOMAINS, ""),
    DIR(login_provisioning, KIND_BOOL, "true"),
    DIR(import_users, KIND_BOOL, "false"),
    DIR(periodic_full_sync, KIND_BOOL, "false"),
    DIR_RANGE(sync_interval_minutes, "sync_interval", KIND_NUMBER, "15", 1,
              10080),
    DIR_RANGE(connect_timeout_ms, "connect_timeout", KIND_DURATION, "2s", 100,
              MINUTE),
    DIR_RANGE(operation_timeout_ms, "operation_timeout", KIND_DURATION, "3s",
              100, MINUTE),
    DIR_RANGE(retry_after_ms, "retry_after", KIND_DURATION, "10s", 10, HOUR),
    DIR_RANGE(entry_ttl_ms, "entry_ttl", KIND_DURATION, "30s", 0, HOUR),
    DIR_RANGE(entry_max, "entry_max", KIND_NUMBER, "20000", 1, 10000000),
    DIR_RANGE(max_connections, "max_connections", KIND_NUMBER, "16", 1, 256),
};

#define TEMPLATE(field, key, kind, text)                                       \
    PLAIN(template_settings, field, key, kind, text)
#define TEMPLATE_SERVICE(key, bit)                                             \
    RANGE(template_settings, set.services, key, KIND_SERVICE, "true", bit, 0)

static const struct settings_option template_options[] = {
    TEMPLATE(name, "name", KIND_NAME, NULL),
    TEMPLATE(set.quota_bytes, "quota", KIND_SIZE, "unlimited"),
    TEMPLATE(set.message_size_bytes, "message_size", KIND_SIZE, "unlimited"),
    TEMPLATE(set.rate_messages, "rate_limit", KIND_RATE, "unlimited"),
    TEMPLATE(set.rate_recipients, "recipient_limit", KIND_RATE, "unlimited"),
    TEMPLATE_SERVICE("smtp_access", ACCOUNT_SMTP),
    TEMPLATE_SERVICE("imap_access", ACCOUNT_IMAP),
    TEMPLATE_SERVICE("pop3_access", ACCOUNT_POP3),
    TEMPLATE_SERVICE("sieve_access", ACCOUNT_SIEVE),
    TEMPLATE(set.tls_in, "tls_enforce_in", KIND_BOOL, "false"),
    TEMPLATE(set.tls_out, "tls_enforce_out", KIND_BOOL, "false"),
    WORDS(template_settings, set.active, "active", KIND_WORD, "active",
          active_words),
    TEMPLATE(set.tags, "tags", KIND_TAGS, ""),
};

static const struct settings_option socket_options[] = {
    PLAIN(socket_settings, path, "path", KIND_SOCKET, "/run/provost/auth/mux"),
    WORDS(socket_settings, kind, "kind", KIND_WORD, "login", socket_kind_words),
    PLAIN(socket_settings, mode, "mode", KIND_MODE, "0660"),
    PLAIN(socket_settings, group, "group", KIND_TEXT, ""),
    PLAIN(socket_settings, allowed, "allowed", KIND_TEXTS, ""),
    PLAIN(socket_settings, canonical_only, "canonical_only", KIND_BOOL, "true"),
};

static const struct settings_group auth_children[] = {
    {
        .key = "sockets",
        .is_list = true,
        .offset = offsetof(struct auth_settings, sockets),
        .count_offset = offsetof(struct auth_settings, socket_count),
        .size = sizeof(struct socket_settings),
        .default_count = 1,
        .options = socket_options,
        .option_count = ARRAY_SIZE(socket_options),
    },
};

#define AUTH(field, kind, text) PLAIN(auth_settings, field, #field, kind, text)
#define AUTH_NUMBER(field, text, min, max)                                     \
    RANGE(auth_settings, field, #field, KIND_NUMBER, text, min, max)
#define AUTH_TIME(field, key, text, min, max)                                  \
    RANGE(auth_settings, field, key, KIND_DURATION, text, min, max)

static const struct settings_option auth_options[] = {
    AUTH(control_path, KIND_SOCKET, "/run/provost/authd.control"),
    AUTH(control_group, KIND_TEXT, ""),
    AUTH_TIME(deadline_ms, "deadline", "8s", 100, MINUTE),
    AUTH_TIME(queue_age_ms, "queue_age", "4s", 10, MINUTE),
    AUTH_NUMBER(queue_max, "1000", 1, 100000),
    AUTH_NUMBER(workers, "16", 2, 1024),
    AUTH_NUMBER(max_connections, "2500", 1, 60000),
    AUTH_NUMBER(directory_share, "0", 0, 1023),
    AUTH_TIME(client_timeout_ms, "client_timeout", "5s", 100, 5 * MINUTE),
    AUTH_TIME(cache_ttl_ms, "cache_ttl", "0", 0, DAY),
    AUTH_NUMBER(cache_max, "100000", 1, 10000000),
    AUTH_TIME(refused_ttl_ms, "refused_ttl", "10m", 0, DAY),
    AUTH_NUMBER(refused_max, "10000", 1, 10000000),
    AUTH_NUMBER(throttle_failures, "20", 0, 1000000),
    AUTH_TIME(throttle_period_ms, "throttle_period", "10m", 100, 7 * DAY),
    AUTH_NUMBER(throttle_failures_per_client, "100", 0, 1000000),
    AUTH_NUMBER(throttle_max, "100000", 1, 10000000),
    AUTH(trusted_clients, KIND_CLIENTS, "127.0.0.0/8, ::1"),
    AUTH_NUMBER(hash_workers, "2", 1, 256),
    AUTH(keys_secret_file, KIND_SECRET, ""),
    WORDS(auth_settings, on_provisioning_refused, "on_provisioning_refused",
          KIND_WORD, "temporary", refused_words),
};

static const struct settings_option event_options[] = {
    RANGE(event_settings, keep_ms, "keep", KIND_DURATION, "400d", DAY,
          36500 * DAY),
};

static const struct settings_option mail_options[] = {
    PLAIN(mail_settings, path_format, "mail_path_format", KIND_TEXT, "%d/%n/"),
    RANGE(mail_settings, uid, "mail_uid", KIND_NUMBER, "5000", 1, 999999999),
    RANGE(mail_settings, gid, "mail_gid", KIND_NUMBER, "5000", 1, 999999999),
};

#define LISTEN(field, kind, text)                                              \
    PLAIN(policy_listen_settings, field, #field, kind, text)

static const struct settings_option listen_options[] = {
    LISTEN(path, KIND_SOCKET, "/var/spool/postfix/var/run/provost/policy"),
    LISTEN(mode, KIND_MODE, "0660"),
    LISTEN(group, KIND_TEXT, "postfix"),
    LISTEN(host, KIND_TEXT, ""),
    RANGE(policy_listen_settings, port, "port", KIND_NUMBER, "10050", 1, 65535),
};

#define RULE(field, key, kind, text)                                           \
    PLAIN(policy_rule_settings, field, key, kind, text)

static const struct settings_option rule_options[] = {
    RULE(name, "rule", KIND_NAME, NULL),
    WORDS(policy_rule_settings, mode, "mode", KIND_WORD, "enforce",
          policy_mode_words),
    WORDS(policy_rule_settings, store_away, "store_away", KIND_WORD, "default",
          policy_away_words),
    RULE(text, "text", KIND_TEXT, ""),
};

static const struct settings_group policy_children[] = {
    {
        .key = "listen",
        .is_list = true,
        .offset = offsetof(struct policy_settings, listens),
        .count_offset = offsetof(struct policy_settings, listen_count),
        .size = sizeof(struct policy_listen_settings),
        .default_count = 1,
        .options = listen_options,
        .option_count = ARRAY_SIZE(listen_options),
    },
    {
        .key = "rules",
        .is_list = true,
        .offset = offsetof(struct policy_settings, rules),
        .count_offset = offsetof(struct policy_settings, rule_count),
        .size = sizeof(struct policy_rule_settings),
        .options = rule_options,
        .option_count = ARRAY_SIZE(rule_options),
    },
};

#define POLICY(field, kind, text)                                              \
    PLAIN(policy_settings, field, #field, kind, text)
#define POLICY_NUMBER(field, text, min, max)                                   \
    RANGE(policy_settings, field, #field, KIND_NUMBER, text, min, max)
#define POLICY_TIME(field, key, text, min, max)                                \
    RANGE(policy_settings, field, key, KIND_DURATION, text, min, max)

static const struct settings_option policy_options[] = {
    POLICY_NUMBER(max_connections, "2000", 1, 60000),
    POLICY_NUMBER(workers, "32", 1, 1024),
    POLICY_TIME(deadline_ms, "deadline", "2s", 50, MINUTE),
    POLICY(control_path, KIND_SOCKET, "/run/provost/policyd.control"),
    POLICY(control_group, KIND_TEXT, ""),
    POLICY_TIME(account_ttl_ms, "account_ttl", "5s", 0, HOUR),
    POLICY_NUMBER(account_max, "100000", 1, 10000000),
    POLICY_TIME(usage_ttl_ms, "usage_ttl", "5s", 0, HOUR),
    POLICY_TIME(instance_ttl_ms, "instance_ttl", "1h", SECOND, DAY),
    POLICY_NUMBER(instance_max, "20000", 1, 10000000),
    PLAIN(policy_settings, quota_grace_bytes, "quota_grace", KIND_SIZE, "0B"),
    WORDS(policy_settings, over_quota, "over_quota", KIND_WORD, "defer",
          over_quota_words),
    POLICY(recipient_delimiter, KIND_TEXT, "+"),
    POLICY(provision_socket, KIND_SOCKET, "/run/provost/auth/provision"),
    POLICY_TIME(unknown_ttl_ms, "unknown_ttl", "10m", 0, DAY),
    POLICY_TIME(rate_flush_ms, "rate_flush", "3s", 100, HOUR),
    POLICY_NUMBER(rate_max, "200000", 1, 10000000),
    POLICY(share_rates, KIND_BOOL, "false"),
    POLICY(node, KIND_TEXT, ""),
};

#define SYNC_TIME(field, key, text)                                            \
    RANGE(sync_settings, field, key, KIND_DURATION, text, 0, 3650 * DAY)

static const struct settings_option sync_options[] = {
    PLAIN(sync_settings, canary, "canary", KIND_TEXT, ""),
    PLAIN(sync_settings, max_removals, "max_removals", KIND_TEXT, "5%"),
    RANGE(sync_settings, missing_runs, "missing_runs", KIND_NUMBER, "3", 1,
          1000),
    SYNC_TIME(missing_for_ms, "missing_for", "1d"),
    WORDS(sync_settings, on_missing, "on_missing", KIND_WORD, "keep",
          missing_words),
    SYNC_TIME(disable_after_ms, "disable_after", "30d"),
    SYNC_TIME(rename_alias_for_ms, "rename_alias_for", "180d"),
};

static const struct settings_group root_children[] = {
    {
        .key = "store",
        .offset = offsetof(struct settings, store),
        .size = sizeof(struct store_settings),
        .options = store_options,
        .option_count = ARRAY_SIZE(store_options),
    },
    {
        .key = "directories",
        .is_list = true,
        .offset = offsetof(struct settings, directories),
        .count_offset = offsetof(struct settings, directory_count),
        .size = sizeof(struct directory_settings),
        .options = directory_options,
        .option_count = ARRAY_SIZE(directory_options),
        .children = directory_children,
        .child_count = ARRAY_SIZE(directory_children),
    },
    {
        .key = "templates",
        .is_list = true,
        .offset = offsetof(struct settings, templates),
        .count_offset = offsetof(struct settings, template_count),
        .size = sizeof(struct template_settings),
        .options = template_options,
        .option_count = ARRAY_SIZE(template_options),
    },
    {
        .key = "auth",
        .offset = offsetof(struct settings, auth),
        .size = sizeof(struct auth_settings),
        .options = auth_options,
        .option_count = ARRAY_SIZE(auth_options),
        .children = auth_children,
        .child_count = ARRAY_SIZE(auth_children),
    },
    {
        .key = "policy",
        .offset = offsetof(struct settings, policy),
        .size = sizeof(struct policy_settings),
        .options = policy_options,
        .option_count = ARRAY_SIZE(policy_options),
        .children = policy_children,
        .child_count = ARRAY_SIZE(policy_children),
    },
    {
        .key = "event",
        .offset = offsetof(struct settings, event),
        .size = sizeof(struct event_settings),
        .options = event_options,
        .option_count = ARRAY_SIZE(event_options),
    },
    {
        .key = "sync",
        .offset = offsetof(struct settings, sync),
        .size = sizeof(struct sync_settings),
        .options = sync_options,
        .option_count = ARRAY_SIZE(sync_options),
    },
    {
        .key = "mail",
        .offset = offsetof(struct settings, mail),
        .size = sizeof(struct mail_settings),
        .options = mail_options,
        .option_count = ARRAY_SIZE(mail_options),
    },
};

static const struct settings_option root_options[] = {
    WORDS(settings, log_level, "log_level", KIND_WORD_TEXT, "info",
          log_level_words),
};

const struct settings_group settings_root = {
    .key = "",
    .size = sizeof(struct settings),
    .options = root_options,
    .option_count = ARRAY_SIZE(root_options),
    .children = root_children,
    .child_count = ARRAY_SIZE(root_children),
};

/*
 * OpenLDAP: only the lock an administrator sets for good counts as disabled;
 * a lock after wrong passwords passes by itself, and would let strangers
 * suspend a mailbox.
 */
const struct settings_preset settings_presets[] = {
    {SCHEMA_OPENLDAP, "id_field", "entryUUID"},
    {SCHEMA_OPENLDAP, "disabled_filter",
     "(pwdAccountLockedTime=000001010000Z)"},
    {SCHEMA_OPENLDAP, "group_method", "none"},
    {SCHEMA_OPENLDAP, "time_format", "generalized"},
    {SCHEMA_AD, "id_field", "objectGUID"},
    {SCHEMA_AD, "disabled_filter",
     "(|(userAccountControl:1.2.840.113556.1.4.803:=2)"
     "(&(accountExpires>=1)(accountExpires<={now})))"},
    {SCHEMA_AD, "group_method", "in_chain"},
    {SCHEMA_AD, "time_format", "filetime"},
    {SCHEMA_389DS, "id_field", "nsUniqueId"},
    {SCHEMA_389DS, "disabled_filter", "(nsAccountLock=TRUE)"},
    {SCHEMA_389DS, "group_method", "member_of"},
    {SCHEMA_389DS, "time_format", "generalized"},
    {SCHEMA_FREEIPA, "id_field", "ipaUniqueID"},
    {SCHEMA_FREEIPA, "disabled_filter", "(nsAccountLock=TRUE)"},
    {SCHEMA_FREEIPA, "group_method", "member_of"},
    {SCHEMA_FREEIPA, "time_format", "generalized"},
};
const size_t settings_preset_count = ARRAY_SIZE(settings_presets);

const struct settings_option *
settings_option_named(const struct settings_group *group, const char *key)
{
    for (size_t i = 0; i < group->option_count; i++) {
        if (strcmp(group->options[i].key, key) == 0)
            return &group->options[i];
    }
    return NULL;
}

const struct settings_group *
settings_child_named(const struct settings_group *group, const char *key)
{
    for (size_t i = 0; i < group->child_count; i++) {
        if (strcmp(group->children[i].key, key) == 0)
            return &group->children[i];
    }
    return NULL;
}

/* The next byte that counts: letters and digits, in lower case. */
static int next_letter(const char **text)
{
    while (**text != '\0' && !isalnum((unsigned char)**text))
        (*text)++;
    return **text == '\0' ? 0 : tolower((unsigned char)*(*text)++);
}

/*
 * How many letters at the start are the same, '_' and case ignored; *whole_r
 * tells that all of the shorter is. Two letters that change places count.
 */
static size_t same_letters(const char *a, const char *b, bool *whole_r)
{
    size_t same = 0;
    int x = next_letter(&a);
    int y = next_letter(&b);

    while (x != 0 && x == y) {
        same++;
        x = next_letter(&a);
        y = next_letter(&b);
    }
    *whole_r = x == 0 || y == 0;
    return same;
}

/* Remembers key if it is nearer to the unknown one than the best so far. */
static void consider(const char *unknown, const char *key, const char **best,
                     size_t *best_same)
{
    bool whole = false;
    size_t same = same_letters(unknown, key, &whole);

    /* "bindpass" and "bind_password_file", "quotta" and "quota". */
    if (same > *best_same && (whole || same >= 4)) {
        *best = key;
        *best_same = same;
    }
}

const char *settings_suggestion(const struct settings_group *group,
                                const char *key)
{
    const char *best = NULL;
    size_t best_same = 2;

    for (size_t i = 0; i < group->option_count; i++)
        consider(key, group->options[i].key, &best, &best_same);
    for (size_t i = 0; i < group->child_count; i++)
        consider(key, group->children[i].key, &best, &best_same);
    return best;
}
