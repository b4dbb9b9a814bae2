/* output - see output.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "output.h"

#include "quantity.h"
#include "strbuf.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#define CELL_BYTES_MAX ((size_t)8 << 20)  /* a column of the store, escaped */
#define SECONDS_MAX INT64_C(253402300799) /* the end of the year 9999 */

struct output {
    FILE *file;
    enum output_format format;
    bool headers;
    bool colour; /* of the titles */
    bool failed;
    const struct output_column *columns;
    size_t count;
    size_t cell; /* the next one of this row */
    size_t rows; /* written or held */
    json_t *object;
    char *cells[OUTPUT_COLUMNS_MAX]; /* of this row, already escaped; owned */
    size_t widths[OUTPUT_COLUMNS_MAX];
    char **held; /* rows of the sample, cell by cell; owned */
    size_t held_rows;
    size_t held_bytes;
    bool released; /* the sample was printed */
};

bool output_format_from(const char *word, enum output_format *format_r)
{
    static const char *const words[] = {
        [OUTPUT_TABLE] = "table", [OUTPUT_JSON] = "json", [OUTPUT_CSV] = "csv"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(word, words[i]) == 0) {
            *format_r = (enum output_format)i;
            return true;
        }
    }
    return false;
}

/* Colour is for a terminal, and for who has not asked for none. */
static bool wants_colour(FILE *file)
{
    const char *none = secure_getenv("NO_COLOR");
    const char *term = secure_getenv("TERM");
    int fd = fileno(file);

    return fd >= 0 && isatty(fd) && (none == NULL || none[0] == '\0') &&
           term != NULL && strcmp(term, "dumb") != 0;
}

struct output *output_begin(FILE *file, enum output_format format, bool headers,
                            const struct output_column *columns, size_t count)
{
    struct output *out = calloc(1, sizeof(*out));

    if (out == NULL || count > OUTPUT_COLUMNS_MAX) {
        free(out);
        return NULL;
    }
    out->file = file;
    out->format = format;
    out->headers = headers;
    out->colour = format == OUTPUT_TABLE && wants_colour(file);
    out->columns = columns;
    out->count = count;
    if (format == OUTPUT_TABLE)
        out->held = calloc(OUTPUT_SAMPLE_ROWS * count, sizeof(char *));
    else
        out->released = true;
    if (format == OUTPUT_TABLE && out->held == NULL) {
        free(out);
        return NULL;
    }
    if (format == OUTPUT_JSON)
        (void)fputs("[", file);
    for (size_t i = 0; format == OUTPUT_CSV && headers && i < count; i++)
        (void)fprintf(file, "%s%s", columns[i].field,
                      i + 1 < count ? "," : "\r\n");
    return out;
}

static bool is_control(unsigned char byte)
{
    return byte < 0x20 || byte == 0x7f;
}

/* A C1 control, U+0080 to U+009F, as UTF-8: the byte behind ends it. */
static bool is_c1(const char *text)
{
    return (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] >= 0x80 &&
           (unsigned char)text[1] < 0xa0;
}

/*
 * Returns the code of a character that has no shape of its own and moves or
 * hides others, or 0: separators of lines and paragraphs, zero width space and
 * BOM, and the bidirectional controls, which would let a name show as another.
 * All but one have three bytes. Joiners stay: people's names have them.
 */
static unsigned shapeless(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned code;

    if (p[0] == 0xd8)
        return p[1] == 0x9c ? 0x061c : 0; /* has two */
    if ((p[0] != 0xe2 && p[0] != 0xef) || (p[1] & 0xc0) != 0x80 ||
        (p[2] & 0xc0) != 0x80)
        return 0;
    code = (p[0] & 0x0fU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU);
    if (code == 0x200b || code == 0x200e || code == 0x200f || code == 0xfeff ||
        (code >= 0x2028 && code <= 0x202e) ||
        (code >= 0x2060 && code <= 0x206f))
        return code;
    return 0;
}

/* How many bytes from here on are ASCII that is shown: most of all text. */
static size_t plain_len(const char *text)
{
    size_t len = 0;

    while (text[len] >= 0x20 && text[len] < 0x7f)
        len++;
    return len;
}

/* Appends text; control bytes become \xNN, other controls \uNNNN. */
static void append_escaped(struct strbuf *buf, const char *text)
{
    for (;;) {
        size_t plain = plain_len(text);
        unsigned code;

        strbuf_append_len(buf, text, plain);
        text += plain;
        if (*text == '\0')
            return;
        code = shapeless(text);
        if (code != 0) {
            strbuf_appendf(buf, "\\u%04x", code);
            text += code < 0x800 ? 1 : 2;
        } else if (is_control((unsigned char)*text)) {
            strbuf_appendf(buf, "\\x%02x", (unsigned char)*text);
        } else if (is_c1(text)) {
            strbuf_appendf(buf, "\\u00%02x", (unsigned char)*++text);
        } else {
            strbuf_append_char(buf, *text);
        }
        text++;
    }
}

void output_escaped(FILE *file, const char *text)
{
    struct strbuf buf = STRBUF_INIT(CELL_BYTES_MAX);

    append_escaped(&buf, text);
    (void)fputs(strbuf_text(&buf), file);
    strbuf_clear(&buf);
}

/* Columns a text takes on a terminal; bytes that are no text count one. */
static size_t width_of(const char *text)
{
    size_t width = plain_len(text);
    size_t left = strlen(text + width);
    mbstate_t state = {0};

    text += width;
    while (left > 0) {
        wchar_t wide;
        size_t used = mbrtowc(&wide, text, left, &state);
        int columns;

        if (used == (size_t)-1 || used == (size_t)-2 || used == 0) {
            used = 1;
            columns = 1;
            memset(&state, 0, sizeof(state));
        } else {
            columns = wcwidth(wide);
        }
        width += columns > 0 ? (size_t)columns : 0;
        text += used;
        left -= used;
    }
    return width;
}

/* Takes an escaped text as the next cell. */
static void take_cell(struct output *out, struct strbuf *buf)
{
    char *text = NULL;

    if (strbuf_take(buf, &text, NULL) != STATUS_OK) {
        out->failed = true;
        strbuf_clear(buf);
        return;
    }
    if (out->cell < out->count)
        out->cells[out->cell++] = text;
    else
        free(text);
}

static bool is_json(const struct output *out)
{
    return out->format == OUTPUT_JSON || out->format == OUTPUT_LINES;
}

static void json_cell(struct output *out, json_t *value)
{
    if (out->object == NULL)
        out->object = json_object();
    if (value == NULL || out->cell >= out->count ||
        json_object_set_new(out->object, out->columns[out->cell].field,
                            value) != 0)
        out->failed = true;
    out->cell++;
}

/* Bytes that are not UTF-8 are shown as \xNN, since JSON cannot hold them. */
static json_t *json_text(const char *text)
{
    json_t *value = json_string(text);
    struct strbuf buf = STRBUF_INIT(CELL_BYTES_MAX);

    if (value != NULL)
        return value;
    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p >= 0x80)
            strbuf_appendf(&buf, "\\x%02x", (unsigned char)*p);
        else
            strbuf_append_char(&buf, *p);
    }
    value = json_string(strbuf_text(&buf));
    strbuf_clear(&buf);
    return value;
}

void output_text(struct output *out, const char *text)
{
    struct strbuf buf = STRBUF_INIT(CELL_BYTES_MAX);

    if (is_json(out)) {
        json_cell(out, text != NULL ? json_text(text) : json_null());
        return;
    }
    if (text != NULL)
        append_escaped(&buf, text);
    else if (out->format == OUTPUT_TABLE)
        strbuf_append_char(&buf, '-');
    take_cell(out, &buf);
}

void output_json(struct output *out, const char *text)
{
    json_t *value = NULL;

    if (is_json(out) && text != NULL)
        value = json_loads(text, JSON_DECODE_ANY, NULL);
    if (value != NULL)
        json_cell(out, value);
    else
        output_text(out, text);
}

/* "2026-11-24T06:30:00Z", or nothing for a time that is none. */
static void append_time(struct strbuf *buf, uint64_t seconds)
{
    time_t at = (time_t)seconds;
    struct tm parts;
    char text[32] = "";

    if (seconds > 0 && seconds <= (uint64_t)SECONDS_MAX &&
        gmtime_r(&at, &parts) != NULL)
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    strbuf_append(buf, text);
}

/* How a table shows a number. */
static void append_number(struct strbuf *buf, enum output_kind kind,
                          uint64_t number)
{
    bool limit = kind == OUTPUT_LIMIT || kind == OUTPUT_SIZE_LIMIT;
    bool size = kind == OUTPUT_SIZE || kind == OUTPUT_SIZE_LIMIT;

    if (limit && number == 0)
        strbuf_append_char(buf, '-');
    else if (size && number == 0)
        strbuf_append_char(buf, '0');
    else if (size)
        quantity_append_size(buf, number);
    else if (kind == OUTPUT_DURATION)
        quantity_append_duration_ms(buf, (int64_t)(number * 1000));
    else
        strbuf_appendf(buf, "%llu", (unsigned long long)number);
}

void output_number(struct output *out, uint64_t number)
{
    struct strbuf buf = STRBUF_INIT(CELL_BYTES_MAX);
    enum output_kind kind = OUTPUT_NUMBER;

    if (out->cell < out->count && out->columns[out->cell].kind == OUTPUT_TIME) {
        append_time(&buf, number);
        output_text(out, buf.len > 0 ? strbuf_text(&buf) : NULL);
        strbuf_clear(&buf);
        return;
    }
    if (is_json(out)) {
        json_cell(out, json_integer((json_int_t)number));
        return;
    }
    if (out->format == OUTPUT_TABLE && out->cell < out->count)
        kind = out->columns[out->cell].kind;
    append_number(&buf, kind, number);
    take_cell(out, &buf);
}

void output_bool(struct output *out, bool value)
{
    struct strbuf buf = STRBUF_INIT(CELL_BYTES_MAX);

    if (is_json(out)) {
        json_cell(out, json_boolean(value));
        return;
    }
    if (out->format == OUTPUT_CSV)
        strbuf_append(&buf, value ? "true" : "false");
    else
        strbuf_append(&buf, value ? "yes" : "no");
    take_cell(out, &buf);
}

static bool to_the_right(enum output_kind kind)
{
    return kind != OUTPUT_TEXT && kind != OUTPUT_BOOL && kind != OUTPUT_TIME;
}

/* One line of the table; the last column is not padded. */
static void print_line(struct output *out, char *const *cells)
{
    for (size_t i = 0; i < out->count; i++) {
        const char *text = cells[i] != NULL ? cells[i] : "";
        size_t width = width_of(text);
        size_t pad = out->widths[i] > width ? out->widths[i] - width : 0;
        bool right = to_the_right(out->columns[i].kind);

        if (right)
            (void)fprintf(out->file, "%*s", (int)pad, "");
        (void)fputs(text, out->file);
        if (i + 1 < out->count)
            (void)fprintf(out->file, "%*s  ", right ? 0 : (int)pad, "");
    }
    (void)fputs("\n", out->file);
}

static void print_titles(struct output *out)
{
    char *titles[OUTPUT_COLUMNS_MAX] = {NULL};

    for (size_t i = 0; i < out->count; i++) {
        titles[i] = strdup(out->columns[i].title);
        out->failed = out->failed || titles[i] == NULL;
        if (titles[i] != NULL && width_of(titles[i]) > out->widths[i])
            out->widths[i] = width_of(titles[i]);
    }
    (void)fputs(out->colour ? "\033[1m" : "", out->file);
    print_line(out, titles);
    (void)fputs(out->colour ? "\033[0m" : "", out->file);
    for (size_t i = 0; i < out->count; i++)
        free(titles[i]);
}

/* Prints the sample, whose widths are known now. */
static void release(struct output *out)
{
    if (out->released)
        return;
    out->released = true;
    if (out->headers)
        print_titles(out);
    for (size_t row = 0; row < out->held_rows; row++) {
        print_line(out, out->held + row * out->count);
        for (size_t i = 0; i < out->count; i++)
            free(out->held[row * out->count + i]);
    }
    free(out->held);
    out->held = NULL;
}

static void print_csv(struct output *out)
{
    for (size_t i = 0; i < out->count; i++) {
        const char *text = out->cells[i] != NULL ? out->cells[i] : "";
        bool quote = strpbrk(text, ",\"\r\n") != NULL;

        if (quote)
            (void)fputc('"', out->file);
        for (;;) {
            size_t plain = strcspn(text, "\"");

            (void)fwrite(text, 1, plain, out->file);
            text += plain;
            if (*text++ == '\0')
                break;
            (void)fputs("\"\"", out->file);
        }
        if (quote)
            (void)fputc('"', out->file);
        (void)fputs(i + 1 < out->count ? "," : "\r\n", out->file);
    }
}

/* jansson leaves DEL and other controls as they are; a terminal would obey. */
static void put_json(FILE *file, const char *text)
{
    for (;;) {
        size_t plain = plain_len(text);
        unsigned code;

        (void)fwrite(text, 1, plain, file);
        text += plain;
        if (*text == '\0')
            return;
        code = shapeless(text);
        if (code != 0) {
            (void)fprintf(file, "\\u%04x", code);
            text += code < 0x800 ? 1 : 2;
        } else if (*text == 0x7f) {
            (void)fputs("\\u007f", file);
        } else if (is_c1(text)) {
            (void)fprintf(file, "\\u00%02x", (unsigned char)*++text);
        } else {
            (void)fputc(*text, file);
        }
        text++;
    }
}

static void print_json(struct output *out)
{
    char *text =
        out->object != NULL ? json_dumps(out->object, JSON_COMPACT) : NULL;

    out->failed = out->failed || text == NULL;
    if (text != NULL) {
        if (out->format == OUTPUT_JSON)
            (void)fputs(out->rows > 0 ? ",\n  " : "\n  ", out->file);
        put_json(out->file, text);
        if (out->format == OUTPUT_LINES)
            (void)fputs("\n", out->file);
    }
    free(text);
    json_decref(out->object);
    out->object = NULL;
}

static void table_row(struct output *out)
{
    for (size_t i = 0; i < out->count; i++) {
        const char *text = out->cells[i] != NULL ? out->cells[i] : "";
        size_t width = out->released ? 0 : width_of(text);

        if (width > out->widths[i])
            out->widths[i] = width;
        if (!out->released)
            out->held_bytes += strlen(text);
    }
    if (out->released) {
        print_line(out, out->cells);
        return;
    }
    memcpy(out->held + out->held_rows * out->count, out->cells,
           out->count * sizeof(char *));
    memset(out->cells, 0, sizeof(out->cells));
    if (++out->held_rows == OUTPUT_SAMPLE_ROWS ||
        out->held_bytes >= OUTPUT_SAMPLE_BYTES)
        release(out);
}

void output_row(struct output *out)
{
    if (out->cell != out->count)
        out->failed = true;
    switch (out->format) {
    case OUTPUT_JSON:
    case OUTPUT_LINES:
        print_json(out);
        break;
    case OUTPUT_CSV:
        print_csv(out);
        break;
    case OUTPUT_TABLE:
        table_row(out);
        break;
    }
    for (size_t i = 0; i < out->count; i++) {
        free(out->cells[i]);
        out->cells[i] = NULL;
    }
    out->cell = 0;
    out->rows++;
}

void output_flush(struct output *out)
{
    release(out);
    if (fflush(out->file) != 0)
        out->failed = true;
}

bool output_end(struct output **out)
{
    bool fine;

    release(*out);
    if ((*out)->format == OUTPUT_JSON)
        (void)fputs((*out)->rows > 0 ? "\n]\n" : "]\n", (*out)->file);
    json_decref((*out)->object);
    fine = !(*out)->failed && fflush((*out)->file) == 0 &&
           ferror((*out)->file) == 0;
    free(*out);
    *out = NULL;
    return fine;
}

void output_bar(uint64_t used, uint64_t limit, char text_r[OUTPUT_BAR_SIZE])
{
    double part = limit > 0 ? (double)used / (double)limit : 0;
    unsigned filled =
        used >= limit ? OUTPUT_BAR_CELLS : (unsigned)(part * OUTPUT_BAR_CELLS);
    unsigned percent = part < 99.99 ? (unsigned)(part * 100) : 9999;
    char bar[OUTPUT_BAR_CELLS + 1];

    if (limit == 0) {
        (void)snprintf(text_r, OUTPUT_BAR_SIZE, "-");
        return;
    }
    if (used > 0 && filled == 0)
        filled = 1;
    if (used < limit && filled == OUTPUT_BAR_CELLS)
        filled = OUTPUT_BAR_CELLS - 1;
    memset(bar, '.', OUTPUT_BAR_CELLS);
    memset(bar, '#', filled);
    bar[OUTPUT_BAR_CELLS] = '\0';
    (void)snprintf(text_r, OUTPUT_BAR_SIZE, "[%s] %3u%%", bar, percent);
}
