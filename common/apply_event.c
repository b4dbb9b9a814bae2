/* apply_event - see apply_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "apply_private.h"

#include "store_event.h"
#include "strbuf.h"

#include <string.h>

#define JSON_BYTES_MAX ((size_t)1024 * 1024)

/* A story while it is told, and room for one value of each side. */
struct telling {
    struct change_story *story;
    struct strbuf old_value;
    struct strbuf new_value;
    bool has_before;
};

void change_story_clear(struct change_story *story)
{
    strbuf_clear(&story->before);
    strbuf_clear(&story->after);
}

/* Tells a value if it differs; without a before, always. */
static void tell(struct telling *telling, const char *name, const char *before,
                 const char *after)
{
    before = before != NULL ? before : "";
    after = after != NULL ? after : "";
    if (telling->has_before && strcmp(before, after) == 0)
        return;
    if (telling->has_before)
        store_event_member(&telling->story->before, name, before);
    store_event_member(&telling->story->after, name, after);
}

static void tell_setting(struct telling *telling, const struct change *change,
                         enum account_setting setting)
{
    strbuf_truncate(&telling->old_value, 0);
    strbuf_truncate(&telling->new_value, 0);
    if (telling->has_before)
        account_append_setting(&telling->old_value, &change->now, setting);
    account_append_setting(&telling->new_value, &change->next, setting);
    tell(telling, account_setting_name(setting),
         strbuf_text(&telling->old_value), strbuf_text(&telling->new_value));
}

/* Aliases as they are, and as they become. */
static void tell_aliases(struct telling *telling, const struct change *change)
{
    strbuf_truncate(&telling->old_value, 0);
    strbuf_truncate(&telling->new_value, 0);
    for (size_t i = 0; i < change->dropped_count; i++)
        strbuf_appendf(&telling->old_value, "%s%s", i > 0 ? "," : "",
                       change->dropped[i]);
    for (size_t i = 0; i < change->added_count; i++)
        strbuf_appendf(&telling->new_value, "%s%s", i > 0 ? "," : "",
                       change->added[i]);
    if (change->dropped_count > 0)
        tell(telling, "aliases_removed", "", strbuf_text(&telling->old_value));
    if (change->added_count > 0)
        tell(telling, "aliases_added", "", strbuf_text(&telling->new_value));
}

/* Which settings an administrator has fixed, where that changes. */
static void tell_pins(struct telling *telling, const struct change *change)
{
    if (change->now.pinned == change->next.pinned)
        return;
    strbuf_truncate(&telling->old_value, 0);
    strbuf_truncate(&telling->new_value, 0);
    account_append_pins(&telling->old_value, change->now.pinned);
    account_append_pins(&telling->new_value, change->next.pinned);
    tell(telling, "pinned", strbuf_text(&telling->old_value),
         strbuf_text(&telling->new_value));
}

static void tell_all(struct telling *telling, const struct change *change)
{
    const struct account *now = &change->now;
    const struct account *next = &change->next;

    tell(telling, "address", now->address, next->address);
    tell(telling, "directory_id", now->directory_id, next->directory_id);
    tell(telling, "directory_state",
         account_directory_state_name(now->directory_state),
         account_directory_state_name(next->directory_state));
    tell(telling, "template", now->template_name, next->template_name);
    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        if (i != ACCOUNT_SET_ALIASES)
            tell_setting(telling, change, (enum account_setting)i);
    }
    tell_aliases(telling, change);
    tell_pins(telling, change);
    strbuf_append_char(&telling->story->before, '}');
    strbuf_append_char(&telling->story->after, '}');
}

enum status change_tell(const struct change *change, struct change_story *story,
                        struct store_event *event_r, struct errtext *err)
{
    struct telling telling = {
        .story = story,
        .old_value = STRBUF_INIT(JSON_BYTES_MAX),
        .new_value = STRBUF_INIT(JSON_BYTES_MAX),
        .has_before = change->now.address != NULL,
    };
    const struct plan *plan = change->plan;
    const char *warning =
        plan->warning.text[0] != '\0' ? plan->warning.text : plan->reason.text;

    story->before = (struct strbuf)STRBUF_INIT(JSON_BYTES_MAX);
    story->after = (struct strbuf)STRBUF_INIT(JSON_BYTES_MAX);
    strbuf_append_char(&story->before, '{');
    strbuf_append_char(&story->after, '{');
    tell_all(&telling, change);
    strbuf_clear(&telling.old_value);
    strbuf_clear(&telling.new_value);
    *event_r = (struct store_event){
        .kind = plan_kind_name(plan->kind),
        .who = change->author->who,
        .run = change->author->run,
        .address = change->next.address,
        .domain = change->next.domain,
        .directory = change->next.directory,
        .reason = warning[0] != '\0' ? warning : NULL,
        .before = telling.has_before ? strbuf_text(&story->before) : NULL,
        .after = strbuf_text(&story->after),
    };
    return story->before.failed || story->after.failed ? status_no_memory(err)
                                                       : STATUS_OK;
}

enum status change_event(struct store_connection *db,
                         const struct change *change, struct errtext *err)
{
    struct change_story story = {.before = STRBUF_INIT(0)};
    struct store_event event;
    enum status status = change_tell(change, &story, &event, err);

    if (status == STATUS_OK)
        status = store_event_insert(db, &event, err);
    change_story_clear(&story);
    return status;
}
