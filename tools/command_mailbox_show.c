/* command_mailbox_show - provostctl mailbox show */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "mailbox.h"
#include "pins.h"
#include "store_history.h"
#include "store_list.h"
#include "strbuf.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#define TEXT_BYTES_MAX ((size_t)1 << 20)

/* One mailbox while it is shown: a row an item. */
struct showing {
    struct tool *tool;
    const struct account *account;
    const struct directory_settings *dir;     /* NULL: none */
    const struct template_settings *template; /* NULL: none by that name */
    struct store_mailbox_facts facts;
    struct pin pins[ACCOUNT_SETTING_COUNT];
    struct output *out;
    struct strbuf value;
    struct strbuf from;
};

static void row(struct showing *showing, const char *item, const char *value,
                const char *from)
{
    output_text(showing->out, item);
    output_text(showing->out, value);
    output_text(showing->out, from);
    output_row(showing->out);
}

/* A size for people, or in bytes for programs. */
static void append_size(const struct showing *showing, struct strbuf *buf,
                        uint64_t bytes, bool is_limit)
{
    if (showing->tool->format != OUTPUT_TABLE || (bytes == 0 && !is_limit))
        strbuf_appendf(buf, "%" PRIu64, bytes);
    else
        quantity_append_size(buf, bytes);
}

static void append_value(struct showing *showing, enum account_setting setting)
{
    struct strbuf *value = &showing->value;

    strbuf_truncate(value, 0);
    if (setting == ACCOUNT_SET_QUOTA)
        append_size(showing, value, showing->account->set.quota_bytes, true);
    else if (setting == ACCOUNT_SET_MESSAGE_SIZE)
        append_size(showing, value, showing->account->set.message_size_bytes,
                    true);
    else
        account_append_setting(value, showing->account, setting);
}

/* True if the template, as it is in the settings now, gives this value. */
static bool template_gives(const struct showing *showing,
                           enum account_setting setting)
{
    struct account other = {0};
    struct strbuf ours = STRBUF_INIT(TEXT_BYTES_MAX);
    struct strbuf theirs = STRBUF_INIT(TEXT_BYTES_MAX);
    bool same;

    if (showing->template == NULL)
        return false;
    other.set = showing->template->set; /* borrowed */
    account_append_setting(&ours, showing->account, setting);
    account_append_setting(&theirs, &other, setting);
    same = strcmp(strbuf_text(&ours), strbuf_text(&theirs)) == 0;
    strbuf_clear(&ours);
    strbuf_clear(&theirs);
    return same;
}

/* The attribute that may give a setting; NULL or "": none. */
static const char *attribute_of(const struct showing *showing,
                                enum account_setting setting)
{
    if (showing->dir == NULL)
        return NULL;
    if (setting == ACCOUNT_SET_NAME)
        return showing->dir->name_field;
    if (setting == ACCOUNT_SET_ALIASES)
        return showing->dir->alias_field;
    if (setting == ACCOUNT_SET_QUOTA && !template_gives(showing, setting))
        return showing->dir->quota_field;
    return NULL;
}

static void append_pin(struct showing *showing, enum account_setting setting)
{
    const struct pin *pin = &showing->pins[setting];

    if (pin->who[0] != '\0')
        strbuf_appendf(&showing->from, "pinned by %s at %s", pin->who, pin->at);
    else
        strbuf_append(&showing->from, "pinned; no event tells by whom");
}

/* Says where the value of a setting comes from. */
static void append_from(struct showing *showing, enum account_setting setting)
{
    const struct account *account = showing->account;
    const char *attribute = attribute_of(showing, setting);
    bool has_template =
        setting != ACCOUNT_SET_NAME && setting != ACCOUNT_SET_ALIASES;

    strbuf_truncate(&showing->from, 0);
    if ((account->pinned & ACCOUNT_SET_BIT(setting)) != 0)
        append_pin(showing, setting);
    else if (attribute != NULL && attribute[0] != '\0')
        strbuf_appendf(&showing->from, "directory %s, %s", showing->dir->name,
                       attribute);
    else if (has_template && account->template_name != NULL)
        strbuf_appendf(&showing->from, "template %s%s", account->template_name,
                       template_gives(showing, setting)
                           ? ""
                           : ", which has another value by now");
}

static void show_settings(struct showing *showing)
{
    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        enum account_setting setting = (enum account_setting)i;

        append_value(showing, setting);
        append_from(showing, setting);
        row(showing, account_setting_name(setting),
            strbuf_text(&showing->value), strbuf_text(&showing->from));
    }
}

static void show_identity(struct showing *showing)
{
    const struct account *account = showing->account;

    row(showing, "address", account->address, NULL);
    row(showing, "source", account_source_name(account->source), NULL);
    row(showing, "directory", account->directory, NULL);
    row(showing, "directory_id", account->directory_id,
        account->source == ACCOUNT_LDAP && account->directory_id == NULL
            ? "the next login adopts it"
            : NULL);
    row(showing, "password", account->password != NULL ? "yes" : "no",
        account->source == ACCOUNT_LDAP && account->password != NULL
            ? "not used while the source is ldap"
            : NULL);
    row(showing, "template", account->template_name,
        account->template_name != NULL && showing->template == NULL
            ? "it is not in the settings any more"
            : NULL);
    row(showing, "mail_path", account->mail_path, NULL);
    row(showing, "created", showing->facts.created, NULL);
    row(showing, "modified", showing->facts.modified, NULL);
}

static bool note_block(const struct store_event_row *event, void *arg)
{
    struct strbuf *from = arg;

    strbuf_appendf(from, "by %s at %s", event->who, event->at);
    return false;
}

/* Who blocked it, from the newest event about that. */
static enum status find_block(struct showing *showing, struct errtext *err)
{
    struct store_event_visitor visitor = {note_block, &showing->from};
    struct store_event_query query = {
        .address = showing->account->address,
        .kind = "block",
        .newest_first = true,
        .max = 1,
    };

    strbuf_truncate(&showing->from, 0);
    if (showing->account->admin_state == ACCOUNT_UNBLOCKED)
        return STATUS_OK;
    return store_event_list(showing->tool->store, &query, &visitor,
                            tool_deadline(showing->tool), err);
}

static const char *access_sentence(enum account_access access)
{
    switch (access) {
    case ACCOUNT_OPEN:
        return "logins and mail";
    case ACCOUNT_LOGIN_CLOSED:
        return "mail, no logins";
    case ACCOUNT_OFF:
        return "no logins, no mail";
    }
    return "unknown";
}

static void show_states(struct showing *showing)
{
    const struct account *account = showing->account;

    row(showing, "open_to", access_sentence(account_access(account)), NULL);
    row(showing, "directory_state",
        account_directory_state_name(account->directory_state), NULL);
    row(showing, "admin_state", account_admin_state_name(account->admin_state),
        strbuf_text(&showing->from));
}

static void show_usage(struct showing *showing)
{
    strbuf_truncate(&showing->value, 0);
    append_size(showing, &showing->value, showing->facts.used_bytes, false);
    row(showing, "used", strbuf_text(&showing->value), NULL);
    strbuf_truncate(&showing->value, 0);
    strbuf_appendf(&showing->value, "%" PRIu64, showing->facts.used_messages);
    row(showing, "messages", strbuf_text(&showing->value), NULL);
    strbuf_truncate(&showing->value, 0);
    strbuf_appendf(&showing->value, "%" PRIu64, showing->facts.app_passwords);
    row(showing, "app_passwords", strbuf_text(&showing->value), NULL);
}

static void show_alias(const struct store_mailbox_part *part, void *arg)
{
    struct showing *showing = arg;

    strbuf_truncate(&showing->from, 0);
    strbuf_append(&showing->from, part->kind);
    if (part->at != NULL)
        strbuf_appendf(&showing->from, ", until %s", part->at);
    row(showing, "alias", part->name, strbuf_text(&showing->from));
}

static void show_login(const struct store_mailbox_part *part, void *arg)
{
    struct showing *showing = arg;

    strbuf_truncate(&showing->value, 0);
    strbuf_appendf(&showing->value, "%s at %s", part->name, part->at);
    strbuf_truncate(&showing->from, 0);
    strbuf_append(&showing->from, part->client);
    if (part->app_password != 0)
        strbuf_appendf(&showing->from, "%sapp password %" PRIu64,
                       part->client[0] != '\0' ? ", " : "", part->app_password);
    row(showing, "last_login", strbuf_text(&showing->value),
        strbuf_text(&showing->from));
}

/* Reads what is beside the mailbox's row before anything is printed. */
static enum status look(struct showing *showing, struct account *account,
                        struct errtext *err)
{
    struct tool *tool = showing->tool;
    enum status status =
        store_mailbox_facts(tool->store, account->address, tool_deadline(tool),
                            &showing->facts, err);

    if (status == STATUS_OK)
        status =
            store_load_aliases(tool->store, account, tool_deadline(tool), err);
    if (status == STATUS_OK)
        status = pins_find(tool, account, showing->pins, err);
    if (status == STATUS_OK)
        status = find_block(showing, err);
    return status;
}

static enum status show_all(struct showing *showing, struct errtext *err)
{
    struct store_part_visitor aliases = {show_alias, showing};
    struct store_part_visitor logins = {show_login, showing};
    struct tool *tool = showing->tool;
    const char *address = showing->account->address;
    enum status status;

    show_identity(showing);
    show_states(showing);
    show_settings(showing);
    show_usage(showing);
    status = store_mailbox_aliases(tool->store, address, &aliases,
                                   tool_deadline(tool), err);
    if (status == STATUS_OK)
        status = store_mailbox_leading(tool->store, address, &aliases,
                                       tool_deadline(tool), err);
    if (status == STATUS_OK)
        status = store_mailbox_logins(tool->store, address, &logins,
                                      tool_deadline(tool), err);
    return status;
}

static int show(struct showing *showing, struct account *account)
{
    static const struct output_column columns[] = {
        {"item", "ITEM", OUTPUT_TEXT},
        {"value", "VALUE", OUTPUT_TEXT},
        {"from", "FROM", OUTPUT_TEXT},
    };
    struct tool *tool = showing->tool;
    struct errtext err = {{0}};
    enum status status = look(showing, account, &err);
    int code = EX_OK;

    if (status != STATUS_OK)
        return tool_failed(status, &err);
    showing->out = output_begin(stdout, tool->format, tool->headers, columns,
                                ARRAY_SIZE(columns));
    if (showing->out == NULL) {
        tool_error("out of memory");
        return EX_TEMPFAIL;
    }
    status = show_all(showing, &err);
    if (!output_end(&showing->out)) {
        tool_error("the listing could not be written");
        code = EX_IOERR;
    }
    return status == STATUS_OK ? code : tool_failed(status, &err);
}

int mailbox_show(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    struct showing showing = {
        .tool = tool,
        .value = STRBUF_INIT(TEXT_BYTES_MAX),
        .from = STRBUF_INIT(TEXT_BYTES_MAX),
    };
    struct store_found found = {{0}, {0}};
    int code;

    if (!tool_arguments(arguments, none, 1, 1))
        return EX_USAGE;
    code = mailbox_read(tool, arguments->words[0], &found);
    if (code != EX_OK)
        return code;
    showing.account = &found.account;
    if (found.account.source == ACCOUNT_LDAP && found.account.directory != NULL)
        showing.dir =
            settings_directory(tool->settings, found.account.directory);
    if (found.account.template_name != NULL)
        showing.template =
            settings_template(tool->settings, found.account.template_name);
    code = show(&showing, &found.account);
    strbuf_clear(&showing.value);
    strbuf_clear(&showing.from);
    store_found_clear(&found);
    return code;
}
