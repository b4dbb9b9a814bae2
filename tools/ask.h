/*
 * ask - what is typed at a terminal and must not be seen, or must be meant
 *
 * The terminal gets its echo back on every way out, signals too.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_ASK_H
#define TOOLS_ASK_H

#include "status.h"
#include "tool.h"

#include <stdbool.h>
#include <stddef.h>

/* Of a password, as libxcrypt takes it. */
#define ASK_PASSWORD_BYTES_MAX 511

/*
 * Makes a password of what was read: len bytes, of which one newline at the
 * end (with its carriage return) is not part.
 * STATUS_OK and an owned *password_r (secret_free); STATUS_INVALID with a
 * sentence for an empty one, one with NUL or a newline, and a longer one;
 * STATUS_TEMPFAIL without memory.
 */
enum status ask_password_from(const char *bytes, size_t len, char **password_r,
                              struct errtext *err) MUST_CHECK;

/*
 * Reads a new password: from standard input, or twice from the terminal.
 * EX_OK and an owned *password_r (secret_free), or the exit code, with a
 * message.
 */
int ask_password(bool from_stdin, char **password_r);

/*
 * Asks to type word again before something cannot be undone; --yes answers.
 * False, with a message, without a terminal or for another word.
 */
bool ask_again(const struct tool *tool, const char *word, const char *question);

#endif
