/* command_app_password - provostctl app-password ... */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "mailbox.h"
#include "mailbox_words.h"
#include "password.h"
#include "quantity.h"
#include "secret.h"
#include "store_admin.h"
#include "strbuf.h"

#include <inttypes.h>
#include <sysexits.h>

#define EXPIRE_SECONDS_MAX ((int64_t)100 * 366 * 86400)
#define NAME_BYTES_MAX 255

struct add_words {
    const char *services;
    const char *expires;
    const char *name;
};

/* Reads the words into what the store is to be told. */
static int read_words(const struct add_words *words,
                      struct store_app_password_new *wanted,
                      struct account *named)
{
    struct errtext err = {{0}};
    int64_t expire_ms = 0;
    enum status status = mailbox_words_services(
        words->services != NULL ? words->services : "all", &wanted->services,
        &err);

    if (status == STATUS_OK && words->expires != NULL)
        status = quantity_duration_ms(words->expires, &expire_ms, &err);
    if (status == STATUS_OK && words->expires != NULL &&
        (expire_ms < 1000 || expire_ms / 1000 > EXPIRE_SECONDS_MAX)) {
        errtext_set(&err, "--expires is from 1s to 100 years");
        status = STATUS_INVALID;
    }
    /* The rules of a mailbox's name are those of this one. */
    if (status == STATUS_OK)
        status =
            account_read_setting(named, ACCOUNT_SET_NAME,
                                 words->name != NULL ? words->name : "", &err);
    if (status != STATUS_OK)
        return tool_failed(status, &err);
    wanted->expire_seconds = expire_ms / 1000;
    wanted->name = named->name;
    return EX_OK;
}

/* Makes one, stores its hash, and shows it: the only time it is seen. */
static int make(struct tool *tool, struct store_app_password_new *wanted)
{
    char text[PASSWORD_APP_BYTES] = "";
    struct errtext err = {{0}};
    char *hash = NULL;
    uint64_t id = 0;
    enum status status = password_app_new(text, &err);

    if (status == STATUS_OK)
        status = password_app_hash(text, &hash, &err);
    wanted->hash = hash;
    if (status == STATUS_OK)
        status = store_app_password_add(tool->store, wanted, tool->who,
                                        tool_deadline(tool), &id, &err);
    if (status == STATUS_OK && tool->format == OUTPUT_JSON)
        (void)printf("{\"id\": %" PRIu64 ", \"password\": \"%s\"}\n", id, text);
    else if (status == STATUS_OK)
        (void)printf("%s\n", text);
    if (status == STATUS_OK && tool->format == OUTPUT_TABLE)
        (void)fprintf(
            stderr,
            "This is app password %" PRIu64 "; it is not shown again.\n", id);
    secret_free(&hash);
    secret_wipe(text, sizeof(text));
    if (status == STATUS_OK && fflush(stdout) != 0) {
        tool_error("app password %" PRIu64
                   " was made and could not be printed: "
                   "revoke it",
                   id);
        return EX_IOERR;
    }
    return status == STATUS_OK ? EX_OK : tool_failed(status, &err);
}

int app_password_add(struct tool *tool, struct arguments *arguments)
{
    struct add_words words = {0};
    const struct tool_option options[] = {
        {"service", &words.services, NULL},
        {"expires", &words.expires, NULL},
        {"name", &words.name, NULL},
        {NULL, NULL, NULL},
    };
    struct store_app_password_new wanted = {0};
    struct store_found found = {{0}, {0}};
    struct account named = {0};
    int code;

    if (!tool_arguments(arguments, options, 1, 1))
        return EX_USAGE;
    code = read_words(&words, &wanted, &named);
    if (code == EX_OK)
        code = mailbox_read(tool, arguments->words[0], &found);
    if (code == EX_OK) {
        wanted.address = found.account.address;
        code = make(tool, &wanted);
    }
    account_clear(&named);
    store_found_clear(&found);
    return code;
}

static void list_one(const struct store_app_password_row *row, void *arg)
{
    struct strbuf services = STRBUF_INIT(256);
    struct output *out = arg;
    const char *state = "ok";

    if (!row->active)
        state = "revoked";
    else if (row->expired)
        state = "expired";
    mailbox_words_append_services(&services, row->services);
    output_number(out, row->id);
    output_text(out, row->name);
    output_text(out, strbuf_text(&services));
    output_text(out, state);
    output_text(out, row->created);
    output_text(out, row->expires);
    output_text(out, row->last_used);
    output_text(out, row->last_service);
    output_text(out, row->last_client);
    output_row(out);
    strbuf_clear(&services);
}

int app_password_list(struct tool *tool, struct arguments *arguments)
{
    static const struct output_column columns[] = {
        {"id", "ID", OUTPUT_NUMBER},
        {"name", "NAME", OUTPUT_TEXT},
        {"services", "SERVICES", OUTPUT_TEXT},
        {"state", "STATE", OUTPUT_TEXT},
        {"created", "CREATED", OUTPUT_TEXT},
        {"expires", "EXPIRES", OUTPUT_TEXT},
        {"last_used", "LAST-USED", OUTPUT_TEXT},
        {"last_service", "AT", OUTPUT_TEXT},
        {"last_client", "FROM", OUTPUT_TEXT},
    };
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    struct store_app_password_visitor visitor = {list_one, NULL};
    struct store_found found = {{0}, {0}};
    struct errtext err = {{0}};
    struct output *out;
    enum status status;
    int code;

    if (!tool_arguments(arguments, none, 1, 1))
        return EX_USAGE;
    code = mailbox_read(tool, arguments->words[0], &found);
    if (code != EX_OK)
        return code;
    out = output_begin(stdout, tool->format, tool->headers, columns,
                       ARRAY_SIZE(columns));
    visitor.arg = out;
    if (out == NULL) {
        errtext_set(&err, "out of memory");
        status = STATUS_TEMPFAIL;
    } else {
        status = store_app_password_list(tool->store, found.account.address,
                                         &visitor, tool_deadline(tool), &err);
    }
    if (out != NULL && !output_end(&out)) {
        tool_error("the listing could not be written");
        code = EX_IOERR;
    }
    store_found_clear(&found);
    return status == STATUS_OK ? code : tool_failed(status, &err);
}

int app_password_revoke(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    struct store_found found = {{0}, {0}};
    struct errtext err = {{0}};
    uint64_t id = 0;
    int code;

    if (!tool_arguments(arguments, none, 2, 2))
        return EX_USAGE;
    code = tool_number(arguments->words[1], &id);
    if (code == EX_OK)
        code = mailbox_read(tool, arguments->words[0], &found);
    if (code == EX_OK &&
        !tool_confirm(tool, "End app password %llu of %s for good?",
                      (unsigned long long)id, found.account.address))
        code = EX_NOPERM;
    if (code == EX_OK) {
        enum status status =
            store_app_password_revoke(tool->store, found.account.address, id,
                                      tool->who, tool_deadline(tool), &err);

        if (status != STATUS_OK)
            code = tool_failed(status, &err);
    }
    /* No daemon remembers an app password: it is dead already. */
    store_found_clear(&found);
    return code;
}
