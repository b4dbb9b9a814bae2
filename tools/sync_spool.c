/* sync_spool - see sync_spool.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync_spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than any entry's values together may be. */
#define TEXT_BYTES_MAX ((uint32_t)DIRECTORY_VALUE_BYTES_MAX * 4)
#define NO_TEXT UINT32_MAX

struct sync_spool {
    FILE *file;
    uint64_t end; /* where the next entry goes */
    uint64_t at;  /* where the file stands */
    bool writing;
};

enum status sync_spool_new(struct sync_spool **spool_r, struct errtext *err)
{
    struct sync_spool *spool = calloc(1, sizeof(*spool));

    if (spool == NULL)
        return status_no_memory(err);
    spool->file = tmpfile();
    if (spool->file == NULL) {
        errtext_set(err, "no temporary file: %s", strerrordesc_np(errno));
        free(spool);
        return STATUS_TEMPFAIL;
    }
    spool->writing = true;
    *spool_r = spool;
    return STATUS_OK;
}

void sync_spool_free(struct sync_spool **spool)
{
    if (*spool == NULL)
        return;
    (void)fclose((*spool)->file);
    free(*spool);
    *spool = NULL;
}

static bool put_number(struct sync_spool *spool, uint32_t number)
{
    spool->at += sizeof(number);
    return fwrite(&number, sizeof(number), 1, spool->file) == 1;
}

static bool put_text(struct sync_spool *spool, const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;

    if (text == NULL)
        return put_number(spool, NO_TEXT);
    if (!put_number(spool, (uint32_t)len))
        return false;
    spool->at += len;
    return len == 0 || fwrite(text, len, 1, spool->file) == 1;
}

static bool put_list(struct sync_spool *spool, const struct text_list *list)
{
    if (!put_number(spool, (uint32_t)list->count))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if (!put_text(spool, list->items[i]))
            return false;
    }
    return true;
}

/* Stands at a place, ready to read or write. */
static bool stand(struct sync_spool *spool, uint64_t at, bool writing)
{
    if (spool->at == at && spool->writing == writing)
        return true;
    spool->at = at;
    spool->writing = writing;
    return fseeko(spool->file, (off_t)at, SEEK_SET) == 0;
}

enum status sync_spool_put(struct sync_spool *spool,
                           const struct directory_entry *entry, uint64_t *at_r,
                           struct errtext *err)
{
    *at_r = spool->end;
    if (!stand(spool, spool->end, true) || !put_text(spool, entry->dn) ||
        !put_text(spool, entry->id) || !put_text(spool, entry->name) ||
        !put_text(spool, entry->quota) ||
        !put_number(spool, entry->disabled ? 1 : 0) ||
        !put_list(spool, &entry->usernames) ||
        !put_list(spool, &entry->values) || !put_list(spool, &entry->aliases)) {
        errtext_set(err, "the temporary file cannot be written: %s",
                    strerrordesc_np(errno));
        return STATUS_TEMPFAIL;
    }
    spool->end = spool->at;
    return STATUS_OK;
}

static bool get_number(struct sync_spool *spool, uint32_t *number)
{
    spool->at += sizeof(*number);
    return fread(number, sizeof(*number), 1, spool->file) == 1;
}

static bool get_text(struct sync_spool *spool, char **text_r)
{
    uint32_t len = 0;
    char *text;

    if (!get_number(spool, &len))
        return false;
    if (len == NO_TEXT)
        return true;
    text = len <= TEXT_BYTES_MAX ? malloc((size_t)len + 1) : NULL;
    if (text == NULL)
        return false;
    spool->at += len;
    if (len > 0 && fread(text, len, 1, spool->file) != 1) {
        free(text);
        return false;
    }
    text[len] = '\0';
    *text_r = text;
    return true;
}

static bool get_list(struct sync_spool *spool, struct text_list *list)
{
    uint32_t count = 0;

    if (!get_number(spool, &count) || count > DIRECTORY_VALUES_MAX)
        return false;
    if (count == 0)
        return true;
    list->items = calloc(count, sizeof(*list->items));
    if (list->items == NULL)
        return false;
    for (; list->count < count; list->count++) {
        if (!get_text(spool, &list->items[list->count]))
            return false;
    }
    return true;
}

enum status sync_spool_get(struct sync_spool *spool, uint64_t at,
                           struct directory_entry *entry_r, struct errtext *err)
{
    struct directory_entry entry = {.dn = NULL};
    uint32_t disabled = 0;

    if (stand(spool, at, false) && get_text(spool, &entry.dn) &&
        get_text(spool, &entry.id) && get_text(spool, &entry.name) &&
        get_text(spool, &entry.quota) && get_number(spool, &disabled) &&
        get_list(spool, &entry.usernames) && get_list(spool, &entry.values) &&
        get_list(spool, &entry.aliases)) {
        entry.disabled = disabled != 0;
        *entry_r = entry;
        return STATUS_OK;
    }
    directory_entry_clear(&entry);
    errtext_set(err, "the temporary file cannot be read");
    return STATUS_TEMPFAIL;
}
