/*
 * provision - what a mailbox should become, from what the directory says
 *
 * Pure: no I/O, no clock. Login, sync, `why`, `sync plan` and `mailbox
 * preview` all ask this module and no other, so that they cannot disagree.
 * What limits allow is not known here: apply asks the store, atomically.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_PROVISION_H
#define COMMON_PROVISION_H

#include "account.h"
#include "directory.h"
#include "settings.h"
#include "status.h"

/*
 * Chooses the address of the person's mailbox among the entry's values of
 * username_field: the one this id already has (address_of_id, may be NULL),
 * else the bytewise first that lies in a domain which dir serves. Never the
 * one that was typed.
 *
 * Returns STATUS_OK and an owned *address_r; STATUS_DENIED when no value is an
 * address in a domain of this directory, with the values in err;
 * STATUS_TEMPFAIL without memory.
 */
enum status provision_address(const struct settings *settings,
                              const struct directory_settings *dir,
                              const struct directory_entry *entry,
                              const char *address_of_id, char **address_r,
                              struct errtext *err) MUST_CHECK;

/*
 * Finds the template for the entry: rows in order, each against all values of
 * attribute_field; first match wins; then default_template. NULL: none.
 * *value_r (may be NULL) gets the value that matched, borrowed, or NULL.
 */
const struct template_settings *
provision_template(const struct settings *settings,
                   const struct directory_settings *dir,
                   const struct directory_entry *entry, const char **value_r);

enum plan_kind {
    PLAN_NOTHING,    /* nothing to write */
    PLAN_CREATE,     /* a new mailbox: target is whole */
    PLAN_UPDATE,     /* settings differ: `changed` lists them */
    PLAN_ADOPT,      /* the mailbox of source ldap had no id yet: it gets one */
    PLAN_RENAME,     /* same id, new address: old_address is set */
    PLAN_DEACTIVATE, /* the directory disabled the person */
    PLAN_REACTIVATE, /* ... or let them in again */
    PLAN_REFUSED     /* `refusal` and `reason` say why; nothing to write */
};

/*
 * Every kind but nothing and refused may carry `changed`, and a rename may be
 * an adoption too: target is the whole mailbox as it should be, and apply
 * writes identity, directory_state, template, fingerprint and all of `changed`
 * from it, whatever the kind; the kind names the most important difference.
 */

enum plan_refusal {
    REFUSAL_NONE,
    REFUSAL_NO_TEMPLATE,      /* nothing maps and no default_template */
    REFUSAL_PROVISIONING_OFF, /* would create; the switch is off */
    REFUSAL_LOCAL_MAILBOX,    /* the address is a local mailbox */
    REFUSAL_OTHER_DIRECTORY,  /* ... or another directory's */
    REFUSAL_OTHER_ID,         /* re-used address: another person's mailbox */
    REFUSAL_NO_ID,            /* the entry has no id_field */
    REFUSAL_DISABLED          /* would create; the entry is disabled */
};

struct plan {
    enum plan_kind kind;
    enum plan_refusal refusal;
    struct errtext reason; /* a sentence for log and event; "" if none */
    struct account before; /* as it was read; {0} for a create; owned */
    struct account target; /* the whole mailbox as it should be; owned */
    unsigned changed;      /* ACCOUNT_SET_BIT()s that differ */
    unsigned pin;          /* an administrator's: of `changed`, what is fixed
                              from now on, though it was fixed before */
    char *old_address;     /* PLAN_RENAME: owned */
    uint64_t old_name_seconds; /* PLAN_RENAME: how long the old name stays an
                                  alias; 0: for ever */
    bool drops_old_name;       /* PLAN_RENAME: it does not, others need it */
    struct errtext warning;    /* e.g. no mapping any more: settings kept */
};

/* Frees what plan holds and makes it {0} again. */
void plan_clear(struct plan *plan);

/* Constant words for log, event and listing ("create", "no_template", ...). */
const char *plan_kind_name(enum plan_kind kind);
const char *plan_refusal_name(enum plan_refusal refusal);

/* What is known of one person; everything borrowed. */
struct provision_facts {
    const struct settings *settings;
    const struct directory_settings *dir;
    const struct directory_entry *entry;
    const char *address;           /* from provision_address */
    const struct account *current; /* at address; NULL or {0}: none */
    const struct account *by_id;   /* this id's mailbox; NULL or {0}: none */
    bool may_create;               /* login_provisioning or import_users */
};

/*
 * Makes the plan for one person who is there in the directory.
 *
 * current->source = local, of another directory or with another id: refused.
 * Pinned settings, the administrator's block, mail_path and the local hash are
 * never changed. The fingerprint covers template name and content, name,
 * aliases and quota attribute: while it is the same, the plan is PLAN_NOTHING
 * without looking further. Aliases are compared if current->aliases_known,
 * else target.aliases is what they should be and `changed` has the bit when
 * the fingerprint differs.
 *
 * Returns STATUS_OK and *plan_r (plan_clear), or STATUS_TEMPFAIL.
 */
enum status provision_plan(const struct provision_facts *facts,
                           struct plan *plan_r, struct errtext *err) MUST_CHECK;

/*
 * Makes the plan for the mailbox of a person who is not in the directory any
 * more, or disabled there: its directory_state becomes state, nothing else.
 * PLAN_NOTHING if it is so already. Whether that may be is the caller's
 * question (removal.h).
 */
enum status provision_absent(const struct account *current,
                             enum account_directory_state state,
                             const struct errtext *reason, struct plan *plan_r,
                             struct errtext *err) MUST_CHECK;

#endif
