/*
 * load - asks a login service for people at full speed and measures
 *
 * usage: load -s SOCKET [-d] [-c CLIENTS] [-t SECONDS | -n COUNT] [-p PEOPLE]
 *             [-f FIRST] [-o] [-C NAME=PID,PID...]...
 *
 * Each client is a thread that asks, waits for the answer and asks again. The
 * saslauthd protocol gets a connection for each attempt and four fields in
 * one send, as libsasl2 does it; -d is Dovecot's auth client protocol, with one
 * connection a client, as a mail server does it. People are drawn at random
 * from PEOPLE numbers beginning at FIRST, or in order with -o, each once.
 *
 * -C adds up the user and system time that processes spend during the run.
 * One line comes out: rate, median, 99th percentile, longest, answers by kind,
 * server time for each attempt. The exit code is 0 also when attempts failed.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "people.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
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

#define CLIENTS_MAX 256
#define GROUPS_MAX 8
#define ANSWER_SECONDS_MAX 20
#define LINE_BYTES_MAX 1024

enum outcome {
    OUTCOME_OK,
    OUTCOME_NO,
    OUTCOME_TEMPORARY, /* the server said so */
    OUTCOME_FAILED,    /* no connection, no or half an answer */
    OUTCOME_COUNT
};

static const char *const outcome_names[OUTCOME_COUNT] = {"ok", "no",
                                                         "temporary", "failed"};

/* Processes whose time is added up under one name. */
struct group {
    const char *name;
    const char *pids; /* "12,13" */
    uint64_t ticks;   /* at the start */
};

struct plan {
    struct sockaddr_un address;
    bool dovecot;
    bool in_order;
    unsigned clients;
    unsigned people;
    unsigned first;
    unsigned long count; /* 0: until the time is over */
    double seconds;
    struct group groups[GROUPS_MAX];
    unsigned group_count;
    atomic_ulong next;
    int64_t end_ns;
};

struct client {
    struct plan *plan;
    pthread_t thread;
    unsigned number;
    int fd; /* Dovecot's connection; -1: none */
    uint64_t random;
    uint32_t *times_us;
    size_t times, times_size;
    unsigned long outcomes[OUTCOME_COUNT];
};

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int connect_to(const struct sockaddr_un *address)
{
    struct timeval wait = {.tv_sec = ANSWER_SECONDS_MAX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool send_all(int fd, const void *data, size_t len)
{
    return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static size_t add_field(unsigned char *frame, size_t len, const char *text)
{
    size_t text_len = strlen(text);

    frame[len] = (unsigned char)(text_len >> 8);
    frame[len + 1] = (unsigned char)(text_len & 0xff);
    memcpy(frame + len + 2, text, text_len);
    return len + 2 + text_len;
}

static bool read_exactly(int fd, unsigned char *data, size_t len)
{
    size_t have = 0;

    while (have < len) {
        ssize_t got = recv(fd, data + have, len - have, 0);

        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    return true;
}

/* libsasl2 reads the count first, then the text: so do we. */
static enum outcome read_reply(int fd)
{
    unsigned char count[2];
    unsigned char text[LINE_BYTES_MAX];
    size_t len;

    if (!read_exactly(fd, count, sizeof(count)))
        return OUTCOME_FAILED;
    len = (size_t)count[0] << 8 | count[1];
    if (len < 2)
        return OUTCOME_TEMPORARY;
    if (len > sizeof(text) || !read_exactly(fd, text, len))
        return OUTCOME_FAILED;
    return memcmp(text, "OK", 2) == 0 ? OUTCOME_OK : OUTCOME_NO;
}

static enum outcome ask_saslauthd(struct client *client, unsigned person)
{
    unsigned char frame[5 * PEOPLE_TEXT_BYTES];
    char text[PEOPLE_TEXT_BYTES];
    enum outcome outcome = OUTCOME_FAILED;
    size_t len;
    int fd;

    people_user(person, text);
    len = add_field(frame, 0, text);
    people_password(person, text);
    len = add_field(frame, len, text);
    len = add_field(frame, len, "smtp");
    people_domain(person, text);
    len = add_field(frame, len, text);
    fd = connect_to(&client->plan->address);
    if (fd < 0)
        return OUTCOME_FAILED;
    if (send_all(fd, frame, len))
        outcome = read_reply(fd);
    (void)close(fd);
    return outcome;
}

static void encode_base64(const char *data, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        unsigned long bits = 0;

        for (size_t j = i; j < i + 3; j++)
            bits = bits << 8 | (j < len ? (unsigned char)data[j] : 0U);
        *out++ = digits[bits >> 18 & 63];
        *out++ = digits[bits >> 12 & 63];
        *out++ = i + 1 < len ? digits[bits >> 6 & 63] : '=';
        *out++ = i + 2 < len ? digits[bits & 63] : '=';
    }
    *out = '\0';
}

/* Reads until a line that begins with one of the two words has come. */
static bool read_until(int fd, const char *word, const char *other, char *line)
{
    char data[LINE_BYTES_MAX];
    size_t len = 0;

    for (;;) {
        ssize_t got = recv(fd, data + len, sizeof(data) - 1 - len, 0);
        char *start = data;

        if (got <= 0)
            return false;
        len += (size_t)got;
        data[len] = '\0';
        for (char *end; (end = strchr(start, '\n')) != NULL; start = end + 1) {
            *end = '\0';
            if (strncmp(start, word, strlen(word)) == 0 ||
                strncmp(start, other, strlen(other)) == 0) {
                memcpy(line, start, strlen(start) + 1);
                return true;
            }
        }
        len = strlen(start);
        memmove(data, start, len + 1);
    }
}

static int connect_dovecot(const struct client *client)
{
    char line[LINE_BYTES_MAX];
    int fd = connect_to(&client->plan->address);
    int len;

    if (fd < 0)
        return -1;
    /* Two clients with one process id are refused: make one up. */
    len = snprintf(line, sizeof(line), "VERSION\t1\t1\nCPID\t%lu\n",
                   (unsigned long)getpid() * CLIENTS_MAX + client->number);
    if (!send_all(fd, line, (size_t)len) ||
        !read_until(fd, "DONE", "DONE", line)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static enum outcome ask_dovecot(struct client *client, unsigned person)
{
    char user[PEOPLE_TEXT_BYTES];
    char domain[PEOPLE_TEXT_BYTES];
    char password[PEOPLE_TEXT_BYTES];
    char plain[4 * PEOPLE_TEXT_BYTES];
    char encoded[6 * PEOPLE_TEXT_BYTES];
    char line[LINE_BYTES_MAX];
    int len;

    people_user(person, user);
    people_domain(person, domain);
    people_password(person, password);
    len = snprintf(plain, sizeof(plain), "%c%s@%s%c%s", '\0', user, domain,
                   '\0', password);
    encode_base64(plain, (size_t)len, encoded);
    len =
        snprintf(line, sizeof(line),
                 "AUTH\t%zu\tPLAIN\tservice=smtp\tnologin\tsecured\tresp=%s\n",
                 client->times + 1, encoded);
    if (client->fd < 0)
        client->fd = connect_dovecot(client);
    if (client->fd < 0)
        return OUTCOME_FAILED;
    if (!send_all(client->fd, line, (size_t)len) ||
        !read_until(client->fd, "OK\t", "FAIL\t", line)) {
        (void)close(client->fd);
        client->fd = -1;
        return OUTCOME_FAILED;
    }
    if (line[0] == 'O')
        return OUTCOME_OK;
    return strstr(line, "\ttemp") != NULL || strstr(line, "temp_fail") != NULL
               ? OUTCOME_TEMPORARY
               : OUTCOME_NO;
}

/* xorshift64*: fast, and each client has a sequence of its own. */
static unsigned draw(struct client *client, unsigned below)
{
    client->random ^= client->random >> 12;
    client->random ^= client->random << 25;
    client->random ^= client->random >> 27;
    return (unsigned)((client->random * 2685821657736338717U >> 32) % below);
}

static bool note_time(struct client *client, int64_t ns)
{
    if (client->times == client->times_size) {
        size_t size = client->times_size > 0 ? 2 * client->times_size : 65536;
        uint32_t *times = realloc(client->times_us, size * sizeof(*times));

        if (times == NULL)
            return false;
        client->times_us = times;
        client->times_size = size;
    }
    client->times_us[client->times++] = (uint32_t)(ns / 1000);
    return true;
}

static void *run_client(void *data)
{
    struct client *client = data;
    struct plan *plan = client->plan;

    for (int64_t start = now_ns(), end; start < plan->end_ns; start = end) {
        unsigned long turn = atomic_fetch_add(&plan->next, 1);
        unsigned person;
        enum outcome outcome;

        if (plan->count > 0 && turn >= plan->count)
            break;
        person = plan->first + (plan->in_order ? (unsigned)(turn % plan->people)
                                               : draw(client, plan->people));
        outcome = plan->dovecot ? ask_dovecot(client, person)
                                : ask_saslauthd(client, person);
        end = now_ns();
        client->outcomes[outcome]++;
        if (!note_time(client, end - start))
            break;
    }
    if (client->fd >= 0)
        (void)close(client->fd);
    return NULL;
}

/* Returns user and system time of one process in ticks; 0 once it is gone. */
static uint64_t ticks_of(const char *pid, size_t pid_len)
{
    char path[64];
    char text[LINE_BYTES_MAX];
    uint64_t ticks = 0;
    size_t len;
    FILE *file;
    char *at;

    (void)snprintf(path, sizeof(path), "/proc/%.*s/stat", (int)pid_len, pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    len = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    /* utime and stime are the 12th and 13th word behind the name. */
    at = strrchr(text, ')');
    for (int word = 0; at != NULL && word < 12; word++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return 0;
    ticks = strtoull(at, &at, 10);
    return ticks + strtoull(at, NULL, 10);
}

static uint64_t group_ticks(const struct group *group)
{
    uint64_t ticks = 0;

    for (const char *pid = group->pids; *pid != '\0';) {
        size_t len = strcspn(pid, ",");

        ticks += ticks_of(pid, len);
        pid += len + (pid[len] == ',' ? 1 : 0);
    }
    return ticks;
}

static int compare_times(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;

    return a < b ? -1 : a > b;
}

/* Joins the clients' times, sorted. Returns how many, 0 without memory. */
static size_t join_times(const struct client *clients, unsigned count,
                         uint32_t **times_r)
{
    size_t total = 0;
    uint32_t *times;

    for (unsigned i = 0; i < count; i++)
        total += clients[i].times;
    times = malloc((total + 1) * sizeof(*times));
    if (times == NULL)
        return 0;
    total = 0;
    for (unsigned i = 0; i < count; i++) {
        if (clients[i].times > 0)
            memcpy(times + total, clients[i].times_us,
                   clients[i].times * sizeof(*times));
        total += clients[i].times;
    }
    qsort(times, total, sizeof(*times), compare_times);
    *times_r = times;
    return total;
}

static void print_result(const struct plan *plan, const struct client *clients,
                         int64_t ns)
{
    uint32_t *times = NULL;
    size_t total = join_times(clients, plan->clients, &times);
    long ticks_in_second = sysconf(_SC_CLK_TCK);
    double tick_us = 1e6 / (double)ticks_in_second;

    (void)printf("rate=%.0f p50_us=%u p99_us=%u max_us=%u",
                 (double)total * 1e9 / (double)ns,
                 total > 0 ? times[total / 2] : 0,
                 total > 0 ? times[total * 99 / 100] : 0,
                 total > 0 ? times[total - 1] : 0);
    for (unsigned kind = 0; kind < OUTCOME_COUNT; kind++) {
        unsigned long sum = 0;

        for (unsigned i = 0; i < plan->clients; i++)
            sum += clients[i].outcomes[kind];
        (void)printf(" %s=%lu", outcome_names[kind], sum);
    }
    for (unsigned i = 0; i < plan->group_count; i++)
        (void)printf(
            " %s_cpu_us=%.1f", plan->groups[i].name,
            (double)(group_ticks(&plan->groups[i]) - plan->groups[i].ticks) *
                tick_us / (double)(total > 0 ? total : 1));
    (void)printf("\n");
    free(times);
}

static int run(struct plan *plan)
{
    static struct client clients[CLIENTS_MAX];
    int64_t start;

    for (unsigned i = 0; i < plan->group_count; i++)
        plan->groups[i].ticks = group_ticks(&plan->groups[i]);
    start = now_ns();
    plan->end_ns =
        plan->count > 0 ? INT64_MAX : start + (int64_t)(plan->seconds * 1e9);
    for (unsigned i = 0; i < plan->clients; i++) {
        clients[i] = (struct client){.plan = plan, .number = i, .fd = -1};
        clients[i].random = (uint64_t)start * 2654435761U + i + 1;
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) !=
            0) {
            (void)fprintf(stderr, "load: cannot start a thread\n");
            return EXIT_FAILURE;
        }
    }
    for (unsigned i = 0; i < plan->clients; i++)
        (void)pthread_join(clients[i].thread, NULL);
    print_result(plan, clients, now_ns() - start);
    for (unsigned i = 0; i < plan->clients; i++)
        free(clients[i].times_us);
    return EXIT_SUCCESS;
}

/* Reads a number of an option; anything else than one to max is 0. */
static unsigned long number_of(const char *text, unsigned long max)
{
    char *end = NULL;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && value <= max ? value
                                                                     : 0;
}

static bool add_group(struct plan *plan, char *text)
{
    char *equals = strchr(text, '=');

    if (equals == NULL || plan->group_count == GROUPS_MAX)
        return false;
    *equals = '\0';
    plan->groups[plan->group_count].name = text;
    plan->groups[plan->group_count++].pids = equals + 1;
    return true;
}

static bool take_option(struct plan *plan, int option, char *text)
{
    switch (option) {
    case 's':
        plan->address.sun_family = AF_UNIX;
        return (size_t)snprintf(plan->address.sun_path,
                                sizeof(plan->address.sun_path), "%s",
                                text) < sizeof(plan->address.sun_path);
    case 'd':
        plan->dovecot = true;
        return true;
    case 'o':
        plan->in_order = true;
        return true;
    case 'c':
        plan->clients = (unsigned)number_of(text, CLIENTS_MAX);
        return plan->clients > 0;
    case 't':
        plan->seconds = strtod(text, NULL);
        return plan->seconds > 0;
    case 'n':
        plan->count = number_of(text, ULONG_MAX);
        return plan->count > 0;
    case 'p':
        plan->people = (unsigned)number_of(text, PEOPLE_MAX);
        return plan->people > 0;
    case 'f':
        plan->first = (unsigned)number_of(text, PEOPLE_MAX);
        return true;
    case 'C':
        return add_group(plan, text);
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static struct plan plan = {.clients = 1, .people = 1000, .seconds = 2};
    bool good = true;
    int option;

    while (good && (option = getopt(argc, argv, "s:doc:t:n:p:f:C:")) != -1)
        good = take_option(&plan, option, optarg);
    if (!good || optind != argc || plan.address.sun_family != AF_UNIX) {
        (void)fprintf(stderr, "usage: load -s SOCKET [-d] [-c CLIENTS] "
                              "[-t SECONDS | -n COUNT] [-p PEOPLE] [-f FIRST] "
                              "[-o] [-C NAME=PID,PID...]...\n");
        return 64;
    }
    return run(&plan);
}
