/* ask - see ask.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "ask.h"

#include "secret.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

/* Room for a password, its line end, and a byte that is too many. */
#define LINE_BYTES (ASK_PASSWORD_BYTES_MAX + 3)

static volatile sig_atomic_t caught;

static void note_signal(int number)
{
    caught = number;
}

enum status ask_password_from(const char *bytes, size_t len, char **password_r,
                              struct errtext *err)
{
    char *password;

    if (len > 0 && bytes[len - 1] == '\n')
        len--;
    if (len > 0 && bytes[len - 1] == '\r')
        len--;
    if (len == 0 || len > ASK_PASSWORD_BYTES_MAX) {
        errtext_set(err,
                    len == 0 ? "the password is empty"
                             : "the password has more than %d bytes",
                    ASK_PASSWORD_BYTES_MAX);
        return STATUS_INVALID;
    }
    if (memchr(bytes, '\0', len) != NULL || memchr(bytes, '\n', len) != NULL) {
        errtext_set(err, "the password has a NUL or a line end in it");
        return STATUS_INVALID;
    }
    password = malloc(len + 1);
    if (password == NULL)
        return status_no_memory(err);
    memcpy(password, bytes, len);
    password[len] = '\0';
    *password_r = password;
    return STATUS_OK;
}

/* Reads until the input ends, or one line of a terminal; -1 for a failure. */
static ssize_t read_input(bool is_line, char *bytes_r, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t got = read(STDIN_FILENO, bytes_r + len, size - len);

        if (got < 0 && errno == EINTR && caught == 0)
            continue;
        if (got < 0)
            return -1;
        len += (size_t)got;
        if (got == 0 || (is_line && bytes_r[len - 1] == '\n'))
            break;
    }
    return (ssize_t)len;
}

static int read_password(bool is_line, char **password_r)
{
    char bytes[LINE_BYTES];
    ssize_t len = read_input(is_line, bytes, sizeof(bytes));
    struct errtext err = {{0}};
    int code = EX_IOERR;

    if (len < 0) {
        if (caught == 0)
            tool_error("the password could not be read");
    } else {
        enum status status =
            ask_password_from(bytes, (size_t)len, password_r, &err);

        code = status == STATUS_OK ? EX_OK : tool_failed(status, &err);
    }
    secret_wipe(bytes, sizeof(bytes));
    return code;
}

/* Asks for two that are the same. */
static int read_twice(char **password_r)
{
    char *first = NULL;
    char *second = NULL;
    int code;

    (void)fputs("Password: ", stderr);
    code = read_password(true, &first);
    (void)fputs("\nOnce more: ", stderr);
    if (code == EX_OK)
        code = read_password(true, &second);
    (void)fputs("\n", stderr);
    if (code == EX_OK && strcmp(first, second) != 0) {
        tool_error("these were two different passwords; nothing was done");
        code = EX_DATAERR;
    }
    if (code == EX_OK) {
        *password_r = first;
        first = NULL;
    }
    secret_free(&first);
    secret_free(&second);
    return code;
}

/* Reads with the echo off, and puts it back before a signal takes effect. */
static int read_unseen(char **password_r)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    struct sigaction before[ARRAY_SIZE(numbers)];
    struct sigaction note = {.sa_handler = note_signal};
    struct termios seen;
    struct termios unseen;
    int code;

    if (tcgetattr(STDIN_FILENO, &seen) != 0) {
        tool_error("standard input is no terminal: say --password-stdin");
        return EX_USAGE;
    }
    caught = 0;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        (void)sigaction(numbers[i], &note, &before[i]);
    unseen = seen;
    unseen.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    unseen.c_lflag |= ICANON;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen) == 0) {
        code = read_twice(password_r);
    } else {
        tool_error("the terminal's echo cannot be turned off");
        code = EX_IOERR;
    }
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &seen);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        (void)sigaction(numbers[i], &before[i], NULL);
    if (caught != 0)
        (void)raise(caught);
    return code;
}

int ask_password(bool from_stdin, char **password_r)
{
    return from_stdin ? read_password(false, password_r)
                      : read_unseen(password_r);
}

bool ask_again(const struct tool *tool, const char *word, const char *question)
{
    char answer[1024] = "";

    if (tool->yes)
        return true;
    if (!isatty(STDIN_FILENO)) {
        tool_error("%s Not done: say --yes", question);
        return false;
    }
    output_escaped(stderr, question);
    (void)fputs(" Type it again: ", stderr);
    if (fgets(answer, sizeof(answer), stdin) == NULL)
        answer[0] = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
    if (strcmp(answer, word) == 0)
        return true;
    tool_error("that is another one; nothing was done");
    return false;
}
