/*
 * pins - who fixed a setting of a mailbox, and when
 *
 * The mailbox keeps that a setting is pinned; who did it is in the events,
 * under the addresses it has had.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_PINS_H
#define TOOLS_PINS_H

#include "account.h"
#include "status.h"
#include "store_history.h"
#include "tool.h"

#define PIN_WHO_SIZE 128
#define PIN_AT_SIZE 24

/* Of one setting; who "": no event tells it (any more). */
struct pin {
    char who[PIN_WHO_SIZE];
    char at[PIN_AT_SIZE];
};

/*
 * Notes one event, the newest first, in the pins that are still unknown.
 * Returns the bits of pinned that are unknown after it. Pure.
 */
unsigned pins_note(struct pin pins[ACCOUNT_SETTING_COUNT], unsigned unknown,
                   const struct store_event_row *event);

/* Looks for the pins of account. STATUS_OK, or STATUS_TEMPFAIL. */
enum status pins_find(struct tool *tool, const struct account *account,
                      struct pin pins_r[ACCOUNT_SETTING_COUNT],
                      struct errtext *err) MUST_CHECK;

#endif
