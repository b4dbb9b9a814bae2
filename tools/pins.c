/* pins - see pins.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "pins.h"

#include "mailbox_words.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Events looked through, newest first; names a mailbox may have had. */
#define EVENTS_MAX 5000
#define NAMES_MAX 8

/* The settings named in the member "pinned" of an event's object. */
static unsigned pinned_in(const char *text)
{
    json_t *object = text != NULL ? json_loads(text, 0, NULL) : NULL;
    const char *list = json_string_value(json_object_get(object, "pinned"));
    unsigned bits = 0;

    if (list == NULL || mailbox_words_bits(list, &bits, NULL) != STATUS_OK)
        bits = 0;
    json_decref(object);
    return bits;
}

/* The settings that have a member of their own in an event's object. */
static unsigned named_in(const char *text)
{
    json_t *object = text != NULL ? json_loads(text, 0, NULL) : NULL;
    unsigned bits = 0;

    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        if (json_object_get(
                object, account_setting_name((enum account_setting)i)) != NULL)
            bits |= ACCOUNT_SET_BIT(i);
    }
    json_decref(object);
    return bits;
}

unsigned pins_note(struct pin pins[ACCOUNT_SETTING_COUNT], unsigned unknown,
                   const struct store_event_row *event)
{
    bool is_edit = strcmp(event->kind, "update") == 0;
    unsigned found = pinned_in(event->after) & ~pinned_in(event->before);

    if (strncmp(event->who, "admin:", 6) != 0)
        return unknown;
    /* A change to what was pinned before tells no pins. */
    if (is_edit)
        found |= named_in(event->after);
    found &= unknown;
    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        if ((found & ACCOUNT_SET_BIT(i)) == 0)
            continue;
        (void)snprintf(pins[i].who, sizeof(pins[i].who), "%s", event->who);
        (void)snprintf(pins[i].at, sizeof(pins[i].at), "%s", event->at);
    }
    return unknown & ~found;
}

/* What is looked for, under one name of the mailbox after the other. */
struct look {
    struct pin *pins;
    unsigned unknown;
    char *older_name; /* owned; the one before a rename */
};

/* Keeps the name a rename came from. */
static void note_rename(struct look *look, const struct store_event_row *event)
{
    json_t *object =
        event->before != NULL ? json_loads(event->before, 0, NULL) : NULL;
    const char *name = json_string_value(json_object_get(object, "address"));

    if (name != NULL)
        look->older_name = strdup(name);
    json_decref(object);
}

static bool look_at_event(const struct store_event_row *event, void *arg)
{
    struct look *look = arg;

    look->unknown = pins_note(look->pins, look->unknown, event);
    if (strcmp(event->kind, "rename") == 0)
        note_rename(look, event);
    /* What is older than a rename or the creation is another mailbox's. */
    return look->unknown != 0 && look->older_name == NULL &&
           strcmp(event->kind, "create") != 0;
}

enum status pins_find(struct tool *tool, const struct account *account,
                      struct pin pins_r[ACCOUNT_SETTING_COUNT],
                      struct errtext *err)
{
    struct look look = {.pins = pins_r, .unknown = account->pinned};
    struct store_event_visitor visitor = {look_at_event, &look};
    char *name = strdup(account->address);
    enum status status = STATUS_OK;

    memset(pins_r, 0, sizeof(*pins_r) * ACCOUNT_SETTING_COUNT);
    if (name == NULL)
        return status_no_memory(err);
    for (int i = 0; name != NULL && look.unknown != 0 && i < NAMES_MAX &&
                    status == STATUS_OK;
         i++) {
        struct store_event_query query = {
            .address = name, .newest_first = true, .max = EVENTS_MAX};

        status = store_event_list(tool->store, &query, &visitor,
                                  tool_deadline(tool), err);
        free(name);
        name = look.older_name;
        look.older_name = NULL;
    }
    free(name);
    return status;
}
