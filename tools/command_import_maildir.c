/* command_import_maildir - provostctl import maildir */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "import_walk.h"
#include "importer.h"

#include "address.h"
#include "provision_admin.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* The words of the command, and what they mean. */
struct maildirs {
    struct importer importer;
    const char *domain; /* canonical; NULL: all */
    const char *source; /* NULL: ldap where a directory serves the domain */
    const struct template_settings *template;
    enum account_source wanted;
};

static void left(const char *path, const char *reason, void *arg)
{
    struct maildirs *maildirs = arg;

    importer_say(&maildirs->importer, '!', "%s: %s", path, reason);
}

/* Makes the mailbox as `mailbox add` would, but for its path. */
static enum status make(struct maildirs *maildirs, const char *address,
                        const char *path, struct errtext *err)
{
    const struct settings *settings = maildirs->importer.tool->settings;
    struct provision_new wanted = {
        .address = address,
        .source = maildirs->wanted,
        .template = maildirs->template,
        .dir = settings_directory_for(settings, address_domain_of(address)),
    };
    struct plan plan = {0};
    enum status status;

    if (maildirs->source == NULL)
        wanted.source = wanted.dir != NULL ? ACCOUNT_LDAP : ACCOUNT_LOCAL;
    if (wanted.source == ACCOUNT_LOCAL)
        wanted.dir = NULL;
    if (wanted.source == ACCOUNT_LDAP && wanted.dir == NULL) {
        left(path, "no directory serves its domain", maildirs);
        return STATUS_OK;
    }
    status = provision_add(settings, &wanted, &plan, err);
    if (status == STATUS_OK) {
        free(plan.target.mail_path);
        plan.target.mail_path = strdup(path);
        if (plan.target.mail_path == NULL)
            status = status_no_memory(err);
    }
    if (status == STATUS_OK)
        status = importer_mailbox(&maildirs->importer, &plan.target, err);
    plan_clear(&plan);
    return status;
}

static enum status visit(const char *address, const char *path, void *arg,
                         struct errtext *err)
{
    struct maildirs *maildirs = arg;
    enum status status;

    if (maildirs->domain != NULL &&
        strcmp(maildirs->domain, address_domain_of(address)) != 0)
        return STATUS_OK;
    /* One that has a row is no business of ours, whatever its settings. */
    if (importer_is_new(&maildirs->importer, address)) {
        left(path, "another directory makes the same address", maildirs);
        return STATUS_OK;
    }
    status = importer_has_mailbox(&maildirs->importer, address, err);
    if (status == STATUS_OK)
        maildirs->importer.same++;
    if (status != STATUS_NOT_FOUND)
        return status;
    return make(maildirs, address, path, err);
}

static int choose(struct maildirs *maildirs, const char *template,
                  const char *domain_word, char **domain)
{
    const struct settings *settings = maildirs->importer.tool->settings;

    if (maildirs->source != NULL &&
        !account_source_from(maildirs->source, &maildirs->wanted)) {
        tool_error("the source is ldap or local, not \"%s\"", maildirs->source);
        return EX_USAGE;
    }
    maildirs->template = settings_template(settings, template);
    if (maildirs->template == NULL) {
        tool_error("there is no template \"%s\" in the settings: say "
                   "--template",
                   template);
        return EX_CONFIG;
    }
    if (domain_word == NULL)
        return EX_OK;
    maildirs->domain = NULL;
    return tool_domain(domain_word, domain);
}

int import_maildir(struct tool *tool, struct arguments *arguments)
{
    struct maildirs maildirs = {.importer = {.tool = tool}};
    const char *template = "default";
    const char *domain_word = NULL;
    char *domain = NULL;
    const struct tool_option options[] = {
        {"domain", &domain_word, NULL},
        {"plan", NULL, &maildirs.importer.plan_only},
        {"source", &maildirs.source, NULL},
        {"template", &template, NULL},
        {NULL, NULL, NULL},
    };
    struct import_walk_visitor visitor = {visit, left, &maildirs};
    struct errtext err = {{0}};
    int code;

    if (!tool_arguments(arguments, options, 1, 1))
        return EX_USAGE;
    code = tool_store(tool, false);
    if (code == EX_OK)
        code = choose(&maildirs, template, domain_word, &domain);
    if (code == EX_OK) {
        enum status status;

        maildirs.domain = domain;
        status = import_walk(arguments->words[0],
                             tool->settings->mail.path_format, &visitor, &err);
        code = status == STATUS_OK ? importer_end(&maildirs.importer)
                                   : tool_failed(status, &err);
    }
    free(domain);
    importer_clear(&maildirs.importer);
    return code;
}
