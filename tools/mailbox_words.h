/*
 * mailbox_words - settings of a mailbox as words of a command
 *
 * "--quota 5G --smtp no" and "quota,smtp_access" into struct account and
 * ACCOUNT_SET_BIT()s. Pure.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_MAILBOX_WORDS_H
#define TOOLS_MAILBOX_WORDS_H

#include "account.h"
#include "status.h"
#include "tool.h"

#include <stdint.h>

/* The words given for each setting; NULL: not given. */
struct mailbox_words {
    const char *values[ACCOUNT_SETTING_COUNT];
};

/* Rows that mailbox_words_options writes, without the last one. */
#define MAILBOX_WORDS_OPTIONS (ACCOUNT_SETTING_COUNT - 1)

/* What a synopsis says of them. */
#define MAILBOX_WORDS_SYNOPSIS                                                 \
    "[--name TEXT] [--quota SIZE] [--message-size SIZE] "                      \
    "[--rate-messages N/TIME] [--rate-recipients N/TIME] [--smtp yes|no] "     \
    "[--imap yes|no] [--pop3 yes|no] [--sieve yes|no] [--tls-in yes|no] "      \
    "[--tls-out yes|no] [--active active|nologin|off] [--tags A,B]"

/* Writes an option row for each setting, whose values go into words. */
void mailbox_words_options(struct mailbox_words *words,
                           struct tool_option *options_r);

/*
 * Reads the words that were given into account and their bits.
 * Returns STATUS_OK; STATUS_INVALID with the setting named; STATUS_TEMPFAIL.
 */
enum status mailbox_words_read(const struct mailbox_words *words,
                               struct account *account, unsigned *bits_r,
                               struct errtext *err) MUST_CHECK;

/* Reads "quota,tags" or "all" into bits. STATUS_OK or STATUS_INVALID. */
enum status mailbox_words_bits(const char *text, unsigned *bits_r,
                               struct errtext *err) MUST_CHECK;

/* Reads "smtp,imap" or "all" into enum account_service bits. */
enum status mailbox_words_services(const char *text, unsigned *services_r,
                                   struct errtext *err) MUST_CHECK;

/* Appends services as "smtp,imap". */
void mailbox_words_append_services(struct strbuf *buf, unsigned services);

#endif
