/* why_words - see why_words.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "why_words.h"

#include "status.h"

#include <stddef.h>
#include <string.h>

#define TEMPLATE_FIX "add a row to attribute_mapping, or set default_template"
#define SOURCE_FIX "provostctl mailbox source ADDRESS ldap"
#define CHANGE_FIX "the person has to change the password in the directory"
#define STORE_FIX "systemctl status mariadb; then provostctl doctor"

static const struct word {
    const char *reason;
    enum why_gate gate;
    const char *meaning;
    const char *fix;
} words[] = {
    {"ok", WHY_NO_GATE, "", ""},

    /* The name, and who is asked. */
    {"empty_user", WHY_NO_GATE, "no name was sent",
     "the client has to send the mail address as user name"},
    {"malformed_user", WHY_NO_GATE, "the name is no address",
     "the client has to send the mail address as user name"},
    {"empty_password", WHY_PASSWORD, "no password was sent",
     "the person has to type one"},
    {"throttled", WHY_NO_GATE, "too many wrong passwords",
     "wait, or: provostctl cache flush ADDRESS"},
    {"unknown_user", WHY_NO_GATE, "nobody has this address",
     "correct the address, or the directory's entry; provostctl directory "
     "test"},
    {"unknown_domain", WHY_NO_GATE, "the domain is none of this host's",
     "provostctl domain add NAME"},
    {"domain_unknown", WHY_NO_GATE, "the domain is none of this host's",
     "provostctl domain add NAME"},
    {"domain_inactive", WHY_NO_GATE, "the domain is switched off",
     "provostctl domain edit NAME --active yes"},
    {"directory_not_configured", WHY_NO_GATE,
     "the mailbox's directory is not in the settings",
     "give the directory that name again, or: " SOURCE_FIX},
    {"not_canonical", WHY_NO_GATE, "the door keeps the name that is typed",
     "the client has to send the mailbox's own address"},

    /* Nobody could be asked. */
    {"no_answer", WHY_NO_GATE, "the directory gave no answer",
     "provostctl directory test"},
    {"store_no_answer", WHY_NO_GATE, "the database gave no answer", STORE_FIX},
    {"out_of_memory", WHY_NO_GATE, "", "give the host memory"},
    {"conflict", WHY_NO_GATE, "somebody else changes the mailbox all the time",
     "provostctl event list --user ADDRESS"},

    /* The directory about the person. */
    {"password_expired", WHY_ACCOUNT, "the password has expired", CHANGE_FIX},
    {"must_change_password", WHY_ACCOUNT,
     "the password has to be changed before it can be used", CHANGE_FIX},
    {"account_expired", WHY_ACCOUNT, "the account has expired",
     "extend the account in the directory"},
    {"account_disabled", WHY_ACCOUNT, "the account is disabled",
     "enable the account in the directory"},
    {"account_locked", WHY_ACCOUNT,
     "the account is locked after wrong passwords",
     "unlock the account in the directory, and find who sends the old one"},
    {"not_at_this_time", WHY_ACCOUNT, "logon is not allowed at this hour",
     "change the hours of logon in the directory"},
    {"not_from_here", WHY_ACCOUNT, "logon is not allowed from this workstation",
     "let the person log on from the domain controller (\"Log On To\")"},
    {"other_refusal", WHY_ACCOUNT, "the directory refuses the bind",
     "look into the directory's log"},
    {"several_entries", WHY_NO_GATE, "several people have this address",
     "let one entry have the address, or filter the other out"},
    {"unusable_entry", WHY_NO_GATE, "the entry's values cannot be used",
     "correct the entry in the directory"},

    /* The mailbox. */
    {"no_mailbox", WHY_NO_GATE, "there is no mailbox", "provostctl doctor"},
    {"blocked_by_administrator", WHY_NO_GATE,
     "an administrator has closed the mailbox",
     "provostctl mailbox unblock ADDRESS"},
    {"disabled_in_directory", WHY_NO_GATE,
     "the person is disabled in the directory",
     "enable the person in the directory"},
    {"missing_in_directory", WHY_NO_GATE,
     "the last sync did not find the person in the directory",
     "is the entry there, and inside \"filter\" and \"base_dn\"?"},
    {"closed_by_template", WHY_NO_GATE, "the template closes the mailbox",
     "change \"active\" of the template, or the person's template"},
    {"no_local_password", WHY_NO_GATE,
     "the mailbox is local and has no password",
     "provostctl password set ADDRESS, or " SOURCE_FIX},
    {"hash_unverifiable", WHY_PASSWORD,
     "this host cannot check the password's hash",
     "provostctl password set ADDRESS"},

    /* Making or changing it. */
    {"no_template", WHY_NO_GATE, "nothing maps to a template", TEMPLATE_FIX},
    {"provisioning_off", WHY_NO_GATE, "logins make no mailboxes here",
     "login_provisioning = true"},
    {"local_mailbox", WHY_NO_GATE, "the address is a local mailbox",
     SOURCE_FIX},
    {"other_directory", WHY_NO_GATE,
     "the address is a mailbox of another directory", SOURCE_FIX},
    {"other_id", WHY_NO_GATE,
     "the mailbox belongs to another entry of the directory",
     "the address was somebody else's: rename or remove the old mailbox "
     "first"},
    {"no_id", WHY_NO_GATE, "the entry has no id",
     "let id_field name the directory's immutable id"},
    {"foreign_address", WHY_NO_GATE,
     "the entry's address is in none of this directory's domains",
     "correct the address in the directory, or \"domains\""},
    {"max_mailboxes", WHY_LIMIT, "the domain has no place for a mailbox",
     "provostctl domain edit NAME --max-mailboxes N"},
    {"domain_quota", WHY_LIMIT, "the domain has not so much quota left",
     "provostctl domain edit NAME --quota SIZE"},
    {"max_quota", WHY_LIMIT, "the template's quota is over the domain's most",
     "provostctl domain edit NAME --max-quota SIZE, or a smaller quota in the "
     "template"},
    {"unlimited", WHY_LIMIT, "the domain is limited, the template is not",
     "give the template a quota"},
    {"max_aliases", WHY_LIMIT, "the domain has no place for the aliases",
     "provostctl domain edit NAME --max-aliases N"},
    {"address_taken", WHY_LIMIT, "the address is an alias",
     "remove the alias, or give the person another address"},
    {"alias_taken", WHY_LIMIT, "an alias belongs to somebody else",
     "let one of the two have the alias"},

    /* Protocol and password. */
    {"unknown_service", WHY_PROTOCOL, "the service is none that we know",
     "--service is smtp, imap, pop3 or sieve"},
    {"service_not_allowed", WHY_PROTOCOL, "the mailbox has no right to it",
     "the services of the template, or: provostctl mailbox edit ADDRESS"},
    {"wrong_password", WHY_PASSWORD, "the password is wrong",
     "the person has to type the right one, or set a new one"},
};

static const struct word *word_of(const char *reason)
{
    static const struct word none = {"", WHY_NO_GATE, "", ""};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(words[i].reason, reason) == 0)
            return &words[i];
    }
    return &none;
}

const char *why_fix(const char *reason)
{
    return word_of(reason)->fix;
}

const char *why_meaning(const char *reason)
{
    return word_of(reason)->meaning;
}

enum why_gate why_gate_of(const char *reason)
{
    return word_of(reason)->gate;
}

const char *why_reply(enum login_result result)
{
    switch (result) {
    case LOGIN_IN:
        return "235 2.7.0 Authentication successful";
    case LOGIN_WRONG:
    case LOGIN_REFUSED:
        return "535 5.7.8 Authentication failed";
    case LOGIN_TEMPORARY:
        break;
    }
    return "454 4.7.0 Temporary authentication failure";
}
