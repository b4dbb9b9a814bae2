/* importer_alias - see importer.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "importer_private.h"

#include "address.h"
#include "store_forward.h"

#include <stdlib.h>
#include <string.h>

static enum status plan_alias(struct importer *importer, const char *address,
                              struct errtext *err)
{
    struct store_charge charge = {.domain = address_domain_of(address),
                                  .aliases = 1};
    struct importer_domain *domain = NULL;
    enum status status =
        importer_find_domain(importer, charge.domain, &domain, err);

    if (status == STATUS_OK &&
        importer_charge(domain, &charge, err) != LIMIT_NONE) {
        errtext_set(err, "%.200s takes no more aliases", charge.domain);
        status = STATUS_DENIED;
    }
    return status;
}

static enum status make_alias(struct importer *importer, const char *address,
                              const char *targets, bool active,
                              struct errtext *err)
{
    bool full = false;
    enum status status =
        importer->plan_only
            ? plan_alias(importer, address, err)
            : store_forward_add(importer->tool->store, address, targets, active,
                                importer->tool->who,
                                tool_deadline(importer->tool), &full, err);

    if (status == STATUS_DENIED) {
        importer_say(importer, '!', "alias %s: %s", address, err->text);
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        importer_say(importer, '+', "alias %s -> %s%s", address, targets,
                     active ? "" : ", off");
    return status;
}

static void meet_alias(struct importer *importer, const char *address,
                       const char *targets, bool active,
                       const struct store_forward *here)
{
    if (here->owner != NULL)
        importer_say(importer, '!', "alias %s: it belongs to mailbox %s here",
                     address, here->owner);
    else if (strcmp(here->targets, targets) != 0)
        importer_say(importer, '!',
                     "alias %s: it leads to %s there, to %s "
                     "here",
                     address, targets, here->targets);
    else if (here->active != active)
        importer_say(importer, '!', "alias %s: it is %s here", address,
                     here->active ? "on" : "off");
    else
        importer->same++;
}

enum status importer_alias(struct importer *importer, const char *address,
                           const char *targets, bool active,
                           struct errtext *err)
{
    const char *domain = address_domain_of(address);
    struct store_forward here = {0};
    enum status status = importer_has_domain(importer, domain, err);

    if (status == STATUS_NOT_FOUND) {
        importer_say(importer, '!', "alias %s: %s is no domain here", address,
                     domain);
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    if (importer_is_new(importer, address)) {
        importer_say(importer, '!', "alias %s: it is a mailbox", address);
        return STATUS_OK;
    }
    status = store_forward_find(importer->tool->store, address,
                                tool_deadline(importer->tool), &here, err);
    if (status == STATUS_OK && here.targets == NULL)
        status = make_alias(importer, address, targets, active, err);
    else if (status == STATUS_OK)
        meet_alias(importer, address, targets, active, &here);
    store_forward_clear(&here);
    return status;
}

static enum status make_forward(struct importer *importer, const char *address,
                                const char *targets, struct errtext *err)
{
    enum status status =
        importer->plan_only
            ? STATUS_OK
            : store_forward_own(importer->tool->store, address, targets,
                                importer->tool->who,
                                tool_deadline(importer->tool), err);

    if (status == STATUS_OK)
        importer_say(importer, '+', "forward %s -> %s", address, targets);
    return status == STATUS_NOT_FOUND ? STATUS_TEMPFAIL : status;
}

enum status importer_forward(struct importer *importer, const char *address,
                             const char *targets, struct errtext *err)
{
    struct store_forward here = {0};
    enum status status = importer_has_mailbox(importer, address, err);

    if (status == STATUS_NOT_FOUND) {
        importer_say(importer, '!', "forward %s: it is no mailbox here",
                     address);
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status = store_forward_find(importer->tool->store, address,
                                    tool_deadline(importer->tool), &here, err);
    if (status != STATUS_OK)
        return status;
    if (here.targets != NULL && strcmp(here.targets, targets) == 0)
        importer->same++;
    else if (here.targets != NULL && strcmp(here.targets, address) != 0)
        importer_say(importer, '!',
                     "forward %s: it leads to %s there, to %s "
                     "here",
                     address, targets, here.targets);
    else
        status = make_forward(importer, address, targets, err);
    store_forward_clear(&here);
    return status;
}

/* Says why a sender right would be worth nothing here; true if it would. */
static enum status check_sender(struct importer *importer, const char *login,
                                const char *sender, struct errtext *err)
{
    enum status status = importer_has_mailbox(importer, login, err);

    if (status == STATUS_NOT_FOUND) {
        importer_say(importer, '!',
                     "sender %s as %s: there is no such mailbox "
                     "here",
                     login, sender);
        return STATUS_DENIED;
    }
    if (status == STATUS_OK)
        status = importer_has_domain(importer, address_domain_of(sender), err);
    if (status != STATUS_NOT_FOUND)
        return status;
    importer_say(importer, '!', "sender %s as %s: %s is no domain here", login,
                 sender, address_domain_of(sender));
    return STATUS_DENIED;
}

enum status importer_sender(struct importer *importer, const char *login,
                            const char *sender, struct errtext *err)
{
    enum status status = check_sender(importer, login, sender, err);

    if (status == STATUS_DENIED)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = store_sender_find(importer->tool->store, login, sender,
                                   tool_deadline(importer->tool), err);
    if (status == STATUS_OK) {
        importer->same++;
        return STATUS_OK;
    }
    if (status != STATUS_NOT_FOUND)
        return status;
    status = importer->plan_only
                 ? STATUS_OK
                 : store_sender_add(importer->tool->store, login, sender,
                                    importer->tool->who,
                                    tool_deadline(importer->tool), err);
    if (status == STATUS_DENIED)
        status = STATUS_OK; /* somebody was faster with the same */
    if (status == STATUS_OK)
        importer_say(importer, '+', "sender %s as %s", login, sender);
    return status;
}
