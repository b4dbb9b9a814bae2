/* command_mailbox - provostctl mailbox ... */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "address.h"
#include "store_domain.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* The directory that a mailbox of this address would belong to. */
static int directory_of(const struct tool *tool, const char *address,
                        const char **name_r)
{
    const struct directory_settings *set =
        settings_directory_for(tool->settings, address_domain_of(address));

    if (set == NULL) {
        tool_error("no directory in the settings serves %s",
                   address_domain_of(address));
        return EX_CONFIG;
    }
    *name_r = set->name;
    return EX_OK;
}

int mailbox_source(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    enum account_source source;
    const char *directory = NULL;
    struct errtext err = {{0}};
    char *address = NULL;
    int code;

    if (!tool_arguments(arguments, none, 2, 2))
        return EX_USAGE;
    if (!account_source_from(arguments->words[1], &source)) {
        tool_error("the source is ldap or local, not \"%s\"",
                   arguments->words[1]);
        return EX_USAGE;
    }
    code = tool_address(arguments->words[0], &address);
    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code == EX_OK && source == ACCOUNT_LDAP)
        code = directory_of(tool, address, &directory);
    if (code == EX_OK) {
        enum status status =
            store_mailbox_source(tool->store, address, source, directory,
                                 tool->who, tool_deadline(tool), &err);

        if (status != STATUS_OK)
            code = tool_failed(status, &err);
    }
    free(address);
    return code;
}
