/* command_completion - provostctl completion: scripts for bash and zsh */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include <string.h>
#include <sysexits.h>

static const char shared_options[] =
    "-c --format --no-headers --yes --json --help";

/* Words of a synopsis that can be typed: options, and choices "a|b". */
static void print_words(const char *synopsis)
{
    char text[512];
    char *rest = text;
    char *word;

    (void)snprintf(text, sizeof(text), "%s", synopsis);
    while ((word = strsep(&rest, " []|")) != NULL) {
        if (word[0] == '-' || (word[0] >= 'a' && word[0] <= 'z'))
            (void)printf(" %s", word);
    }
}

/* One case a command: "noun verb" and what may follow. */
static void print_cases(const char *close)
{
    size_t count;
    const struct command *commands = tool_commands(&count);

    for (size_t i = 0; i < count; i++) {
        (void)printf("    '%s %s') words='%s", commands[i].noun,
                     commands[i].verb, shared_options);
        print_words(commands[i].synopsis);
        (void)printf("' %s\n", close);
    }
}

static void print_nouns(void)
{
    size_t count;
    const struct command *commands = tool_commands(&count);
    const char *last = "";

    (void)fputs("help", stdout);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(commands[i].noun, last) != 0)
            (void)printf(" %s", commands[i].noun);
        last = commands[i].noun;
    }
}

/* One case a noun: its verbs. */
static void print_verbs(void)
{
    size_t count;
    const struct command *commands = tool_commands(&count);

    for (size_t i = 0; i < count; i++) {
        bool first =
            i == 0 || strcmp(commands[i].noun, commands[i - 1].noun) != 0;
        bool last = i + 1 == count ||
                    strcmp(commands[i].noun, commands[i + 1].noun) != 0;

        if (commands[i].verb[0] == '\0')
            continue;
        if (first)
            (void)printf("    %s) words='", commands[i].noun);
        (void)printf("%s%s", first ? "" : " ", commands[i].verb);
        if (last)
            (void)puts("' ;;");
    }
}

/* The function that finds the words; both shells read it. */
static void print_function(void)
{
    (void)puts("_provostctl_words() {\n"
               "    noun= verb= skip=\n"
               "    for word; do\n"
               "        if [ -n \"$skip\" ]; then skip=; continue; fi\n"
               "        case $word in\n"
               "        -c | --format | --config) skip=1 ;;\n"
               "        -*) ;;\n"
               "        *) if [ -z \"$noun\" ]; then noun=$word\n"
               "            elif [ -z \"$verb\" ]; then verb=$word; fi ;;\n"
               "        esac\n"
               "    done\n"
               "    case $noun in");
    (void)fputs("    '') words='", stdout);
    print_nouns();
    (void)printf(" %s' ; return ;;\n    esac\n", shared_options);
    (void)puts("    case \"$noun $verb\" in");
    print_cases("; return ;;");
    (void)puts("    esac\n    words=\n    case $noun in");
    print_verbs();
    (void)puts("    esac\n"
               "    # A command of one word: what follows is its own.\n"
               "    [ -n \"$words\" ] || case \"$noun \" in");
    print_cases(";;");
    (void)puts("    esac\n}");
}

int completion_print(struct tool *tool, struct arguments *arguments)
{
    const char *shell;

    (void)tool;
    if (!tool_arguments(arguments, NULL, 1, 1))
        return EX_USAGE;
    shell = arguments->words[0];
    if (strcmp(shell, "bash") == 0) {
        (void)puts("# bash completion of provostctl");
        print_function();
        (void)puts("_provostctl() {\n"
                   "    local noun verb skip word words\n"
                   "    _provostctl_words \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"\n"
                   "    COMPREPLY=($(compgen -W \"$words\" -- "
                   "\"${COMP_WORDS[COMP_CWORD]}\"))\n"
                   "}\n"
                   "complete -o default -F _provostctl provostctl");
        return EX_OK;
    }
    if (strcmp(shell, "zsh") == 0) {
        (void)puts("#compdef provostctl");
        print_function();
        (void)puts("_provostctl() {\n"
                   "    local noun verb skip word typed\n"
                   "    typed=(\"${(@)words[2,CURRENT-1]}\")\n"
                   "    local words\n"
                   "    _provostctl_words \"${typed[@]}\"\n"
                   "    compadd -- ${=words}\n"
                   "}\n"
                   "if [ \"$funcstack[1]\" = _provostctl ]; then\n"
                   "    _provostctl \"$@\"\n"
                   "else\n"
                   "    compdef _provostctl provostctl\n"
                   "fi");
        return EX_OK;
    }
    tool_error("completion: bash or zsh, not \"%s\"", shell);
    return EX_USAGE;
}
