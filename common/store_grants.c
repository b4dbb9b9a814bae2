/* store_grants - see store_grants.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_grants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RIGHT_BYTES 64

void store_grant_clear(struct store_grant *grant)
{
    free(grant->rights);
    free(grant->database);
    free(grant->table);
    *grant = (struct store_grant){.rights = NULL};
}

/* Behind the quoted or plain name that begins at text. */
static const char *skip_name(const char *text)
{
    char quote = *text;

    if (quote != '`' && quote != '\'' && quote != '"')
        return text + strcspn(text, " .@(,)");
    text++;
    while (*text != '\0') {
        if (*text == quote && text[1] != quote)
            return text + 1;
        text += *text == quote ? 2 : 1;
    }
    return text;
}

/* Where word stands outside quotes and parentheses; NULL: nowhere. */
static const char *find_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    unsigned depth = 0;

    while (*text != '\0') {
        if (*text == '`' || *text == '\'' || *text == '"') {
            text = skip_name(text);
            continue;
        }
        if (depth == 0 && strncasecmp(text, word, len) == 0)
            return text;
        if (*text == '(')
            depth++;
        if (*text == ')' && depth > 0)
            depth--;
        text++;
    }
    return NULL;
}

/* The name from text to end without its quotes; owned. */
static char *unquote(const char *text, const char *end)
{
    char *name = strndup(text, (size_t)(end - text));
    char *to = name;
    char quote = *text;

    if (name == NULL || (quote != '`' && quote != '\'' && quote != '"'))
        return name;
    for (text++; text + 1 < end; text++) {
        if (*text == quote)
            text++;
        *to++ = *text;
    }
    *to = '\0';
    return name;
}

/* "`db`.`table`", "*.*", "FUNCTION `db`.`f`". */
static enum status read_object(const char *text, struct store_grant *grant,
                               struct errtext *err)
{
    static const char *const kinds[] = {"TABLE ", "FUNCTION ", "PROCEDURE ",
                                        "PACKAGE BODY ", "PACKAGE "};
    const char *dot;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (strncasecmp(text, kinds[i], strlen(kinds[i])) == 0)
            text += strlen(kinds[i]);
    }
    dot = skip_name(text);
    /* PROXY is granted on an account. */
    grant->database = unquote(text, dot);
    grant->table =
        *dot == '.' ? unquote(dot + 1, skip_name(dot + 1)) : strdup("*");
    return grant->database != NULL && grant->table != NULL
               ? STATUS_OK
               : status_no_memory(err);
}

enum status store_grant_read(const char *line, struct store_grant *grant_r,
                             struct errtext *err)
{
    struct store_grant grant = {.rights = NULL};
    enum status status = STATUS_OK;
    const char *on;
    const char *to;

    if (strncasecmp(line, "SET DEFAULT ROLE", 16) == 0)
        return STATUS_NOT_FOUND;
    to = find_word(line, " TO ");
    if (strncasecmp(line, "GRANT ", 6) != 0 || to == NULL) {
        errtext_set(err, "no line of SHOW GRANTS: %s", line);
        return STATUS_INVALID;
    }
    line += 6;
    on = find_word(line, " ON ");
    grant.is_role = on == NULL || on > to;
    grant.may_grant = find_word(to, " WITH GRANT OPTION") != NULL ||
                      find_word(to, " WITH ADMIN OPTION") != NULL;
    grant.rights =
        grant.is_role ? unquote(line, to) : strndup(line, (size_t)(on - line));
    if (grant.rights == NULL)
        status = status_no_memory(err);
    else if (!grant.is_role)
        status = read_object(on + 4, &grant, err);
    if (status == STATUS_OK)
        *grant_r = grant;
    else
        store_grant_clear(&grant);
    return status;
}

void store_grant_each(const struct store_grant *grant,
                      void (*see)(const char *name, void *arg), void *arg)
{
    const char *text = grant->rights;

    while (text != NULL && *text != '\0') {
        const char *end = find_word(text, ",");
        size_t len = strcspn(text, "(,");
        char name[RIGHT_BYTES];

        while (len > 0 && text[len - 1] == ' ')
            len--;
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, text);
        see(name, arg);
        text = end != NULL ? end + 1 + strspn(end + 1, " ") : NULL;
    }
}

bool store_grant_covers(const struct store_grant *grant, const char *database)
{
    const char *pattern = grant->database;

    if (pattern == NULL)
        return false;
    /* A '_' that is not escaped stands for itself, too. */
    while (*pattern != '\0' && *database != '\0') {
        if (*pattern == '\\' && pattern[1] != '\0')
            pattern++;
        if (*pattern++ != *database++)
            return false;
    }
    return *pattern == '\0' && *database == '\0';
}
