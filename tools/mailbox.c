/* mailbox - see mailbox.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "mailbox.h"

#include "address.h"
#include "password.h"
#include "strbuf.h"

#include <stdlib.h>
#include <sysexits.h>

#define VALUE_BYTES_MAX 65536

int mailbox_read(struct tool *tool, const char *word,
                 struct store_found *found_r)
{
    struct store_found found = {{0}, {0}};
    struct errtext err = {{0}};
    char *address = NULL;
    int code = tool_address(word, &address);
    enum status status;

    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code != EX_OK) {
        free(address);
        return code;
    }
    status =
        store_find(tool->store, address, tool_deadline(tool), &found, &err);
    if (status == STATUS_OK && found.account.address == NULL) {
        errtext_set(&err,
                    found.domain.name != NULL ? "%.200s is no mailbox"
                                              : "%.200s is in no domain here",
                    address);
        status = STATUS_NOT_FOUND;
    }
    free(address);
    if (status != STATUS_OK) {
        store_found_clear(&found);
        return tool_failed(status, &err);
    }
    *found_r = found;
    return EX_OK;
}

int mailbox_directory(const struct tool *tool, const char *address,
                      const struct directory_settings **set_r)
{
    *set_r = settings_directory_for(tool->settings, address_domain_of(address));
    if (*set_r != NULL)
        return EX_OK;
    tool_error("no directory in the settings serves %s",
               address_domain_of(address));
    return EX_CONFIG;
}

int mailbox_apply(struct tool *tool, const struct plan *plan, bool *again_r)
{
    struct apply_outcome outcome = {0};
    struct errtext err = {{0}};
    enum status status = apply_plan(tool->store, plan, tool->who,
                                    tool_deadline(tool), &outcome, &err);

    *again_r = false;
    if (status != STATUS_OK)
        return tool_failed(status, &err);
    switch (outcome.kind) {
    case APPLY_DONE:
        return EX_OK;
    case APPLY_LIMIT:
        tool_error("%s", outcome.reason.text);
        return EX_NOPERM;
    case APPLY_CONFLICT:
        break;
    }
    *again_r = true;
    return EX_TEMPFAIL;
}

/* Says if some socket of authd gives keys away, so that they are of use. */
static bool wants_keys(const struct tool *tool)
{
    const struct auth_settings *auth = &tool->settings->auth;

    for (size_t i = 0; i < auth->socket_count; i++) {
        if (auth->sockets[i].kind == SOCKET_KEYS)
            return true;
    }
    return false;
}

enum status mailbox_hash(const struct tool *tool, const char *password,
                         char **hash_r, struct errtext *err)
{
    struct password_gate *gate = NULL;
    enum status status = STATUS_INVALID;

    if (wants_keys(tool) && password[0] != '\0') {
        status = password_scram(password, hash_r, err);
        if (status == STATUS_INVALID)
            tool_error("the password has letters of which clients do not make "
                       "the same: it has no SCRAM keys, PLAIN and LOGIN work");
    }
    if (status != STATUS_INVALID)
        return status;
    gate = password_gate_new(1);
    if (gate == NULL)
        return status_no_memory(err);
    status = password_hash(gate, password, hash_r, err);
    password_gate_free(&gate);
    return status;
}

void mailbox_print_changes(const struct account *before,
                           const struct account *after, unsigned bits)
{
    struct strbuf line = STRBUF_INIT(VALUE_BYTES_MAX);

    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        enum account_setting setting = (enum account_setting)i;

        if ((bits & ACCOUNT_SET_BIT(i)) == 0)
            continue;
        strbuf_truncate(&line, 0);
        strbuf_appendf(&line, "%s: ", account_setting_name(setting));
        account_append_setting(&line, before, setting);
        strbuf_append(&line, " -> ");
        account_append_setting(&line, after, setting);
        output_escaped(stdout, strbuf_text(&line));
        (void)putchar('\n');
    }
    strbuf_clear(&line);
}
