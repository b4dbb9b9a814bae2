/*
 * policy_load - asks a policy service at full speed and measures
 *
 * usage: policy_load -s SOCKET|PORT [-c CONNECTIONS] [-t SECONDS] [-p PEOPLE]
 *                    [-w THREADS] [-m MODE] [-o] [-H SECONDS] [-C PID,...]
 *
 * Each connection asks, waits for the whole answer and asks again, as smtpd
 * does, with every attribute of Postfix 3.7. Sender and login are one of
 * PEOPLE, drawn at random, the recipient is another. -m mail asks twice for a
 * message, at RCPT and at END-OF-MESSAGE with the same instance; rcpt only at
 * RCPT; inbound at RCPT, from outside and without a login. -o: everybody once,
 * in order. -H: a request on each connection, then they stay open and idle. -C
 * adds up the processor time of processes.
 *
 * One line comes out: rate, median, 99th percentile, longest, answers by kind.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DOMAINS 20
#define REQUEST_BYTES_MAX 1024
#define ANSWER_BYTES_MAX 1024
#define EVENTS 64
#define THREADS_MAX 8
#define INSTANCE_DIGITS 8

/*
 * A prepared request, with the places where what differs is written: all of
 * them take less memory than the caches hold, which are for who is asked.
 */
struct request {
    char text[REQUEST_BYTES_MAX];
    size_t len;
    size_t sender;
    size_t recipient;
    size_t login; /* 0: there is none */
    size_t instance;
};

struct plan {
    const char *where;
    const char *pids;
    unsigned connections;
    unsigned threads;
    unsigned people;
    unsigned hold_seconds;
    double seconds;
    bool in_order;
    bool whole_mail;
    bool inbound;
    struct request rcpt;
    struct request end;
    atomic_ulong next; /* person in order; number of a message */
    int64_t end_ns;
};

struct connection {
    int fd;
    unsigned person;
    uint32_t message;
    bool at_end; /* the request on its way is END-OF-MESSAGE */
    bool done;
    int64_t asked_ns;
    size_t len;
    char answer[ANSWER_BYTES_MAX];
};

struct worker {
    struct plan *plan;
    pthread_t thread;
    struct connection *connections;
    unsigned count;
    unsigned open;
    int epoll;
    uint64_t random;
    uint32_t *times_us;
    size_t times, times_size;
    unsigned long dunno, refused, failed;
};

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static int connect_tcp(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;

    address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* Where the value of an attribute begins; 0: it has no such person in it. */
static size_t place_of(const struct request *request, const char *mark)
{
    const char *found = strstr(request->text, mark);

    return found != NULL ? (size_t)(found - request->text) + strlen(mark) : 0;
}

/* What a client of ours sends; persons and instance are written later. */
static void make_request(struct request *request, const char *state,
                         const char *sender, const char *login)
{
    bool at_end = strcmp(state, "RCPT") != 0;

    request->len = (size_t)snprintf(
        request->text, sizeof(request->text),
        "request=smtpd_access_policy\nprotocol_state=%s\nprotocol_name=ESMTP\n"
        "client_address=192.0.2.7\nclient_name=client.example.net\n"
        "client_port=40322\nreverse_client_name=client.example.net\n"
        "server_address=192.0.2.25\nserver_port=587\n"
        "helo_name=client.example.net\nsender=%s\n"
        "recipient=u00000@d00.example\nrecipient_count=%d\nqueue_id=%s\n"
        "instance=00000000.6744c1a2.%05u.0\nsize=%d\netrn_domain=\nstress=\n"
        "sasl_method=%s\nsasl_username=%s\nsasl_sender=\n"
        "ccert_subject=\nccert_issuer=\nccert_fingerprint=\n"
        "ccert_pubkey_fingerprint=\nencryption_protocol=TLSv1.3\n"
        "encryption_cipher=TLS_AES_256_GCM_SHA384\nencryption_keysize=256\n"
        "policy_context=\n\n",
        state, sender, at_end ? 1 : 0, at_end ? "4XyZ1234ABCDEF" : "",
        (unsigned)getpid() % 100000, at_end ? 2345 : 2000,
        login[0] != '\0' ? "PLAIN" : "", login);
    request->sender = place_of(request, "\nsender=u");
    request->recipient = place_of(request, "\nrecipient=u");
    request->login = place_of(request, "\nsasl_username=u");
    request->instance = place_of(request, "\ninstance=");
}

static void make_requests(struct plan *plan)
{
    static const char person[] = "u00000@d00.example";

    make_request(&plan->rcpt, "RCPT",
                 plan->inbound ? "friend@elsewhere.example" : person,
                 plan->inbound ? "" : person);
    make_request(&plan->end, "END-OF-MESSAGE", person, person);
}

/* Writes the lowest digits of a number, in a base of at most 16. */
static void put_digits(char *at, unsigned width, unsigned number, unsigned base)
{
    static const char digits[] = "0123456789abcdef";

    while (width-- > 0) {
        at[width] = digits[number % base];
        number /= base;
    }
}

/* Writes "00000@d00.example" for a person; at 0 there is nobody. */
static void put_person(char *text, size_t at, unsigned person)
{
    if (at == 0)
        return;
    put_digits(text + at, 5, person, 10);
    put_digits(text + at + strlen("00000@d"), 2, person % DOMAINS, 10);
}

static uint32_t draw(struct worker *worker, unsigned below)
{
    worker->random ^= worker->random >> 12;
    worker->random ^= worker->random << 25;
    worker->random ^= worker->random >> 27;
    return (uint32_t)((worker->random * 2685821657736338717U >> 32) % below);
}

static void note(struct worker *worker, int64_t ns)
{
    if (worker->times == worker->times_size) {
        size_t size = worker->times_size > 0 ? 2 * worker->times_size : 65536;
        uint32_t *times = realloc(worker->times_us, size * sizeof(*times));

        if (times == NULL)
            return;
        worker->times_us = times;
        worker->times_size = size;
    }
    worker->times_us[worker->times++] = (uint32_t)(ns / 1000);
}

static void give_up(struct worker *worker, struct connection *connection,
                    bool failed)
{
    worker->failed += failed ? 1 : 0;
    worker->open--;
    connection->done = true;
    if (failed || worker->plan->hold_seconds == 0) {
        (void)close(connection->fd);
        connection->fd = -1;
    }
}

/* Sends the connection's next request, or ends it. */
static void ask(struct worker *worker, struct connection *connection)
{
    struct plan *plan = worker->plan;
    const struct request *request;
    char text[REQUEST_BYTES_MAX];
    int64_t now = now_ns();
    unsigned other;

    connection->at_end =
        plan->whole_mail && !connection->at_end && connection->message != 0;
    if (!connection->at_end) {
        unsigned long number = atomic_fetch_add(&plan->next, 1);

        if (plan->in_order ? number >= plan->people : now >= plan->end_ns) {
            give_up(worker, connection, false);
            return;
        }
        connection->message = (uint32_t)number + 1;
        connection->person =
            plan->in_order ? (unsigned)number : draw(worker, plan->people);
    }
    /* Mail from outside goes to the person, mail of the person to another. */
    other = plan->inbound
                ? connection->person
                : (unsigned)((connection->person * UINT64_C(7919) + 1) %
                             plan->people);
    request = connection->at_end ? &plan->end : &plan->rcpt;
    memcpy(text, request->text, request->len);
    put_person(text, request->sender, connection->person);
    put_person(text, request->recipient, other);
    put_person(text, request->login, connection->person);
    put_digits(text + request->instance, INSTANCE_DIGITS, connection->message,
               16);
    connection->asked_ns = now;
    connection->len = 0;
    if (send(connection->fd, text, request->len, MSG_NOSIGNAL) !=
        (ssize_t)request->len)
        give_up(worker, connection, true);
}

static void take_answer(struct worker *worker, struct connection *connection)
{
    ssize_t got =
        recv(connection->fd, connection->answer + connection->len,
             sizeof(connection->answer) - 1 - connection->len, MSG_DONTWAIT);

    if (got <= 0) {
        give_up(worker, connection, true);
        return;
    }
    connection->len += (size_t)got;
    connection->answer[connection->len] = '\0';
    if (connection->len < 2 ||
        memcmp(connection->answer + connection->len - 2, "\n\n", 2) != 0)
        return;
    note(worker, now_ns() - connection->asked_ns);
    if (strncasecmp(connection->answer, "action=dunno", 12) == 0) {
        worker->dunno++;
    } else {
        worker->refused++;
        connection->message = 0; /* There is no END-OF-MESSAGE then. */
    }
    if (worker->plan->hold_seconds > 0)
        give_up(worker, connection, false);
    else
        ask(worker, connection);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct epoll_event events[EVENTS];

    for (unsigned i = 0; i < worker->count; i++)
        ask(worker, &worker->connections[i]);
    while (worker->open > 0) {
        int count = epoll_wait(worker->epoll, events, EVENTS, 10000);

        if (count == 0)
            break; /* Nobody answers any more. */
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;

            if (!connection->done)
                take_answer(worker, connection);
        }
    }
    worker->failed += worker->open;
    return NULL;
}

static bool open_connections(struct worker *worker)
{
    const char *where = worker->plan->where;

    worker->connections = calloc(worker->count, sizeof(struct connection));
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (worker->connections == NULL || worker->epoll < 0)
        return false;
    for (unsigned i = 0; i < worker->count; i++) {
        struct connection *connection = &worker->connections[i];
        struct epoll_event event = {.events = EPOLLIN,
                                    .data = {.ptr = connection}};

        connection->fd = isdigit((unsigned char)where[0]) ? connect_tcp(where)
                                                          : connect_unix(where);
        if (connection->fd < 0 ||
            epoll_ctl(worker->epoll, EPOLL_CTL_ADD, connection->fd, &event))
            return false;
        worker->open++;
    }
    return true;
}

/* User and system time of the processes, in ticks. */
static uint64_t ticks_of(const char *pids)
{
    uint64_t sum = 0;

    while (*pids != '\0') {
        size_t len = strcspn(pids, ",");
        char path[64];
        char text[1024];
        FILE *file;

        (void)snprintf(path, sizeof(path), "/proc/%.*s/stat", (int)len, pids);
        file = fopen(path, "re");
        if (file != NULL) {
            char *at;

            text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
            (void)fclose(file);
            at = strrchr(text, ')');
            for (int word = 0; at != NULL && word < 12; word++)
                at = strchr(at + 1, ' ');
            if (at != NULL) {
                sum += strtoull(at, &at, 10);
                sum += strtoull(at, NULL, 10);
            }
        }
        pids += len + (pids[len] == ',' ? 1 : 0);
    }
    return sum;
}

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;

    return a < b ? -1 : a > b;
}

static int report(const struct worker *workers, unsigned count, int64_t ns,
                  uint64_t ticks)
{
    unsigned long dunno = 0;
    unsigned long refused = 0;
    unsigned long failed = 0;
    size_t total = 0;
    long ticks_in_second = sysconf(_SC_CLK_TCK);
    double ticks_us = (double)ticks * 1e6 / (double)ticks_in_second;
    uint32_t *times;
    size_t at = 0;

    for (unsigned i = 0; i < count; i++)
        total += workers[i].times;
    times = calloc(total + 1, sizeof(*times));
    if (times == NULL)
        return 1;
    for (unsigned i = 0; i < count; i++) {
        if (workers[i].times > 0)
            memcpy(times + at, workers[i].times_us,
                   workers[i].times * sizeof(*times));
        at += workers[i].times;
        dunno += workers[i].dunno;
        refused += workers[i].refused;
        failed += workers[i].failed;
    }
    qsort(times, total, sizeof(*times), compare);
    (void)printf("rate=%.0f p50_us=%u p99_us=%u max_us=%u dunno=%lu "
                 "refused=%lu failed=%lu cpu_us=%.1f\n",
                 (double)total * 1e9 / (double)ns, times[total / 2],
                 times[total * 99 / 100], total > 0 ? times[total - 1] : 0,
                 dunno, refused, failed,
                 total > 0 ? ticks_us / (double)total : 0.0);
    free(times);
    return 0;
}

static bool read_options(struct plan *plan, int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "s:c:t:p:w:m:oH:C:")) != -1) {
        unsigned number =
            optarg != NULL ? (unsigned)strtoul(optarg, NULL, 10) : 0;

        switch (option) {
        case 's':
            plan->where = optarg;
            break;
        case 'c':
            plan->connections = number;
            break;
        case 't':
            plan->seconds = strtod(optarg, NULL);
            break;
        case 'p':
            plan->people = number;
            break;
        case 'w':
            plan->threads = number;
            break;
        case 'm':
            plan->whole_mail = strcmp(optarg, "mail") == 0;
            plan->inbound = strcmp(optarg, "inbound") == 0;
            break;
        case 'o':
            plan->in_order = true;
            break;
        case 'H':
            plan->hold_seconds = number;
            break;
        case 'C':
            plan->pids = optarg;
            break;
        default:
            return false;
        }
    }
    if (plan->threads > plan->connections)
        plan->threads = plan->connections;
    return plan->where != NULL && plan->people > 1 && plan->threads > 0 &&
           plan->threads <= THREADS_MAX;
}

int main(int argc, char **argv)
{
    struct plan plan = {.pids = "",
                        .connections = 8,
                        .threads = 2,
                        .people = 10000,
                        .seconds = 1.5};
    static struct worker workers[THREADS_MAX];
    struct rlimit files = {65536, 65536};
    uint64_t ticks;
    int64_t start;

    if (!read_options(&plan, argc, argv))
        return 64;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    make_requests(&plan);
    for (unsigned i = 0; i < plan.threads; i++) {
        workers[i].plan = &plan;
        workers[i].random = 88172645463325252U + i;
        workers[i].count = plan.connections / plan.threads +
                           (i < plan.connections % plan.threads ? 1 : 0);
        if (!open_connections(&workers[i])) {
            (void)fprintf(stderr, "policy_load: no connection to %s\n",
                          plan.where);
            return 75;
        }
    }
    ticks = ticks_of(plan.pids);
    start = now_ns();
    plan.end_ns = start + (int64_t)(plan.seconds * 1e9);
    for (unsigned i = 0; i < plan.threads; i++) {
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return 75;
    }
    for (unsigned i = 0; i < plan.threads; i++)
        (void)pthread_join(workers[i].thread, NULL);
    if (report(workers, plan.threads, now_ns() - start,
               ticks_of(plan.pids) - ticks) != 0)
        return 75;
    (void)fflush(stdout);
    if (plan.hold_seconds > 0)
        (void)sleep(plan.hold_seconds);
    return 0;
}
