/*
 * sasl_host - a program that uses libsasl2, for the plugin's test
 *
 * usage: sasl_host [option ...] MECHANISM <messages
 *
 * Reads the client's messages from standard input, each a line in base64 ("-"
 * where the client sends no initial response), and prints what came of them:
 * prompt, log, result, detail, user, authid.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "secret.h"
#include "wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sasl/sasl.h>
#include <sasl/saslutil.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES_MAX 32768
#define OPTIONS_MAX 16
#define NOBODY 65534

/* libsasl2 declares every callback without its arguments. */
#define HOOK(function) ((int (*)(void))(void (*)(void))(function))

static const char usage[] =
    "usage: sasl_host [option ...] MECHANISM\n"
    "  -p DIR[:DIR]   where libsasl2 looks for plugins\n"
    "  -o KEY=VALUE   an option of the SASL configuration\n"
    "  -s SERVICE  -R REALM  -r REMOTE   of the session\n"
    "  -m SSF -e SSF  smallest strength asked for; strength of the layer "
    "below\n"
    "  -P             no plaintext mechanisms\n"
    "  -l             prints the mechanisms offered, no login\n"
    "  -c DIR         chroot and drop all rights between start and session\n"
    "  -i             signals arrive all the time\n"
    "  -w             waits for a line of input after login and after logout\n"
    "  -n TIMES       the login so many times, of which the last is told\n"
    "  -b SOCKET      times it against the socket call alone\n";

/* Not from syslog.h, which makes one of them an inline of the other. */
void syslog(int priority, const char *fmt, ...) PRINTF_LIKE(2, 3);
void __syslog_chk(int priority, int flag, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

struct host {
    const char *plugins;
    const char *keys[OPTIONS_MAX];
    const char *values[OPTIONS_MAX];
    int option_count;
    const char *service;
    const char *realm;
    const char *remote;
    sasl_security_properties_t props;
    sasl_ssf_t external_ssf;
    bool list;
    const char *jail;
    bool interrupted;
    bool waits;
    long times;
    const char *bare;
    const char *mechanism;
};

/* The program's own copies of what was typed, which it wipes. */
static char line[LINE_BYTES_MAX];
static char message[LINE_BYTES_MAX];

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static int get_option(void *context, const char *plugin, const char *name,
                      const char **value_r, unsigned *len_r)
{
    const struct host *host = context;

    (void)plugin;
    for (int i = 0; i < host->option_count; i++) {
        if (strcmp(host->keys[i], name) != 0)
            continue;
        *value_r = host->values[i];
        if (len_r != NULL)
            *len_r = (unsigned)strlen(host->values[i]);
        return SASL_OK;
    }
    return SASL_FAIL;
}

static int get_path(void *context, const char **path_r)
{
    const struct host *host = context;

    *path_r = host->plugins;
    return SASL_OK;
}

static int log_line(void *context, int level, const char *text)
{
    (void)context;
    if (level <= SASL_LOG_NOTE)
        (void)printf("log %d %s\n", level, text);
    return SASL_OK;
}

/*
 * Stands before the C library's: what libsasl2 logs while it starts, it sends
 * to syslog(3) without asking the program.
 */
static PRINTF_LIKE(1, 0) void print_syslog(const char *fmt, va_list args)
{
    (void)printf("syslog ");
    (void)vprintf(fmt, args);
    (void)printf("\n");
}

void syslog(int priority, const char *fmt, ...)
{
    va_list args;

    (void)priority;
    va_start(args, fmt);
    print_syslog(fmt, args);
    va_end(args);
}

/* The name under which a fortified program calls it. */
void __syslog_chk(int priority, int flag, const char *fmt, ...)
{
    va_list args;

    (void)priority;
    (void)flag;
    va_start(args, fmt);
    print_syslog(fmt, args);
    va_end(args);
}

static void ignore_signal(int number)
{
    (void)number;
}

/* Every wait is interrupted a thousand times a second. */
static void interrupt_always(void)
{
    const struct sigaction action = {.sa_handler = ignore_signal};
    const struct itimerval often = {.it_interval = {.tv_usec = 1000},
                                    .it_value = {.tv_usec = 1000}};

    if (sigaction(SIGALRM, &action, NULL) != 0 ||
        setitimer(ITIMER_REAL, &often, NULL) != 0)
        die("setitimer");
}

static void enter_jail(const char *jail)
{
    if (chroot(jail) != 0 || chdir("/") != 0 || setgid(NOBODY) != 0 ||
        setuid(NOBODY) != 0)
        die(jail);
}

/*
 * Reads a line byte by byte into the program's own buffer: standard input
 * would keep a copy of a password in a buffer of its own.
 */
static bool read_line(void)
{
    size_t len = 0;

    while (len < sizeof(line) - 1) {
        ssize_t now = read(STDIN_FILENO, line + len, 1);

        if (now < 0 && errno == EINTR)
            continue;
        if (now != 1)
            return false;
        if (line[len] == '\n') {
            line[len] = '\0';
            return true;
        }
        len++;
    }
    return false;
}

static unsigned decode_line(void)
{
    unsigned len = 0;

    if (sasl_decode64(line, (unsigned)strlen(line), message, sizeof(message),
                      &len) != SASL_OK) {
        (void)fprintf(stderr, "sasl_host: not base64: %s\n", line);
        exit(EXIT_FAILURE);
    }
    return len;
}

static sasl_conn_t *new_session(const struct host *host)
{
    sasl_conn_t *conn = NULL;

    if (sasl_server_new(host->service, "mail.example.org", host->realm,
                        "127.0.0.1;25", host->remote, NULL, 0,
                        &conn) != SASL_OK ||
        sasl_setprop(conn, SASL_SEC_PROPS, &host->props) != SASL_OK ||
        sasl_setprop(conn, SASL_SSF_EXTERNAL, &host->external_ssf) != SASL_OK)
        die("sasl_server_new");
    return conn;
}

/* One exchange with the messages of standard input; returns the SASL code. */
static int talk(sasl_conn_t *conn, const char *mechanism)
{
    const char *out = NULL;
    unsigned out_len = 0;
    int code;

    if (!read_line())
        return SASL_BADPARAM;
    if (strcmp(line, "-") == 0)
        code = sasl_server_start(conn, mechanism, NULL, 0, &out, &out_len);
    else
        code = sasl_server_start(conn, mechanism, message, decode_line(), &out,
                                 &out_len);
    while (code == SASL_CONTINUE) {
        (void)printf("prompt %.*s\n", (int)out_len, out != NULL ? out : "");
        if (!read_line())
            return code;
        code = sasl_server_step(conn, message, decode_line(), &out, &out_len);
    }
    return code;
}

static void print_property(sasl_conn_t *conn, const char *name, int number)
{
    const void *value = NULL;

    if (sasl_getprop(conn, number, &value) == SASL_OK && value != NULL)
        (void)printf("%s %s\n", name, (const char *)value);
}

static int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    if (dir == NULL)
        return 0;
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count;
}

static void wait_for_line(const char *state)
{
    char byte;

    (void)printf("%s\n", state);
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
        continue;
}

static void log_in_once(const struct host *host)
{
    sasl_conn_t *conn = new_session(host);
    int64_t start = clock_ms();
    int code = talk(conn, host->mechanism);

    (void)printf("took_ms %ld\n", (long)(clock_ms() - start));
    (void)printf("result %d %s\n", code, sasl_errstring(code, NULL, NULL));
    (void)printf("detail %s\n", sasl_errdetail(conn));
    print_property(conn, "user", SASL_USERNAME);
    print_property(conn, "authid", SASL_AUTHUSER);
    if (host->waits)
        wait_for_line("logged in");
    sasl_dispose(&conn);
    secret_wipe(line, sizeof(line));
    secret_wipe(message, sizeof(message));
    if (host->waits)
        wait_for_line("logged out");
}

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A whole session of one message, as a program has it. */
static int session(const struct host *host, unsigned len)
{
    const char *out = NULL;
    unsigned out_len = 0;
    sasl_conn_t *conn = new_session(host);
    int code =
        sasl_server_start(conn, host->mechanism, message, len, &out, &out_len);

    sasl_dispose(&conn);
    return code;
}

/* The same question without libsasl2 and without the plugin. */
static void bare_call(const char *path, const unsigned char *frame, size_t len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    unsigned char reply[WIRE_REPLY_BYTES_MAX + 2];
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        send(fd, frame, len, MSG_NOSIGNAL) != (ssize_t)len ||
        recv(fd, reply, sizeof(reply), 0) < 4)
        die("bare call");
    (void)close(fd);
}

static int compare_ns(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;

    return *left < *right ? -1 : *left > *right;
}

static long median_us(int64_t *taken, long count)
{
    qsort(taken, (size_t)count, sizeof(*taken), compare_ns);
    return (long)(taken[count / 2] / 1000);
}

/* By turns, so that whatever else the machine does meets both. */
static void time_calls(const struct host *host, unsigned len,
                       const unsigned char *frame, size_t frame_len)
{
    int64_t *with = calloc((size_t)host->times, sizeof(*with));
    int64_t *without = calloc((size_t)host->times, sizeof(*without));

    if (with == NULL || without == NULL)
        die("calloc");
    for (long i = 0; i < host->times; i++) {
        int64_t start = now_ns();
        int64_t middle;

        bare_call(host->bare, frame, frame_len);
        middle = now_ns();
        if (session(host, len) != SASL_OK)
            die("session");
        without[i] = middle - start;
        with[i] = now_ns() - middle;
    }
    (void)printf("bare_us %ld\n", median_us(without, host->times));
    (void)printf("session_us %ld\n", median_us(with, host->times));
    (void)printf("added_us %ld\n", median_us(with, host->times) -
                                       median_us(without, host->times));
    free(with);
    free(without);
}

static void time_logins(const struct host *host)
{
    const char *const fields[WIRE_FIELD_COUNT] = {
        "ada@example.org", "good", host->service, "", host->remote};
    size_t lens[WIRE_FIELD_COUNT];
    unsigned char frame[WIRE_REQUEST_BYTES_MAX];
    size_t frame_len = 0;

    for (size_t i = 0; i < WIRE_FIELD_COUNT; i++)
        lens[i] = strlen(fields[i]);
    if (wire_request_encode(fields, lens, frame, &frame_len, NULL) !=
            STATUS_OK ||
        !read_line())
        die("time");
    time_calls(host, decode_line(), frame, frame_len);
}

static void log_in_often(const struct host *host)
{
    unsigned len;
    int before;
    int code = SASL_FAIL;
    long same = 0;

    if (!read_line())
        die("read");
    len = decode_line();
    code = session(host, len);
    before = count_descriptors();
    for (long i = 0; i < host->times; i++) {
        if (session(host, len) == code)
            same++;
    }
    (void)printf("result %d %s\n", code, sasl_errstring(code, NULL, NULL));
    (void)printf("same %ld\n", same);
    (void)printf("leaked %d\n", count_descriptors() - before);
}

static void list_mechanisms(const struct host *host)
{
    sasl_conn_t *conn = new_session(host);
    const char *list = NULL;
    int count = 0;

    if (sasl_listmech(conn, NULL, "", " ", "", &list, NULL, &count) == SASL_OK)
        (void)printf("mechanisms%s%s\n", count > 0 ? " " : "", list);
    else
        (void)printf("mechanisms\n");
    sasl_dispose(&conn);
}

static void add_option(struct host *host, char *text)
{
    char *value = strchr(text, '=');

    if (value == NULL || host->option_count == OPTIONS_MAX) {
        (void)fputs(usage, stderr);
        exit(EXIT_FAILURE);
    }
    *value++ = '\0';
    host->keys[host->option_count] = text;
    host->values[host->option_count++] = value;
}

static long number(const char *text)
{
    return strtol(text, NULL, 10);
}

static void take_argument(struct host *host, int letter, char *value)
{
    switch (letter) {
    case 'p':
        host->plugins = value;
        break;
    case 'o':
        add_option(host, value);
        break;
    case 's':
        host->service = value;
        break;
    case 'R':
        host->realm = value;
        break;
    case 'r':
        host->remote = value;
        break;
    case 'm':
        host->props.min_ssf = (sasl_ssf_t)number(value);
        break;
    case 'e':
        host->external_ssf = (sasl_ssf_t)number(value);
        break;
    case 'P':
        host->props.security_flags |= SASL_SEC_NOPLAINTEXT;
        break;
    case 'l':
        host->list = true;
        break;
    case 'c':
        host->jail = value;
        break;
    case 'i':
        host->interrupted = true;
        break;
    case 'w':
        host->waits = true;
        break;
    case 'n':
        host->times = number(value);
        break;
    case 'b':
        host->bare = value;
        break;
    default:
        (void)fputs(usage, stderr);
        exit(EXIT_FAILURE);
    }
}

static void take_arguments(struct host *host, int argc, char **argv)
{
    int letter;

    while ((letter = getopt(argc, argv, "p:o:s:R:r:m:e:Plc:iwn:b:")) != -1)
        take_argument(host, letter, optarg);
    host->mechanism = optind < argc ? argv[optind] : "PLAIN";
}

int main(int argc, char **argv)
{
    static struct host host = {
        .service = "smtp",
        .remote = "192.0.2.7;4711",
        .props = {.max_ssf = 256,
                  .maxbufsize = 4096,
                  .security_flags = SASL_SEC_NOANONYMOUS}};
    const sasl_callback_t callbacks[] = {
        {SASL_CB_GETOPT, HOOK(get_option), &host},
        {SASL_CB_GETPATH, HOOK(get_path), &host},
        {SASL_CB_LOG, HOOK(log_line), NULL},
        {SASL_CB_LIST_END, NULL, NULL},
    };

    take_arguments(&host, argc, argv);
    if (sasl_server_init(callbacks, "sasl_host") != SASL_OK)
        die("sasl_server_init");
    if (host.jail != NULL)
        enter_jail(host.jail);
    if (host.interrupted)
        interrupt_always();
    if (host.list)
        list_mechanisms(&host);
    else if (host.bare != NULL)
        time_logins(&host);
    else if (host.times > 0)
        log_in_often(&host);
    else
        log_in_once(&host);
    sasl_server_done();
    return EXIT_SUCCESS;
}
