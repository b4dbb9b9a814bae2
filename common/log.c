/* log - see log.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "log.h"

#include "clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

/* One character or escape sequence never needs more: "\xNN". */
#define UNIT_BYTES_MAX 4
#define LIMITS_MAX 64 /* different keys of log_line_limited */
#define KEY_BYTES_MAX 48

static const char cut_mark[] = "...";
#define CUT_MARK_BYTES (sizeof(cut_mark) - 1)

static const struct {
    int priority;
    const char *word; /* info is what most lines are, and needs none */
} levels[] = {
    [LOG_LEVEL_ERROR] = {LOG_ERR, "error: "},
    [LOG_LEVEL_WARNING] = {LOG_WARNING, "warning: "},
    [LOG_LEVEL_INFO] = {LOG_INFO, ""},
    [LOG_LEVEL_DEBUG] = {LOG_DEBUG, "debug: "},
};

/* What log_line_limited knows of one key. */
struct limit {
    char key[KEY_BYTES_MAX];
    int64_t written_ms;
    int64_t left_out;
};

struct log {
    enum log_target target;
    bool journal; /* stderr is read by systemd, which knows "<N>" */
    _Atomic int level;
    pthread_mutex_t lock; /* of what follows */
    size_t limit_count;
    struct limit limits[LIMITS_MAX];
};

/*
 * A text that is cut between two units, never inside one. A region (the value
 * being written) may have a nearer end than the line.
 */
struct line {
    size_t len;
    size_t end;  /* no byte may be written from here on */
    size_t safe; /* where to cut, so that cut_mark fits */
    bool cut;
    char text[LOG_LINE_BYTES_MAX + 1];
};

static void start_region(struct line *line, size_t end)
{
    line->end = end;
    line->safe = line->len;
    line->cut = false;
}

/* Goes on after a nearer end; safe is where the line could be cut before. */
static void leave_region(struct line *line, size_t end, size_t safe)
{
    line->end = end;
    line->safe = line->len + CUT_MARK_BYTES <= end ? line->len : safe;
    line->cut = false;
}

/* Appends a unit; past the end, the region ends with "..." instead. */
static void append_unit(struct line *line, const char *unit, size_t len)
{
    if (line->cut)
        return;
    if (line->len + len <= line->end) {
        memcpy(line->text + line->len, unit, len);
        line->len += len;
        if (line->len + CUT_MARK_BYTES <= line->end)
            line->safe = line->len;
        return;
    }
    line->cut = true;
    line->len = line->safe;
    if (line->len + CUT_MARK_BYTES <= line->end) {
        memcpy(line->text + line->len, cut_mark, CUT_MARK_BYTES);
        line->len += CUT_MARK_BYTES;
    }
}

static bool continues(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Returns the length of the valid UTF-8 character at text, or 0. */
static size_t character_len(const unsigned char *text)
{
    if (text[0] < 0x80)
        return 1;
    if (text[0] >= 0xC2 && text[0] <= 0xDF)
        return continues(text[1]) ? 2 : 0;
    if (!continues(text[1]) || !continues(text[2]))
        return 0;
    if ((text[0] == 0xE0 && text[1] < 0xA0) ||
        (text[0] == 0xED && text[1] > 0x9F))
        return 0; /* over-long, or half of a surrogate pair */
    if (text[0] >= 0xE0 && text[0] <= 0xEF)
        return 3;
    if (!continues(text[3]) || (text[0] == 0xF0 && text[1] < 0x90) ||
        (text[0] == 0xF4 && text[1] > 0x8F))
        return 0;
    return text[0] >= 0xF0 && text[0] <= 0xF4 ? 4 : 0;
}

/*
 * True if the character of len bytes may stand in a line as it is: it is no
 * control, and does not break or turn the line on a terminal (U+0080 to
 * U+009F, U+200E to U+200F, U+2028 to U+202E, U+2066 to U+2069).
 */
static bool printable(const unsigned char *text, size_t len)
{
    if (len == 1)
        return text[0] >= 0x20 && text[0] != 0x7F;
    if (len == 2)
        return text[0] != 0xC2 || text[1] >= 0xA0;
    if (len == 3 && text[0] == 0xE2 && text[1] == 0x80)
        return text[2] != 0x8E && text[2] != 0x8F &&
               (text[2] < 0xA8 || text[2] > 0xAE);
    if (len == 3 && text[0] == 0xE2 && text[1] == 0x81)
        return text[2] < 0xA6 || text[2] > 0xA9;
    return len > 0;
}

static void append_escape(struct line *line, unsigned char byte)
{
    char escape[UNIT_BYTES_MAX + 1];
    int len;

    if (byte == '\n' || byte == '\r' || byte == '\t')
        len = snprintf(escape, sizeof(escape), "\\%c",
                       byte == '\n'   ? 'n'
                       : byte == '\r' ? 'r'
                                      : 't');
    else if (byte == '"' || byte == '\\')
        len = snprintf(escape, sizeof(escape), "\\%c", byte);
    else
        len = snprintf(escape, sizeof(escape), "\\x%02x", byte);
    append_unit(line, escape, (size_t)len);
}

/* Appends text; special holds printable bytes to be escaped as well. */
static void append_text(struct line *line, const char *text,
                        const char *special)
{
    const unsigned char *next = (const unsigned char *)text;

    while (*next != '\0' && !line->cut) {
        size_t len = character_len(next);

        if (!printable(next, len) || strchr(special, *next) != NULL) {
            append_escape(line, *next);
            next++;
        } else {
            append_unit(line, (const char *)next, len);
            next += len;
        }
    }
}

/* True if value cannot be told from what stands around it. */
static bool needs_quotes(const char *value)
{
    const unsigned char *next = (const unsigned char *)value;

    while (*next != '\0') {
        size_t len = character_len(next);

        if (!printable(next, len) || strchr(" \"=", *next) != NULL)
            return true;
        next += len;
    }
    return false;
}

/*
 * Appends one value of LOG_VALUE_BYTES_MAX bytes at most: a client that sends
 * a long name must not push the reason and its own address out of the line.
 * Without quotes a value stands as it is, backslashes included.
 */
static void append_value(struct line *line, const char *value)
{
    size_t line_end = line->end;
    size_t line_safe;
    size_t value_end = line->len + LOG_VALUE_BYTES_MAX;
    bool quotes = needs_quotes(value);

    if (quotes)
        append_unit(line, "\"", 1);
    if (line->cut)
        return;
    line_safe = line->safe;
    if (value_end < line_end)
        start_region(line, value_end);
    append_text(line, value, quotes ? "\"\\" : "");
    if (value_end < line_end)
        leave_region(line, line_end, line_safe);
    if (quotes)
        append_unit(line, "\"", 1);
}

static void append_field(struct line *line, const struct log_field *field)
{
    char number[24];
    const char *value = field->text;

    if (value != NULL && value[0] == '\0')
        return;
    if (value == NULL) {
        (void)snprintf(number, sizeof(number), "%lld",
                       (long long)field->number);
        value = number;
    }
    append_text(line, " ", "");
    append_text(line, field->key, "");
    append_text(line, "=", "");
    append_value(line, value);
}

static bool has_fields(const struct log_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].text == NULL || fields[i].text[0] != '\0')
            return true;
    }
    return false;
}

static void write_stderr(struct line *line)
{
    ssize_t rc;

    line->text[line->len++] = '\n';
    do {
        rc = write(STDERR_FILENO, line->text, line->len);
    } while (rc < 0 && errno == EINTR);
}

/* Makes and writes the line; repeated is left out when 0. */
static void write_line(struct log *log, enum log_level level,
                       const char *sentence, const struct log_field *fields,
                       size_t count, int64_t repeated)
{
    struct log_field last = LOG_NUMBER("repeated", repeated);
    struct line line;

    line.len = 0;
    start_region(&line, LOG_LINE_BYTES_MAX - 1); /* for the newline */
    if (log->target == LOG_TO_STDERR && log->journal)
        line.len = (size_t)snprintf(line.text, sizeof(line.text), "<%d>",
                                    levels[level].priority);
    append_text(&line, levels[level].word, "");
    append_text(&line, sentence, "");
    if (has_fields(fields, count) || repeated > 0)
        append_text(&line, ":", "");
    for (size_t i = 0; i < count; i++)
        append_field(&line, &fields[i]);
    if (repeated > 0)
        append_field(&line, &last);
    line.text[line.len] = '\0';
    if (log->target == LOG_TO_SYSLOG)
        syslog(LOG_MAIL | levels[level].priority, "%s", line.text);
    else
        write_stderr(&line);
}

/* True if JOURNAL_STREAM names the very file that stderr is. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char here[64];
    struct stat about;

    if (stream == NULL || fstat(STDERR_FILENO, &about) != 0)
        return false;
    (void)snprintf(here, sizeof(here), "%llu:%llu",
                   (unsigned long long)about.st_dev,
                   (unsigned long long)about.st_ino);
    return strcmp(here, stream) == 0;
}

enum status log_open(const char *ident, enum log_target target,
                     enum log_level level, struct log **log_r,
                     struct errtext *err)
{
    struct log *log = calloc(1, sizeof(*log));

    if (log == NULL)
        return status_no_memory(err);
    if (pthread_mutex_init(&log->lock, NULL) != 0) {
        free(log);
        return status_no_memory(err);
    }
    log->target = target;
    log->journal = stderr_is_journal();
    atomic_init(&log->level, (int)level);
    if (target == LOG_TO_SYSLOG)
        openlog(ident, LOG_PID | LOG_NDELAY, LOG_MAIL);
    *log_r = log;
    return STATUS_OK;
}

void log_close(struct log **log)
{
    if (*log == NULL)
        return;
    if ((*log)->target == LOG_TO_SYSLOG)
        closelog();
    (void)pthread_mutex_destroy(&(*log)->lock);
    free(*log);
    *log = NULL;
}

void log_set_level(struct log *log, enum log_level level)
{
    atomic_store_explicit(&log->level, (int)level, memory_order_relaxed);
}

static bool wanted(struct log *log, enum log_level level)
{
    return (int)level <=
           atomic_load_explicit(&log->level, memory_order_relaxed);
}

void log_line(struct log *log, enum log_level level, const char *sentence,
              const struct log_field *fields, size_t count)
{
    if (wanted(log, level))
        write_line(log, level, sentence, fields, count, 0);
}

/* Returns what is known of key, new or old; NULL when the table is full. */
static struct limit *find_limit(struct log *log, const char *key)
{
    struct limit *limit;

    for (size_t i = 0; i < log->limit_count; i++) {
        if (strncmp(log->limits[i].key, key, KEY_BYTES_MAX - 1) == 0)
            return &log->limits[i];
    }
    if (log->limit_count == LIMITS_MAX)
        return NULL;
    limit = &log->limits[log->limit_count++];
    (void)snprintf(limit->key, sizeof(limit->key), "%s", key);
    limit->written_ms = INT64_MIN;
    return limit;
}

/* Decides whether a line may be written now, and what it has to tell. */
static bool take_turn(struct log *log, const char *key,
                      unsigned interval_seconds, int64_t *left_out_r)
{
    int64_t now = clock_ms();
    struct limit *limit;
    bool turn = true;

    *left_out_r = 0;
    (void)pthread_mutex_lock(&log->lock);
    limit = find_limit(log, key);
    if (limit != NULL) {
        turn = limit->written_ms == INT64_MIN ||
               now - limit->written_ms >= (int64_t)interval_seconds * 1000;
        if (turn) {
            *left_out_r = limit->left_out;
            limit->left_out = 0;
            limit->written_ms = now;
        } else {
            limit->left_out++;
        }
    }
    (void)pthread_mutex_unlock(&log->lock);
    return turn;
}

void log_line_limited(struct log *log, enum log_level level, const char *key,
                      unsigned interval_seconds, const char *sentence,
                      const struct log_field *fields, size_t count)
{
    int64_t left_out = 0;

    if (wanted(log, level) && take_turn(log, key, interval_seconds, &left_out))
        write_line(log, level, sentence, fields, count, left_out);
}
