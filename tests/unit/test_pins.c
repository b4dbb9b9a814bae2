/* test_pins - who fixed a setting, told by events */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"

#include "pins.h"

#include <string.h>

#define QUOTA ACCOUNT_SET_BIT(ACCOUNT_SET_QUOTA)
#define TAGS ACCOUNT_SET_BIT(ACCOUNT_SET_TAGS)

static void an_event_tells_who_pinned(void)
{
    static const struct {
        const char *name;
        struct store_event_row event;
        unsigned left;
    } cases[] = {
        {"a pin",
         {.kind = "pin",
          .who = "admin:anna",
          .before = "{\"pinned\": \"\"}",
          .after = "{\"pinned\": \"quota\"}"},
         TAGS},
        {"what was pinned before is no news",
         {.kind = "pin",
          .who = "admin:anna",
          .before = "{\"pinned\": \"quota\"}",
          .after = "{\"pinned\": \"quota,tags\"}"},
         QUOTA},
        {"an edit of what was pinned before",
         {.kind = "update",
          .who = "admin:anna",
          .before = "{\"quota\": \"5G\"}",
          .after = "{\"quota\": \"6G\"}"},
         TAGS},
        {"a mailbox made with values",
         {.kind = "create",
          .who = "admin:anna",
          .after = "{\"quota\": \"6G\", \"tags\": \"\", \"pinned\": "
                   "\"quota\"}"},
         TAGS},
        {"an unpin",
         {.kind = "unpin",
          .who = "admin:anna",
          .before = "{\"pinned\": \"quota,tags\"}",
          .after = "{\"pinned\": \"\"}"},
         QUOTA | TAGS},
        {"a login's update",
         {.kind = "update", .who = "authd", .after = "{\"quota\": \"6G\"}"},
         QUOTA | TAGS},
        {"no JSON",
         {.kind = "pin", .who = "admin:anna", .after = "{\"pinned\": "},
         QUOTA | TAGS},
        {"JSON of another kind",
         {.kind = "pin", .who = "admin:anna", .after = "[\"pinned\"]"},
         QUOTA | TAGS},
        {"a name that is no setting",
         {.kind = "pin",
          .who = "admin:anna",
          .after = "{\"pinned\": \"nonsense\"}"},
         QUOTA | TAGS},
        {"a pin that is a number",
         {.kind = "pin", .who = "admin:anna", .after = "{\"pinned\": 7}"},
         QUOTA | TAGS},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct pin pins[ACCOUNT_SETTING_COUNT] = {{{0}, {0}}};
        struct store_event_row event = cases[i].event;
        bool told;

        event.at = "2026-11-24T06:30:00Z";
        CHECK_CASE(cases[i].name,
                   pins_note(pins, QUOTA | TAGS, &event) == cases[i].left);
        told = strcmp(pins[ACCOUNT_SET_QUOTA].who, "admin:anna") == 0;
        CHECK_CASE(cases[i].name, told == ((cases[i].left & QUOTA) == 0));
    }
}

static void the_newest_event_counts(void)
{
    struct pin pins[ACCOUNT_SETTING_COUNT] = {{{0}, {0}}};
    struct store_event_row event = {
        .at = "2026-11-24T06:30:00Z",
        .kind = "pin",
        .who = "admin:anna",
        .after = "{\"pinned\": \"quota\"}",
    };
    unsigned unknown = pins_note(pins, QUOTA, &event);

    event.who = "admin:bob";
    unknown = pins_note(pins, unknown, &event);
    CU_ASSERT_EQUAL(unknown, 0);
    CU_ASSERT_STRING_EQUAL(pins[ACCOUNT_SET_QUOTA].who, "admin:anna");
    CU_ASSERT_STRING_EQUAL(pins[ACCOUNT_SET_QUOTA].at, "2026-11-24T06:30:00Z");
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"an event tells who pinned", an_event_tells_who_pinned},
        {"the newest event counts", the_newest_event_counts},
        CU_TEST_INFO_NULL,
    };

    return run_tests("pins", tests);
}
