/* doctor_words - see doctor_words.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor_words.h"

#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\v\f"
#define SEPARATORS ", \t\r\n"

/* One line of a text, without its end. */
struct line {
    const char *text;
    size_t len;
};

/* Takes the next line from *rest; false at the end. */
static bool take_line(const char **rest, struct line *line_r)
{
    const char *end;

    if (*rest == NULL || **rest == '\0')
        return false;
    end = strchr(*rest, '\n');
    line_r->text = *rest;
    line_r->len = end != NULL ? (size_t)(end - *rest) : strlen(*rest);
    *rest = end != NULL ? end + 1 : NULL;
    return true;
}

static void trim(struct line *line)
{
    while (line->len > 0 && strchr(BLANKS, line->text[0]) != NULL) {
        line->text++;
        line->len--;
    }
    while (line->len > 0 && strchr(BLANKS, line->text[line->len - 1]) != NULL)
        line->len--;
}

/* -------------------------------------------------------------- smtpd.conf --
 */

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/*
 * Splits "key: value". Returns 1, 0 for a comment or an empty line, -1 for what
 * libsasl2 cannot read.
 */
static int split_sasl(struct line line, struct line *key_r,
                      struct line *value_r)
{
    size_t len = 0;

    trim(&line);
    if (line.len == 0 || line.text[0] == '#')
        return 0;
    while (len < line.len && is_key_char(line.text[len]))
        len++;
    if (len == line.len || line.text[len] != ':')
        return -1;
    *key_r = (struct line){line.text, len};
    *value_r = (struct line){line.text + len + 1, line.len - len - 1};
    trim(value_r);
    return value_r->len > 0 ? 1 : -1;
}

char *doctor_sasl_value(const char *text, const char *key)
{
    struct line line;
    struct line name;
    struct line value;

    while (take_line(&text, &line)) {
        if (split_sasl(line, &name, &value) == 1 && name.len == strlen(key) &&
            strncasecmp(name.text, key, name.len) == 0)
            return strndup(value.text, value.len);
    }
    return NULL;
}

unsigned doctor_sasl_fault(const char *text)
{
    unsigned number = 0;
    struct line line;
    struct line name;
    struct line value;

    while (take_line(&text, &line)) {
        number++;
        if (split_sasl(line, &name, &value) < 0)
            return number;
    }
    return 0;
}

/* Takes the next word from *rest; false at the end. */
static bool take_word(const char **rest, struct line *word_r)
{
    const char *text = *rest + strspn(*rest, SEPARATORS);

    *word_r = (struct line){text, strcspn(text, SEPARATORS)};
    *rest = text + word_r->len;
    return word_r->len > 0;
}

static bool is_word(const struct line *word, const char *wanted)
{
    return word->len == strlen(wanted) &&
           strncasecmp(word->text, wanted, word->len) == 0;
}

bool doctor_has_word(const char *list, const char *word)
{
    struct line next;

    while (take_word(&list, &next)) {
        if (is_word(&next, word))
            return true;
    }
    return false;
}

bool doctor_foreign_mechanism(const char *list, char *word_r, size_t size)
{
    struct line word;

    while (take_word(&list, &word)) {
        if (is_word(&word, "PLAIN") || is_word(&word, "LOGIN"))
            continue;
        (void)snprintf(word_r, size, "%.*s", (int)word.len, word.text);
        return true;
    }
    return false;
}

/* --------------------------------------------------------------- master.cf --
 */

bool doctor_service_read(const char *line, bool chroot_default,
                         struct doctor_service *service_r)
{
    /* service type private unpriv chroot wakeup maxproc command */
    enum {
        NAME,
        TYPE,
        CHROOT = 4,
        COMMAND = 7,
        FIELDS
    };
    struct line fields[FIELDS];
    struct doctor_service service;
    const char *slash;
    int len;

    if (line[0] == '#' || line[0] == ' ' || line[0] == '\t')
        return false;
    for (size_t i = 0; i < FIELDS; i++) {
        if (!take_word(&line, &fields[i]))
            return false;
    }
    len = snprintf(service.name, sizeof(service.name), "%.*s/%.*s",
                   (int)fields[NAME].len, fields[NAME].text,
                   (int)fields[TYPE].len, fields[TYPE].text);
    if (len >= (int)sizeof(service.name))
        return false;
    service.chrooted = fields[CHROOT].text[0] == '-'
                           ? chroot_default
                           : fields[CHROOT].text[0] == 'y';
    len = snprintf(service.program, sizeof(service.program), "%.*s",
                   (int)fields[COMMAND].len, fields[COMMAND].text);
    if (len >= (int)sizeof(service.program))
        return false;
    slash = strrchr(service.program, '/');
    if (slash != NULL)
        memmove(service.program, slash + 1, strlen(slash + 1) + 1);
    *service_r = service;
    return true;
}

char *doctor_postconf_value(const char *text, const char *name)
{
    size_t len = strlen(name);
    struct line line;

    while (take_line(&text, &line)) {
        struct line value;

        if (line.len <= len || strncmp(line.text, name, len) != 0)
            continue;
        value = (struct line){line.text + len, line.len - len};
        trim(&value);
        if (value.len == 0 || value.text[0] != '=')
            continue;
        value.text++;
        value.len--;
        trim(&value);
        return strndup(value.text, value.len);
    }
    return NULL;
}

/* ------------------------------------------------------------ restrictions --
 */

static bool is_guard(const struct line *word)
{
    return is_word(word, "reject_unauth_destination") ||
           is_word(word, "defer_unauth_destination");
}

/* What ends a list for everybody who comes so far. */
static bool is_end(const struct line *word)
{
    return is_word(word, "permit") || is_word(word, "reject") ||
           is_word(word, "defer");
}

bool doctor_closes_relay(const char *restrictions)
{
    struct line word;

    while (take_word(&restrictions, &word)) {
        if (is_guard(&word) || is_word(&word, "reject") ||
            is_word(&word, "defer"))
            return true;
        if (is_word(&word, "permit"))
            return false;
    }
    return false;
}

bool doctor_policy_endpoint(const char *restrictions, char *endpoint_r,
                            size_t size)
{
    struct line word;

    while (take_word(&restrictions, &word)) {
        if (!is_word(&word, "check_policy_service"))
            continue;
        /* "{ unix:private/policy, timeout=10s }", also without the blank. */
        restrictions += strspn(restrictions, "{" SEPARATORS);
        if (!take_word(&restrictions, &word))
            return false;
        while (word.len > 0 && word.text[word.len - 1] == '}')
            word.len--;
        (void)snprintf(endpoint_r, size, "%.*s", (int)word.len, word.text);
        return word.len > 0;
    }
    return false;
}

enum policy_place doctor_policy_place(const char *restrictions,
                                      bool relay_closed, bool takes_auth)
{
    bool guarded = relay_closed;
    bool passed = false;
    bool ended = false;
    struct line word;

    while (take_word(&restrictions, &word)) {
        if (is_word(&word, "check_policy_service"))
            return ended                  ? POLICY_DEAD
                   : !guarded             ? POLICY_EARLY
                   : passed && takes_auth ? POLICY_LATE
                                          : POLICY_WELL;
        guarded = guarded || is_guard(&word);
        passed = passed || is_word(&word, "permit_sasl_authenticated");
        ended = ended || is_end(&word);
    }
    return POLICY_ABSENT;
}

/* ----------------------------------------------------------------- cluster --
 */

const char *doctor_cluster_advice(const char *name, const char *value,
                                  bool *bad_r)
{
    static const struct {
        const char *name;
        const char *wanted;
        bool bad;
        const char *advice;
    } rows[] = {
        {"wsrep_cluster_status", "Primary", true,
         "bring the other nodes back: without a quorum nothing is answered"},
        {"wsrep_ready", "ON", true,
         "see the server's log: the node answers nothing"},
        {"wsrep_local_state_comment", "Synced", false,
         "wait until the node has caught up, or ask another one"},
        {"binlog_format", "ROW", true, "binlog_format = ROW"},
        {"default_storage_engine", "InnoDB", false,
         "default_storage_engine = InnoDB"},
        {"innodb_autoinc_lock_mode", "2", true, "innodb_autoinc_lock_mode = 2"},
        {"wsrep_auto_increment_control", "ON", false,
         "wsrep_auto_increment_control = ON, or nodes give the same numbers"},
    };

    *bad_r = false;
    if (strcmp(name, "wsrep_cluster_size") == 0)
        return strtoul(value, NULL, 10) % 2 == 0
                   ? "an odd number of nodes, of which most can be alive: add "
                     "one, or an arbitrator (garbd)"
                   : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        *bad_r = rows[i].bad && strcasecmp(rows[i].wanted, value) != 0;
        return strcasecmp(rows[i].wanted, value) != 0 ? rows[i].advice : NULL;
    }
    return NULL;
}
