/* command_completion - provostctl completion: scripts for bash and zsh */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char shared_options[] =
    "-c --format --no-headers --yes --json --help";

/* A word of a synopsis, without its brackets. */
struct synopsis_word {
    const char *text;
    size_t len;
    bool has_value; /* an option; the next word is its value */
};

/* Takes the next word of *rest; false at the end. */
static bool next_word(const char **rest, struct synopsis_word *word_r)
{
    const char *p = *rest + strspn(*rest, " ");
    size_t len = strcspn(p, " ");
    bool option;

    *rest = p + len;
    if (len == 0)
        return false;
    while (len > 0 && *p == '[') {
        p++;
        len--;
    }
    option = len > 2 && strncmp(p, "--", 2) == 0;
    word_r->has_value = option && p[len - 1] != ']' && **rest != '\0';
    while (len > 0 && p[len - 1] == ']')
        len--;
    word_r->text = p;
    word_r->len = len;
    return true;
}

/* Prints those of "a|B|c" that are typed as they stand. */
static void print_choices(const struct synopsis_word *word)
{
    const char *p = word->text;
    const char *end = p + word->len;

    while (p < end) {
        size_t len = strcspn(p, "|]");

        if (p + len > end)
            len = (size_t)(end - p);
        if (p[0] == '-' || islower((unsigned char)p[0]))
            (void)printf(" %.*s", (int)len, p);
        p += len;
        p += strspn(p, "|]");
    }
}

/* The words of a command that can be typed: options, and choices. */
static void print_words(const char *synopsis)
{
    const char *rest = synopsis;
    struct synopsis_word word;

    while (next_word(&rest, &word)) {
        print_choices(&word);
        if (word.has_value)
            (void)next_word(&rest, &word);
    }
}

/* What may follow an option of the command that has a value. */
static void print_values(const char *synopsis)
{
    const char *rest = synopsis;
    struct synopsis_word word;

    while (next_word(&rest, &word)) {
        if (!word.has_value)
            continue;
        (void)printf("        %.*s) list='", (int)word.len, word.text);
        (void)next_word(&rest, &word);
        print_choices(&word);
        (void)puts("'; return ;;");
    }
}

static bool has_values(const char *synopsis)
{
    const char *rest = synopsis;
    struct synopsis_word word;

    while (next_word(&rest, &word)) {
        if (word.has_value)
            return true;
    }
    return false;
}

/* What may follow one command. */
static void print_command(const struct command *command)
{
    if (has_values(command->synopsis)) {
        (void)puts("        case $prev in");
        print_values(command->synopsis);
        (void)puts("        esac");
    }
    (void)printf("        list='%s", shared_options);
    print_words(command->synopsis);
    (void)puts("' ;;");
}

/* One case a command of one word, or of two. */
static void print_commands(bool one_word)
{
    size_t count;
    const struct command *commands = tool_commands(&count);

    for (size_t i = 0; i < count; i++) {
        if ((commands[i].verb[0] == '\0') != one_word)
            continue;
        if (one_word)
            (void)printf("    '%s '*)\n", commands[i].noun);
        else
            (void)printf("    '%s %s')\n", commands[i].noun, commands[i].verb);
        print_command(&commands[i]);
    }
}

static void print_nouns(void)
{
    size_t count;
    const struct command *commands = tool_commands(&count);
    const char *last = "";

    for (size_t i = 0; i < count; i++) {
        if (strcmp(commands[i].noun, last) != 0)
            (void)printf(" %s", commands[i].noun);
        last = commands[i].noun;
    }
}

/* One case a noun that has verbs. */
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
            (void)printf("    '%s '*) list='--help", commands[i].noun);
        (void)printf(" %s", commands[i].verb);
        if (last)
            (void)puts("' ;;");
    }
}

/*
 * The function both shells read: what was typed goes in, and the caller's
 * variable list gets the words that may follow.
 */
static void print_function(void)
{
    (void)puts("_provostctl_words() {\n"
               "    local noun= verb= prev= skip= word\n"
               "    for word; do\n"
               "        prev=$word\n"
               "        if [ -n \"$skip\" ]; then skip=; continue; fi\n"
               "        case $word in\n"
               "        -c | -f | --config | --format) skip=1 ;;\n"
               "        -*) ;;\n"
               "        *)\n"
               "            if [ -z \"$noun\" ]; then noun=$word\n"
               "            elif [ -z \"$verb\" ]; then verb=$word; fi ;;\n"
               "        esac\n"
               "    done\n"
               "    list=\n"
               "    if [ -n \"$skip\" ]; then\n"
               "        case $prev in -f | --format) list='table json csv' ;;"
               " esac\n"
               "        return\n"
               "    fi\n"
               "    case \"$noun $verb\" in");
    (void)printf("    ' ') list='%s help", shared_options);
    print_nouns();
    (void)fputs("' ;;\n    'help ') list='", stdout);
    print_nouns();
    (void)puts("' ;;");
    print_commands(false);
    print_commands(true);
    print_verbs();
    (void)puts("    esac\n}");
}

static void print_bash(void)
{
    (void)puts("# bash completion of provostctl");
    print_function();
    (void)puts("_provostctl() {\n"
               "    local list\n"
               "    _provostctl_words \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"\n"
               "    COMPREPLY=($(compgen -W \"$list\" -- "
               "\"${COMP_WORDS[COMP_CWORD]}\"))\n"
               "}\n"
               "complete -o default -F _provostctl provostctl");
}

static void print_zsh(void)
{
    (void)puts("#compdef provostctl");
    print_function();
    (void)puts("_provostctl() {\n"
               "    local list\n"
               "    _provostctl_words \"${(@)words[2,CURRENT-1]}\"\n"
               "    if [ -n \"$list\" ]; then compadd -- ${=list}\n"
               "    else _files; fi\n"
               "}\n"
               "if [ \"${funcstack[1]}\" = _provostctl ]; then\n"
               "    _provostctl \"$@\"\n"
               "elif [ -n \"${functions[compdef]}\" ]; then\n"
               "    compdef _provostctl provostctl\n"
               "fi");
}

int completion_print(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    const char *shell;

    (void)tool;
    if (!tool_arguments(arguments, none, 1, 1))
        return EX_USAGE;
    shell = arguments->words[0];
    if (strcmp(shell, "bash") == 0) {
        print_bash();
        return EX_OK;
    }
    if (strcmp(shell, "zsh") == 0) {
        print_zsh();
        return EX_OK;
    }
    tool_error("completion: bash or zsh, not \"%s\"", shell);
    return EX_USAGE;
}
