/* import_walk - see import_walk.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "import_walk.h"

#include "address.h"
#include "strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES_MAX 1024
#define NAME_BYTES_MAX 255

/* One part of the format: "before%dafter"; sign 0: no variable. */
struct part {
    char before[NAME_BYTES_MAX + 1];
    char after[NAME_BYTES_MAX + 1];
    char sign; /* 'd', 'n', 'u' or 0 */
};

struct walk {
    const struct import_walk_visitor *visitor;
    struct part parts[IMPORT_WALK_PARTS_MAX];
    size_t count;
    const char *values[256]; /* by sign; of the directory we are in */
    struct strbuf path;
    struct errtext *err;
};

static enum status bad_format(struct errtext *err)
{
    errtext_set(err, "mail_path_format cannot be read backwards: a part of it "
                     "has two variables");
    return STATUS_INVALID;
}

/* Appends a byte to a part's text. */
static bool add_byte(char *text, char byte)
{
    size_t len = strlen(text);

    if (len == NAME_BYTES_MAX)
        return false;
    text[len] = byte;
    text[len + 1] = '\0';
    return true;
}

/* Takes the part that begins at format; returns its end, or NULL. */
static const char *take_part(const char *format, struct part *part)
{
    for (; *format != '\0' && *format != '/'; format++) {
        char *text = part->sign != 0 ? part->after : part->before;

        if (*format == '%' && format[1] != '%') {
            if (part->sign != 0)
                return NULL;
            part->sign = *++format;
            continue;
        }
        format += *format == '%';
        if (!add_byte(text, *format))
            return NULL;
    }
    return format;
}

static enum status read_format(struct walk *walk, const char *format)
{
    while (format != NULL && *format != '\0') {
        if (walk->count == IMPORT_WALK_PARTS_MAX)
            return bad_format(walk->err);
        /* "%n@%d" is "%u". */
        if (strncmp(format, "%n@%d/", 6) == 0) {
            walk->parts[walk->count].sign = 'u';
            format += 5;
        } else {
            format = take_part(format, &walk->parts[walk->count]);
        }
        if (format != NULL && *format == '/')
            format++;
        walk->count++;
    }
    return format != NULL ? STATUS_OK : bad_format(walk->err);
}

/* The variable's value in a name, or NULL if the name has another shape. */
static char *match(const struct part *part, const char *name)
{
    size_t before = strlen(part->before);
    size_t after = strlen(part->after);
    size_t len = strlen(name);

    if (len < before + after || (part->sign == 0 && len != before + after) ||
        (part->sign != 0 && len == before + after) ||
        memcmp(name, part->before, before) != 0 ||
        memcmp(name + len - after, part->after, after) != 0)
        return NULL;
    return strndup(name + before, len - before - after);
}

static void left(struct walk *walk, const char *reason)
{
    walk->visitor->left(strbuf_text(&walk->path), reason, walk->visitor->arg);
}

static bool is_directory(int fd, const char *name)
{
    struct stat st;

    return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(st.st_mode);
}

/* Makes the address of the values, and lets the path be seen. */
static enum status reach(struct walk *walk, int fd)
{
    struct strbuf address = STRBUF_INIT(4 * ADDRESS_BYTES_MAX);
    struct errtext reason = {{0}};
    char *canonical = NULL;
    enum status status;

    if (!is_directory(fd, "cur") || !is_directory(fd, "new")) {
        left(walk, "it is no maildir: it has no cur and new");
        return STATUS_OK;
    }
    if (walk->values['u'] != NULL)
        strbuf_append(&address, walk->values['u']);
    else
        strbuf_appendf(&address, "%s@%s",
                       walk->values['n'] != NULL ? walk->values['n'] : "",
                       walk->values['d'] != NULL ? walk->values['d'] : "");
    status = address_canonical(strbuf_text(&address), &canonical, &reason);
    if (status == STATUS_INVALID) {
        left(walk, reason.text);
        status = STATUS_OK;
    } else if (status == STATUS_OK) {
        status = walk->visitor->visit(canonical, strbuf_text(&walk->path),
                                      walk->visitor->arg, walk->err);
    }
    free(canonical);
    strbuf_clear(&address);
    return status;
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left_name = a;
    const char *const *right_name = b;

    return strcmp(*left_name, *right_name);
}

struct names {
    char **items;
    size_t count;
    size_t room;
};

static void clear_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
}

static enum status add_name(struct names *names, const char *name,
                            struct errtext *err)
{
    if (names->count == IMPORT_WALK_ENTRIES_MAX) {
        errtext_set(err, "a directory has over %d entries",
                    IMPORT_WALK_ENTRIES_MAX);
        return STATUS_INVALID;
    }
    if (names->count == names->room) {
        size_t room = names->room > 0 ? 2 * names->room : 64;
        char **items = realloc(names->items, room * sizeof(*items));

        if (items == NULL)
            return status_no_memory(err);
        names->items = items;
        names->room = room;
    }
    names->items[names->count] = strdup(name);
    if (names->items[names->count] == NULL)
        return status_no_memory(err);
    names->count++;
    return STATUS_OK;
}

/* Reads the names of a directory, sorted. fd stays open. */
static enum status read_names(int fd, struct names *names, struct errtext *err)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    enum status status = STATUS_OK;
    struct dirent *entry;

    if (dir == NULL) {
        errtext_set(err, "a directory cannot be read: %s",
                    strerrordesc_np(errno));
        if (copy >= 0)
            (void)close(copy);
        return STATUS_TEMPFAIL;
    }
    errno = 0;
    while (status == STATUS_OK && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = add_name(names, entry->d_name, err);
    }
    if (status == STATUS_OK && errno != 0) {
        errtext_set(err, "a directory cannot be read: %s",
                    strerrordesc_np(errno));
        status = STATUS_TEMPFAIL;
    }
    (void)closedir(dir);
    if (names->count > 0)
        qsort(names->items, names->count, sizeof(*names->items), compare_names);
    return status;
}

/* Opens an entry that is a true directory, or says why not; -1 then. */
static int open_entry(struct walk *walk, int fd, const char *name)
{
    struct stat st;
    int entry;

    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        left(walk, "it cannot be looked at");
        return -1;
    }
    if (S_ISLNK(st.st_mode)) {
        left(walk, "a symbolic link is not followed");
        return -1;
    }
    if (!S_ISDIR(st.st_mode))
        return -1;
    entry = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (entry < 0)
        left(walk, "it cannot be opened");
    return entry;
}

/* A stack of the directories we are in; no recursion into what is deep. */
struct level {
    int fd;
    struct names names;
    size_t next;
    size_t path_len;
    char *value; /* of the part's variable */
};

static void leave(struct walk *walk, struct level *level, size_t depth)
{
    if (depth > 0 && walk->parts[depth - 1].sign != 0)
        walk->values[(unsigned char)walk->parts[depth - 1].sign] = NULL;
    clear_names(&level->names);
    free(level->value);
    if (level->fd >= 0)
        (void)close(level->fd);
    *level = (struct level){.fd = -1};
}

/* Goes into the entry of that name: *down tells whether it was done. */
static enum status enter(struct walk *walk, struct level *levels, size_t depth,
                         const char *name, bool *down)
{
    const struct part *part = &walk->parts[depth];
    char *value = match(part, name);
    struct level *below = &levels[depth + 1];
    int fd;

    *down = false;
    if (value == NULL)
        return STATUS_OK;
    strbuf_truncate(&walk->path, levels[depth].path_len);
    strbuf_appendf(&walk->path, "%s/", name);
    if (walk->path.failed) {
        free(value);
        errtext_set(walk->err, "a path is longer than %d bytes",
                    PATH_BYTES_MAX);
        return STATUS_INVALID;
    }
    fd = open_entry(walk, levels[depth].fd, name);
    if (fd < 0) {
        free(value);
        return STATUS_OK;
    }
    *below =
        (struct level){.fd = fd, .path_len = walk->path.len, .value = value};
    if (part->sign != 0)
        walk->values[(unsigned char)part->sign] = value;
    *down = true;
    return depth + 1 == walk->count ? reach(walk, fd)
                                    : read_names(fd, &below->names, walk->err);
}

static enum status walk_all(struct walk *walk, struct level *levels)
{
    enum status status = read_names(levels[0].fd, &levels[0].names, walk->err);
    size_t depth = 0;

    while (status == STATUS_OK) {
        struct level *level = &levels[depth];
        bool down = false;

        if (level->next == level->names.count) {
            if (depth == 0)
                break;
            leave(walk, level, depth);
            depth--;
            continue;
        }
        status = enter(walk, levels, depth, level->names.items[level->next++],
                       &down);
        if (down)
            depth++;
    }
    for (size_t i = depth + 1; i-- > 1;)
        leave(walk, &levels[i], i);
    return status;
}

enum status import_walk(const char *base, const char *format,
                        const struct import_walk_visitor *visitor,
                        struct errtext *err)
{
    struct level levels[IMPORT_WALK_PARTS_MAX + 1] = {{.fd = -1}};
    struct walk *walk = calloc(1, sizeof(*walk));
    enum status status;

    if (walk == NULL)
        return status_no_memory(err);
    walk->visitor = visitor;
    walk->path = (struct strbuf)STRBUF_INIT(PATH_BYTES_MAX);
    walk->err = err;
    status = read_format(walk, format);
    if (status == STATUS_OK) {
        levels[0].fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (levels[0].fd < 0) {
            errtext_set(err, "%.150s: %s", base, strerrordesc_np(errno));
            status = STATUS_NOT_FOUND;
        }
    }
    if (status == STATUS_OK)
        status = walk_all(walk, levels);
    leave(walk, &levels[0], 0);
    strbuf_clear(&walk->path);
    free(walk);
    return status;
}
