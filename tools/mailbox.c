/* mailbox - see mailbox.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "mailbox.h"

#include "address.h"
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
