/* directory_entry - see directory_entry.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_entry.h"

#include "strbuf.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistr.h>

#define GUID_BYTES 16

/* id_field "auto" takes the first of these that the entry has. */
static char auto_ids[][12] = {"entryUUID", "objectGUID", "nsUniqueId",
                              "ipaUniqueID"};

/* Attributes whose value is a GUID in Microsoft's byte order, not a text. */
static const char *const binary_ids[] = {"objectGUID", "mS-DS-ConsistencyGuid"};

static void list_clear(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    list->items = NULL;
    list->count = 0;
}

void directory_entry_clear(struct directory_entry *entry)
{
    free(entry->dn);
    free(entry->id);
    list_clear(&entry->usernames);
    list_clear(&entry->values);
    list_clear(&entry->aliases);
    free(entry->name);
    free(entry->quota);
    memset(entry, 0, sizeof(*entry));
}

static bool list_copy(const struct text_list *from, struct text_list *to)
{
    if (from->count == 0)
        return true;
    to->items = calloc(from->count, sizeof(*to->items));
    if (to->items == NULL)
        return false;
    for (; to->count < from->count; to->count++) {
        to->items[to->count] = strdup(from->items[to->count]);
        if (to->items[to->count] == NULL)
            return false;
    }
    return true;
}

static bool text_copy(const char *from, char **to)
{
    if (from == NULL)
        return true;
    *to = strdup(from);
    return *to != NULL;
}

enum status directory_entry_copy(const struct directory_entry *from,
                                 struct directory_entry *to_r,
                                 struct errtext *err)
{
    struct directory_entry to = {.disabled = from->disabled};

    if (text_copy(from->dn, &to.dn) && text_copy(from->id, &to.id) &&
        list_copy(&from->usernames, &to.usernames) &&
        list_copy(&from->values, &to.values) &&
        list_copy(&from->aliases, &to.aliases) &&
        text_copy(from->name, &to.name) && text_copy(from->quota, &to.quota)) {
        *to_r = to;
        return STATUS_OK;
    }
    directory_entry_clear(&to);
    return status_no_memory(err);
}

static bool is_auto(const struct directory_settings *set)
{
    return strcasecmp(set->id_field, "auto") == 0;
}

static void ask_for(struct directory_attributes *out, size_t *count, char *name)
{
    if (name == NULL || name[0] == '\0' || *count == DIRECTORY_ATTRIBUTES_MAX)
        return;
    for (size_t i = 0; i < *count; i++) {
        if (strcasecmp(out->names[i], name) == 0)
            return;
    }
    out->names[(*count)++] = name;
    out->names[*count] = NULL;
}

void directory_entry_attributes(const struct directory_settings *set,
                                struct directory_attributes *out)
{
    size_t count = 0;

    out->names[0] = NULL;
    ask_for(out, &count, set->username_field);
    ask_for(out, &count, set->attribute_field);
    ask_for(out, &count, set->name_field);
    ask_for(out, &count, set->alias_field);
    ask_for(out, &count, set->quota_field);
    if (!is_auto(set)) {
        ask_for(out, &count, set->id_field);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(auto_ids); i++)
        ask_for(out, &count, auto_ids[i]);
}

/* An entry while it is read. */
struct reading {
    const struct directory_settings *set;
    struct directory_entry entry;
    struct directory_rest rest;
    size_t id_rank; /* of the id found so far; lower is better */
    struct errtext *err;
};

static enum status refuse(const struct reading *in, const char *attribute,
                          const char *what)
{
    errtext_set(in->err, "attribute %.64s of %.100s: %s", attribute,
                in->entry.dn, what);
    return STATUS_INVALID;
}

/* True if the attribute as sent is the one the settings name. */
static bool is_field(const struct berval *sent, const char *field)
{
    return field != NULL && field[0] != '\0' && strlen(field) == sent->bv_len &&
           strncasecmp(sent->bv_val, field, sent->bv_len) == 0;
}

/* Returns what makes a value unusable, or NULL. */
static const char *fault_of(const struct berval *value)
{
    if (value->bv_len > DIRECTORY_VALUE_BYTES_MAX)
        return "a value is too long";
    if (memchr(value->bv_val, '\0', value->bv_len) != NULL)
        return "a value holds a NUL byte";
    if (u8_check((const uint8_t *)value->bv_val, value->bv_len) != NULL)
        return "a value is not UTF-8";
    return NULL;
}

static enum status take_list(const struct reading *in, const char *attribute,
                             const struct berval *values, size_t count,
                             struct text_list *out)
{
    list_clear(out);
    if (count == 0)
        return STATUS_OK;
    out->items = calloc(count, sizeof(*out->items));
    if (out->items == NULL)
        return status_no_memory(in->err);
    for (; out->count < count; out->count++) {
        const char *fault = fault_of(&values[out->count]);

        if (fault != NULL)
            return refuse(in, attribute, fault);
        out->items[out->count] =
            strndup(values[out->count].bv_val, values[out->count].bv_len);
        if (out->items[out->count] == NULL)
            return status_no_memory(in->err);
    }
    return STATUS_OK;
}

/* Takes the first value, if there is one. */
static enum status take_text(const struct reading *in, const char *attribute,
                             const struct berval *values, size_t count,
                             char **out)
{
    struct text_list list = {.items = NULL};
    enum status status =
        take_list(in, attribute, values, count > 0 ? 1 : 0, &list);

    if (status == STATUS_OK && list.count > 0) {
        free(*out);
        *out = list.items[0];
        list.items[0] = NULL;
    }
    list_clear(&list);
    return status;
}

/* The usual text of a GUID: its first three groups are little-endian. */
static enum status take_guid(const struct reading *in, const char *attribute,
                             const struct berval *value, char **out)
{
    static const unsigned char order[GUID_BYTES] = {
        3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    struct strbuf text = STRBUF_INIT(36);

    if (value->bv_len != GUID_BYTES)
        return refuse(in, attribute, "not a GUID of 16 bytes");
    for (size_t i = 0; i < GUID_BYTES; i++) {
        unsigned char byte = (unsigned char)value->bv_val[order[i]];

        strbuf_appendf(&text, "%s%02x",
                       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", byte);
    }
    free(*out);
    *out = NULL;
    return strbuf_take(&text, out, in->err);
}

/* Returns how good an id the attribute is, 0 best; SIZE_MAX: it is none. */
static size_t id_rank(const struct directory_settings *set,
                      const struct berval *sent)
{
    if (!is_auto(set))
        return is_field(sent, set->id_field) ? 0 : SIZE_MAX;
    for (size_t i = 0; i < ARRAY_SIZE(auto_ids); i++) {
        if (is_field(sent, auto_ids[i]))
            return i;
    }
    return SIZE_MAX;
}

static bool is_binary_id(const struct berval *sent)
{
    for (size_t i = 0; i < ARRAY_SIZE(binary_ids); i++) {
        if (is_field(sent, binary_ids[i]))
            return true;
    }
    return false;
}

static enum status take_id(struct reading *in, const struct berval *sent,
                           const char *attribute, const struct berval *values,
                           size_t count)
{
    size_t rank = id_rank(in->set, sent);
    enum status status;

    if (rank >= in->id_rank || count == 0 || values[0].bv_len == 0)
        return STATUS_OK;
    if (count > 1)
        return refuse(in, attribute, "an id has one value, not several");
    if (is_binary_id(sent))
        status = take_guid(in, attribute, &values[0], &in->entry.id);
    else
        status = take_text(in, attribute, values, count, &in->entry.id);
    if (status == STATUS_OK)
        in->id_rank = rank;
    return status;
}

/*
 * Reads the option of "memberOf;range=0-1499", and takes it off the name.
 * *next_r is the number of the first value that was not sent, or 0: the last
 * one was ("memberOf;range=1500-*"). Returns false where there is no option.
 */
static bool take_range(struct berval *name, size_t *next_r)
{
    static const char option[] = ";range=";
    const char *range = memchr(name->bv_val, ';', name->bv_len);
    char *end = NULL;
    unsigned long last;

    if (range == NULL || strncasecmp(range, option, sizeof(option) - 1) != 0)
        return false;
    name->bv_len = (ber_len_t)(range - name->bv_val);
    *next_r = 0;
    (void)strtoul(range + sizeof(option) - 1, &end, 10);
    if (end[0] != '-' || end[1] == '*')
        return true;
    last = strtoul(end + 1, NULL, 10);
    /* One that is no number ends the list beyond what is bearable. */
    *next_r = last < DIRECTORY_VALUES_MAX ? last + 1 : DIRECTORY_VALUES_MAX + 1;
    return true;
}

/* One attribute may serve several settings. */
static enum status take_attribute(struct reading *in, const struct berval *sent,
                                  const struct berval *values, size_t count)
{
    const struct directory_settings *set = in->set;
    struct directory_entry *entry = &in->entry;
    struct berval base = *sent;
    const char *name = sent->bv_val;
    enum status status = STATUS_OK;
    size_t next = 0;
    bool part = take_range(&base, &next);
    const struct {
        const char *field;
        struct text_list *list;
        size_t *rest;
        char **text;
    } targets[] = {
        {set->username_field, &entry->usernames, &in->rest.usernames, NULL},
        {set->attribute_field, &entry->values, &in->rest.values, NULL},
        {set->alias_field, &entry->aliases, &in->rest.aliases, NULL},
        {set->name_field, NULL, NULL, &entry->name},
        {set->quota_field, NULL, NULL, &entry->quota},
    };

    if (count > DIRECTORY_VALUES_MAX || next > DIRECTORY_VALUES_MAX)
        return refuse(in, name, "too many values");
    /* Beside a part there is the attribute itself, without a value. */
    if (count == 0)
        return STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < ARRAY_SIZE(targets); i++) {
        if (!is_field(&base, targets[i].field))
            continue;
        if (targets[i].list != NULL) {
            status = take_list(in, name, values, count, targets[i].list);
            *targets[i].rest = next;
        } else {
            status = take_text(in, name, values, count, targets[i].text);
        }
    }
    return status == STATUS_OK && !part ? take_id(in, sent, name, values, count)
                                        : status;
}

static enum status undecodable(const struct reading *in)
{
    errtext_set(in->err, "an entry could not be decoded");
    return STATUS_TEMPFAIL;
}

static enum status take_dn(struct reading *in, const struct berval *dn)
{
    const char *fault = fault_of(dn);

    if (dn->bv_len == 0)
        fault = "empty";
    if (fault != NULL) {
        errtext_set(in->err, "an entry's DN cannot be used: %s", fault);
        return STATUS_INVALID;
    }
    in->entry.dn = strndup(dn->bv_val, dn->bv_len);
    in->entry.name = strdup("");
    if (in->entry.dn == NULL || in->entry.name == NULL)
        return status_no_memory(in->err);
    return STATUS_OK;
}

static enum status take_all(struct reading *in, LDAP *ld, LDAPMessage *message,
                            BerElement *ber)
{
    struct berval name = {.bv_val = NULL};
    struct berval *values = NULL;
    enum status status = STATUS_OK;
    int rc = ldap_get_attribute_ber(ld, message, ber, &name, &values);

    while (rc == LDAP_SUCCESS && name.bv_val != NULL) {
        size_t count = 0;

        while (values != NULL && values[count].bv_val != NULL)
            count++;
        status = take_attribute(in, &name, values, count);
        ldap_memfree(values);
        values = NULL;
        if (status != STATUS_OK)
            return status;
        rc = ldap_get_attribute_ber(ld, message, ber, &name, &values);
    }
    return rc == LDAP_SUCCESS ? STATUS_OK : undecodable(in);
}

/* Reads the ids alone; what else there is cannot be used. */
static void take_ids(struct reading *in, LDAP *ld, LDAPMessage *message,
                     BerElement *ber)
{
    struct berval name = {.bv_val = NULL};
    struct berval *values = NULL;

    while (ldap_get_attribute_ber(ld, message, ber, &name, &values) ==
               LDAP_SUCCESS &&
           name.bv_val != NULL) {
        size_t count = 0;
        enum status status;

        while (values != NULL && values[count].bv_val != NULL)
            count++;
        status = take_id(in, &name, name.bv_val, values, count);
        ldap_memfree(values);
        values = NULL;
        if (status != STATUS_OK)
            return;
    }
}

char *directory_entry_id(const struct directory_settings *set, LDAP *ld,
                         LDAPMessage *message)
{
    struct errtext ignored = {{0}};
    struct reading in = {.set = set, .id_rank = SIZE_MAX, .err = &ignored};
    struct berval dn = {.bv_val = NULL};
    BerElement *ber = NULL;
    char *id = NULL;

    if (ldap_get_dn_ber(ld, message, &ber, &dn) != LDAP_SUCCESS)
        return NULL;
    /* Sentences about a fault name it. */
    in.entry.dn = strndup(dn.bv_val, dn.bv_len);
    if (in.entry.dn != NULL)
        take_ids(&in, ld, message, ber);
    ber_free(ber, 0);
    id = in.entry.id;
    in.entry.id = NULL;
    directory_entry_clear(&in.entry);
    return id;
}

enum status directory_entry_read(const struct directory_settings *set, LDAP *ld,
                                 LDAPMessage *message,
                                 struct directory_entry *entry_r,
                                 struct directory_rest *rest_r,
                                 struct errtext *err)
{
    struct reading in = {.set = set, .id_rank = SIZE_MAX, .err = err};
    struct berval dn = {.bv_val = NULL};
    BerElement *ber = NULL;
    enum status status;

    if (ldap_get_dn_ber(ld, message, &ber, &dn) != LDAP_SUCCESS)
        return undecodable(&in);
    status = take_dn(&in, &dn);
    if (status == STATUS_OK)
        status = take_all(&in, ld, message, ber);
    ber_free(ber, 0);
    if (status == STATUS_OK) {
        *entry_r = in.entry;
        *rest_r = in.rest;
    } else {
        directory_entry_clear(&in.entry);
    }
    return status;
}
