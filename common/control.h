/*
 * control - what a running daemon can be asked, by root and its group
 *
 * A request is one line: a word of the table below and, for some, a blank and
 * an argument. The reply is "ok N" or "error N" on a line of its own and then
 * N bytes of text; after it the daemon closes. One table serves the daemons,
 * provostctl and the manual.
 *
 * Both ends are here: parsing (pure), and the small client. Programs only.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_CONTROL_H
#define COMMON_CONTROL_H

#include "status.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_ARGUMENT_BYTES_MAX 1024
#define CONTROL_REQUEST_BYTES_MAX (CONTROL_ARGUMENT_BYTES_MAX + 64)
#define CONTROL_REPLY_BYTES_MAX ((size_t)4 << 20)

enum control_word {
    CONTROL_STATUS,
    CONTROL_METRICS,
    CONTROL_FLUSH,
    CONTROL_THROTTLE_LIST,
    CONTROL_RELOAD,
    CONTROL_POLICY_TEST,
    CONTROL_POLICY_EXPLAIN,
    CONTROL_WORD_COUNT
};

struct control_row {
    const char *word;
    const char *argument; /* what it is, for people; "": takes none */
    const char *help;
};

/* The table's row of a word. */
const struct control_row *control_row(enum control_word word);

/*
 * Reads one request line of len bytes, with or without its newline.
 *
 * Returns STATUS_OK, *word_r and the terminated argument ("" if it takes
 * none); or STATUS_INVALID for an unknown word, a missing or unwanted
 * argument, or one over its bound.
 */
enum status control_parse(const char *line, size_t len,
                          enum control_word *word_r,
                          char argument_r[CONTROL_ARGUMENT_BYTES_MAX + 1],
                          struct errtext *err) MUST_CHECK;

/* Appends the whole reply that carries text. */
void control_append_reply(struct strbuf *buf, bool success, const char *text);

/*
 * Asks the daemon whose control socket is at path; argument may be "".
 *
 * Returns STATUS_OK and its text appended; STATUS_DENIED when the daemon said
 * "error", with its text appended, too; STATUS_INVALID for an argument that is
 * no part of a line; STATUS_TEMPFAIL: it does not run, or gave no whole answer
 * by deadline_ms.
 */
enum status control_ask(const char *path, enum control_word word,
                        const char *argument, int64_t deadline_ms,
                        struct strbuf *text, struct errtext *err) MUST_CHECK;

#endif
