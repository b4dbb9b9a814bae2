/*
 * provostctl - the operator's tool
 *
 * Finds the command in one table and runs it; help comes from the same table.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "mailbox_words.h"
#include "tool.h"

#include <getopt.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const struct command commands[] = {
    {"app-password", "add",
     "ADDRESS [--service SERVICE,...] [--expires TIME] [--name TEXT]",
     "make a password for one program, and show it once", app_password_add},
    {"app-password", "list", "ADDRESS",
     "list app passwords and when they were used", app_password_list},
    {"app-password", "revoke", "ADDRESS ID", "end an app password for good",
     app_password_revoke},
    {"cache", "flush", "ADDRESS|--all",
     "let every daemon of this host forget what it remembers", cache_flush},
    {"completion", "", "bash|zsh", "print a completion script",
     completion_print},
    {"config", "check", "", "check provost.conf and conf.d", config_check},
    {"config", "import",
     "saslauthd|dovecot-ldap FILE [--name NAME] [--secret-file FILE]",
     "print a directories block from another program's settings",
     config_import},
    {"config", "show", "[--non-default]", "print the effective settings",
     config_show},
    {"db", "migrate", "[--plan] [--schema-dir DIR]",
     "make or upgrade the schema", db_migrate},
    {"directory", "show", "ADDRESS", "the entry as Provost reads it",
     directory_show},
    {"directory", "test", "[NAME]", "check a directory's settings against it",
     directory_test},
    {"doctor", "",
     "[--fix counters] [--postfix-config DIR] [--fail2ban-config DIR]",
     "look at all that Provost needs, and tell what is wrong", doctor_command},
    {"domain", "add",
     "NAME [--max-mailboxes N] [--quota SIZE] [--max-quota SIZE] "
     "[--max-usage SIZE] [--max-aliases N] [--rate-messages N/TIME] "
     "[--rate-recipients N/TIME]",
     "add a mail domain", domain_add},
    {"domain", "alias", "add NAME DOMAIN | list [DOMAIN] | remove NAME",
     "other names of a domain, by which it gets mail too", domain_alias},
    {"domain", "edit",
     "NAME [--max-mailboxes N] [--quota SIZE] [--max-quota SIZE] "
     "[--max-usage SIZE] [--max-aliases N] [--rate-messages N/TIME] "
     "[--rate-recipients N/TIME] [--active yes|no]",
     "change a domain's limits", domain_edit},
    {"domain", "list", "", "list domains with limits and use", domain_list},
    {"domain", "remove", "NAME", "remove a domain without mailboxes",
     domain_remove},
    {"domain", "show", "NAME", "show what is used of each limit", domain_show},
    {"event", "follow",
     "[--user ADDRESS] [--domain NAME] [--kind KIND] [--since TIME] "
     "[--run ID]",
     "show events as they happen", event_follow},
    {"event", "list",
     "[--user ADDRESS] [--domain NAME] [--kind KIND] [--since TIME] "
     "[--run ID]",
     "list what was changed, by whom and why", event_list},
    {"import", "mailcow",
     "--dsn-file FILE [--plan] [--mail-base DIR] [--maildir-sub NAME] "
     "[--rates FILE] [--scheme NAME]",
     "take over the domains, mailboxes and aliases of a mailcow",
     import_mailcow},
    {"import", "maildir",
     "PATH [--domain NAME] [--plan] [--source local|ldap] [--template NAME]",
     "make rows for mailboxes that exist only on disk", import_maildir},
    {"import", "postfixadmin",
     "--dsn-file FILE [--plan] [--mail-base DIR] [--scheme NAME]",
     "take over the domains, mailboxes and aliases of a PostfixAdmin",
     import_postfixadmin},
    {"mailbox", "add",
     "ADDRESS [--source local|ldap] [--template NAME] "
     "[--password-stdin] " MAILBOX_WORDS_SYNOPSIS,
     "make a mailbox from a template", mailbox_add},
    {"mailbox", "block", "ADDRESS [--all]",
     "refuse logins at once; with --all, mail too", mailbox_block},
    {"mailbox", "edit", "ADDRESS [--template NAME] " MAILBOX_WORDS_SYNOPSIS,
     "change settings and pin them", mailbox_edit},
    {"mailbox", "list",
     "[--domain NAME] [--source local|ldap] [--template NAME] "
     "[--state open|closed|off|disabled|missing|blocked]",
     "list mailboxes with their use and last login", mailbox_list},
    {"mailbox", "pin", "ADDRESS SETTING,...|all",
     "keep settings as they are, whatever the directory says", mailbox_pin},
    {"mailbox", "preview", "ADDRESS",
     "tell what the next login or sync would change, and why", mailbox_preview},
    {"mailbox", "remove", "ADDRESS", "remove a mailbox, never its mail",
     mailbox_remove},
    {"mailbox", "rename", "ADDRESS ADDRESS",
     "move a mailbox to another address; the old one becomes an alias",
     mailbox_rename},
    {"mailbox", "show", "ADDRESS",
     "show a mailbox and where each setting comes from", mailbox_show},
    {"mailbox", "source", "[ADDRESS] ldap|local [--domain NAME] [--plan]",
     "switch who checks the password, of one or of all in a domain",
     mailbox_source},
    {"mailbox", "unblock", "ADDRESS", "end a block", mailbox_unblock},
    {"mailbox", "unpin", "ADDRESS SETTING,...|all",
     "let template and directory decide again", mailbox_unpin},
    {"metrics", "", "", "print Prometheus metrics of daemons and store",
     metrics_print},
    {"password", "set", "ADDRESS [--password-stdin]",
     "set the password of a local mailbox", password_set},
    {"policy", "explain",
     "[--sender ADDRESS] [--recipient ADDRESS] [--size SIZE] "
     "[--login ADDRESS] [--tls] [--state STATE]",
     "walk the rules for a message, with the numbers", policy_explain},
    {"policy", "test",
     "[--sender ADDRESS] [--recipient ADDRESS] [--size SIZE] "
     "[--login ADDRESS] [--tls] [--state STATE]",
     "ask what provost-policyd would answer Postfix", policy_test},
    {"sync", "list", "[--directory NAME] [--limit N]",
     "list the runs of provost-sync, the newest first", sync_list},
    {"sync", "show", "RUN", "show what a run changed, refused and held back",
     sync_show},
    {"template", "affected", "NAME",
     "list who would change if the template were applied now",
     template_affected},
    {"template", "diff", "NAME NAME|ADDRESS",
     "compare a template with another, or with a mailbox", template_diff},
    {"template", "list", "", "list templates and how many mailboxes have them",
     template_list},
    {"template", "show", "NAME", "show a template and who is given it",
     template_show},
    {"why", "",
     "ADDRESS [--service smtp|imap|pop3|sieve] [--client IP] "
     "[--password-stdin]",
     "walk a login gate by gate and tell which one closed", why_run},
};

static void print_row(FILE *file, const char *before,
                      const struct command *command)
{
    (void)fprintf(file, "  %s%s%s%s%s%s\n      %s\n", before, command->noun,
                  command->verb[0] != '\0' ? " " : "", command->verb,
                  command->synopsis[0] != '\0' ? " " : "", command->synopsis,
                  command->help);
}

static void print_help(FILE *file)
{
    (void)fputs(
        "usage: provostctl [-c FILE] [--format table|json|csv] [--no-headers]\n"
        "                  [--yes] NOUN VERB ...\n"
        "       provostctl help NOUN\n\n",
        file);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        print_row(file, "", &commands[i]);
}

/* Prints the commands of a noun. Returns false if there is none. */
static bool print_noun(FILE *file, const char *noun)
{
    bool found = false;

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(commands[i].noun, noun) != 0)
            continue;
        if (!found)
            (void)fputs("usage:\n", file);
        found = true;
        print_row(file, "provostctl ", &commands[i]);
    }
    return found;
}

/* Names the verbs of a noun, or the nouns. */
static int unknown_command(const char *noun, const char *verb)
{
    bool known = false;

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        known = known || strcmp(commands[i].noun, noun) == 0;
    if (!known)
        tool_error("unknown command \"%s\"; see provostctl help", noun);
    else if (verb != NULL)
        tool_error("%s has no verb \"%s\"", noun, verb);
    (void)print_noun(stderr, noun);
    return EX_USAGE;
}

static const struct command *find_command(const char *noun, const char *verb)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(commands[i].noun, noun) == 0 &&
            strcmp(commands[i].verb, verb) == 0)
            return &commands[i];
    }
    return NULL;
}

const struct command *tool_commands(size_t *count_r)
{
    *count_r = ARRAY_SIZE(commands);
    return commands;
}

/* Who does it, for events: the one behind sudo, else the uid's name. */
static void find_who(struct tool *tool)
{
    const char *sudo = secure_getenv("SUDO_USER");
    const struct passwd *entry = getpwuid(getuid());

    if (sudo != NULL && sudo[0] != '\0')
        (void)snprintf(tool->who, sizeof(tool->who), "admin:%s", sudo);
    else if (entry != NULL)
        (void)snprintf(tool->who, sizeof(tool->who), "admin:%s",
                       entry->pw_name);
    else
        (void)snprintf(tool->who, sizeof(tool->who), "admin:uid%u",
                       (unsigned)getuid());
}

/* What follows from the options before the noun. */
enum next_step {
    NEXT_RUN,
    NEXT_DONE, /* help or version was printed */
    NEXT_USAGE
};

static bool read_format(struct tool *tool, const char *word)
{
    if (output_format_from(word, &tool->format))
        return true;
    tool_error("--format is table, json or csv, not \"%s\"", word);
    return false;
}

static enum next_step take_own_options(struct tool *tool, int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"format", required_argument, NULL, 'f'},
        {"json", no_argument, NULL, 'j'},
        {"no-headers", no_argument, NULL, 'n'},
        {"yes", no_argument, NULL, 'y'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "+c:f:nyhv", options, NULL)) !=
           -1) {
        if (letter == 'c') {
            tool->settings_path = optarg;
        } else if (letter == 'f') {
            if (!read_format(tool, optarg))
                return NEXT_USAGE;
        } else if (letter == 'j') {
            tool->format = OUTPUT_JSON;
        } else if (letter == 'n') {
            tool->headers = false;
        } else if (letter == 'y') {
            tool->yes = true;
        } else if (letter == 'v') {
            (void)puts("provostctl " PACKAGE_VERSION);
            return NEXT_DONE;
        } else {
            print_help(letter == 'h' ? stdout : stderr);
            return letter == 'h' ? NEXT_DONE : NEXT_USAGE;
        }
    }
    return NEXT_RUN;
}

/* Takes one word if it is an option of every command. Returns how many. */
static int take_shared(struct tool *tool, const struct arguments *arguments,
                       int i)
{
    const char *word = arguments->words[i];

    if (strcmp(word, "--yes") == 0)
        tool->yes = true;
    else if (strcmp(word, "--no-headers") == 0)
        tool->headers = false;
    else if (strcmp(word, "--json") == 0)
        tool->format = OUTPUT_JSON;
    else if (strncmp(word, "--format=", 9) == 0)
        return read_format(tool, word + 9) ? 1 : -1;
    else if (strcmp(word, "--format") == 0 && i + 1 < arguments->count)
        return read_format(tool, arguments->words[i + 1]) ? 2 : -1;
    else
        return 0;
    return 1;
}

/* Options that may stand behind the command as well as before it. */
static bool take_shared_options(struct tool *tool, struct arguments *arguments)
{
    int kept = 0;
    int i = 0;

    while (i < arguments->count && strcmp(arguments->words[i], "--") != 0) {
        int used = take_shared(tool, arguments, i);

        if (used < 0)
            return false;
        if (used == 0)
            arguments->words[kept++] = arguments->words[i++];
        i += used;
    }
    for (; i < arguments->count; i++)
        arguments->words[kept++] = arguments->words[i];
    arguments->count = kept;
    return true;
}

static bool asks_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* help [NOUN], and NOUN --help. */
static int help_on(const char *noun)
{
    if (noun == NULL) {
        print_help(stdout);
        return EX_OK;
    }
    return print_noun(stdout, noun) ? EX_OK : unknown_command(noun, NULL);
}

static int run_command(struct tool *tool, int argc, char **argv)
{
    struct arguments arguments = {argc - 1, argv + 1};
    const struct command *command;

    if (argc == 0) {
        print_help(stderr);
        return EX_USAGE;
    }
    if (strcmp(argv[0], "help") == 0)
        return help_on(argv[1]);
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (asks_help(argv[i]))
            return help_on(argv[0]);
    }
    command = find_command(argv[0], "");
    if (command == NULL && argc == 1)
        return unknown_command(argv[0], NULL);
    if (command == NULL) {
        command = find_command(argv[0], argv[1]);
        arguments = (struct arguments){argc - 2, argv + 2};
    }
    if (command == NULL)
        return unknown_command(argv[0], argv[1]);
    if (!take_shared_options(tool, &arguments))
        return EX_USAGE;
    return command->run(tool, &arguments);
}

int main(int argc, char **argv)
{
    struct tool tool = {.settings_path = PROVOST_CONF, .headers = true};
    int code = EX_USAGE;

    (void)setlocale(LC_CTYPE, "");
    (void)signal(SIGPIPE, SIG_DFL);
    find_who(&tool);
    switch (take_own_options(&tool, argc, argv)) {
    case NEXT_RUN:
        code = run_command(&tool, argc - optind, argv + optind);
        break;
    case NEXT_DONE:
        code = EX_OK;
        break;
    case NEXT_USAGE:
        break;
    }
    store_close(&tool.store);
    settings_free(&tool.settings);
    return code;
}
