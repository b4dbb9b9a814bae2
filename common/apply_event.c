/* apply_event - see apply_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "apply_private.h"

#include "store_event.h"
#include "strbuf.h"

#include <string.h>

#define JSON_BYTES_MAX ((size_t)1024 * 1024)

/* The two objects of an event, and room for one value of each. */
struct story {
    struct strbuf before;
    struct strbuf after;
    struct strbuf old_value;
    struct strbuf new_value;
    bool has_before;
};

static struct story begin_story(bool has_before)
{
    struct story story = {
        STRBUF_INIT(JSON_BYTES_MAX), STRBUF_INIT(JSON_BYTES_MAX),
        STRBUF_INIT(JSON_BYTES_MAX), STRBUF_INIT(JSON_BYTES_MAX), has_before};

    strbuf_append_char(&story.before, '{');
    strbuf_append_char(&story.after, '{');
    return story;
}

static void clear_story(struct story *story)
{
    strbuf_clear(&story->before);
    strbuf_clear(&story->after);
    strbuf_clear(&story->old_value);
    strbuf_clear(&story->new_value);
}

/* Tells a value if it differs; without a before, always. */
static void tell(struct story *story, const char *name, const char *before,
                 const char *after)
{
    before = before != NULL ? before : "";
    after = after != NULL ? after : "";
    if (story->has_before && strcmp(before, after) == 0)
        return;
    if (story->has_before)
        store_event_member(&story->before, name, before);
    store_event_member(&story->after, name, after);
}

static void tell_setting(struct story *story, const struct change *change,
                         enum account_setting setting)
{
    strbuf_truncate(&story->old_value, 0);
    strbuf_truncate(&story->new_value, 0);
    if (story->has_before)
        account_append_setting(&story->old_value, &change->now, setting);
    account_append_setting(&story->new_value, &change->next, setting);
    tell(story, account_setting_name(setting), strbuf_text(&story->old_value),
         strbuf_text(&story->new_value));
}

/* Aliases as they are, and as they become. */
static void tell_aliases(struct story *story, const struct change *change)
{
    strbuf_truncate(&story->old_value, 0);
    strbuf_truncate(&story->new_value, 0);
    for (size_t i = 0; i < change->dropped_count; i++)
        strbuf_appendf(&story->old_value, "%s%s", i > 0 ? "," : "",
                       change->dropped[i]);
    for (size_t i = 0; i < change->added_count; i++)
        strbuf_appendf(&story->new_value, "%s%s", i > 0 ? "," : "",
                       change->added[i]);
    if (change->dropped_count > 0)
        tell(story, "aliases_removed", "", strbuf_text(&story->old_value));
    if (change->added_count > 0)
        tell(story, "aliases_added", "", strbuf_text(&story->new_value));
}

/* Which settings an administrator has fixed, where that changes. */
static void tell_pins(struct story *story, const struct change *change)
{
    if (change->now.pinned == change->next.pinned)
        return;
    strbuf_truncate(&story->old_value, 0);
    strbuf_truncate(&story->new_value, 0);
    account_append_pins(&story->old_value, change->now.pinned);
    account_append_pins(&story->new_value, change->next.pinned);
    tell(story, "pinned", strbuf_text(&story->old_value),
         strbuf_text(&story->new_value));
}

static void tell_all(struct story *story, const struct change *change)
{
    const struct account *now = &change->now;
    const struct account *next = &change->next;

    tell(story, "address", now->address, next->address);
    tell(story, "directory_id", now->directory_id, next->directory_id);
    tell(story, "directory_state",
         account_directory_state_name(now->directory_state),
         account_directory_state_name(next->directory_state));
    tell(story, "template", now->template_name, next->template_name);
    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        if (i != ACCOUNT_SET_ALIASES)
            tell_setting(story, change, (enum account_setting)i);
    }
    tell_aliases(story, change);
    tell_pins(story, change);
    strbuf_append_char(&story->before, '}');
    strbuf_append_char(&story->after, '}');
}

enum status change_event(struct store_connection *db,
                         const struct change *change, struct errtext *err)
{
    struct story story = begin_story(change->now.address != NULL);
    const struct plan *plan = change->plan;
    const char *warning =
        plan->warning.text[0] != '\0' ? plan->warning.text : plan->reason.text;
    struct store_event event = {
        .kind = plan_kind_name(plan->kind),
        .who = change->who,
        .address = change->next.address,
        .domain = change->next.domain,
        .directory = change->next.directory,
        .reason = warning[0] != '\0' ? warning : NULL,
    };
    enum status status;

    tell_all(&story, change);
    event.before = story.has_before ? strbuf_text(&story.before) : NULL;
    event.after = strbuf_text(&story.after);
    status = story.before.failed || story.after.failed
                 ? status_no_memory(err)
                 : store_event_insert(db, &event, err);
    clear_story(&story);
    return status;
}
