/* command_password - provostctl password ... */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "ask.h"
#include "daemons.h"
#include "mailbox.h"
#include "secret.h"
#include "store_admin.h"

#include <sysexits.h>

/* Hashes the password and stores it; the hash lives here alone. */
static int store_password(struct tool *tool, const char *address,
                          const char *password)
{
    struct errtext err = {{0}};
    char *hash = NULL;
    enum status status = mailbox_hash(tool, password, &hash, &err);

    if (status == STATUS_OK)
        status = store_mailbox_password(tool->store, address, hash, tool->who,
                                        tool_deadline(tool), &err);
    secret_free(&hash);
    return status == STATUS_OK ? EX_OK : tool_failed(status, &err);
}

int password_set(struct tool *tool, struct arguments *arguments)
{
    bool from_stdin = false;
    const struct tool_option options[] = {
        {"password-stdin", NULL, &from_stdin},
        {NULL, NULL, NULL},
    };
    struct store_found found = {{0}, {0}};
    char *password = NULL;
    int code;

    if (!tool_arguments(arguments, options, 1, 1))
        return EX_USAGE;
    /* Who types a password should know by then that it can be set. */
    code = mailbox_read(tool, arguments->words[0], &found);
    if (code == EX_OK && found.account.source != ACCOUNT_LOCAL) {
        tool_error("directory %s checks the password of %s: it is changed "
                   "there (or see provostctl mailbox source)",
                   found.account.directory != NULL ? found.account.directory
                                                   : "?",
                   found.account.address);
        code = EX_NOPERM;
    }
    if (code == EX_OK)
        code = ask_password(from_stdin, &password);
    if (code == EX_OK)
        code = store_password(tool, found.account.address, password);
    if (code == EX_OK)
        daemons_flush(tool, found.account.address);
    secret_free(&password);
    store_found_clear(&found);
    return code;
}
