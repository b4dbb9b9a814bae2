/*
 * child - work that is done in a child process
 *
 * For what must not happen to us: another user's rights, a jail, a foreign
 * library, a program that hangs. Each child has a deadline and is killed and
 * waited for when it has passed.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_CHILD_H
#define TOOLS_CHILD_H

#include "strbuf.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What the child does: it may write words to fd, and returns its exit status,
 * 0 to 255. It runs in a copy of a program with one thread.
 */
typedef int child_work(const void *arg, int fd);

/*
 * Runs work in a child. Returns its exit status, with its words appended to
 * said; -1 if it could not be started, was killed by
 * a signal, or was not done by deadline_ms.
 */
int child_do(child_work *work, const void *arg, int64_t deadline_ms,
             struct strbuf *said);

/*
 * Runs a program found on PATH, with standard error in the bin, and appends
 * what it prints. Returns its exit status, or -1 as child_do; 127: there is no
 * such program.
 */
int child_run(const char *const *argv, int64_t deadline_ms, struct strbuf *out);

/* Writes text to fd, for a child_work. */
void child_say(int fd, const char *text);

#endif
