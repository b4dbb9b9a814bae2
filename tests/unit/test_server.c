/* test_server - whole frames get answers, whatever other peers do */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "server.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAME_MAX 64
#define LONG "now, now, now, now, now, now, now\n"
#define PEERS 40

/*
 * The protocol of this test: a line is a frame; '!' is no frame. "hold" is
 * answered when the test lets go, "keep..." keeps the connection; "now..." is
 * answered at once with "@", behind which a long one is said twice, and keeps
 * it unless it is "now bye".
 */
struct lab {
    struct server *server;
    char folder[64];
    char path[80];
    _Atomic bool let_go;
    _Atomic unsigned held;
    _Atomic unsigned turned_away[SERVER_WHY_COUNT];
    _Atomic size_t last_turned_len;
};

static enum server_frame line_frame(void *context, const unsigned char *data,
                                    size_t len, size_t *used_r)
{
    const unsigned char *end = memchr(data, '\n', len);

    (void)context;
    if (memchr(data, '!', len) != NULL)
        return SERVER_FRAME_INVALID;
    if (end == NULL)
        return SERVER_FRAME_MORE;
    *used_r = (size_t)(end - data) + 1;
    return SERVER_FRAME_WHOLE;
}

static bool answer_now(void *context, struct server_request *request,
                       enum server_after *after_r)
{
    (void)context;
    if (request->len < 4 || memcmp(request->data, "now", 3) != 0)
        return false;
    (void)server_reply(request, "@", 1);
    for (int i = 0; i < 2 && request->len > 32; i++)
        (void)server_reply(request, request->data, request->len);
    *after_r = request->len == 8 && memcmp(request->data, "now bye\n", 8) == 0
                   ? SERVER_CLOSE
                   : SERVER_KEEP;
    return true;
}

static enum server_after answer(void *context, unsigned worker,
                                struct server_request *request)
{
    struct lab *lab = context;

    (void)worker;
    if (request->len >= 4 && memcmp(request->data, "hold", 4) == 0) {
        atomic_fetch_add(&lab->held, 1);
        while (!atomic_load(&lab->let_go))
            clock_sleep_ms(1);
        atomic_fetch_sub(&lab->held, 1);
    }
    (void)server_reply(request, request->data, request->len);
    return memcmp(request->data, "keep", 4) == 0 ? SERVER_KEEP : SERVER_CLOSE;
}

static void say_goodbye(void *context, struct server_request *request,
                        enum server_why why)
{
    struct lab *lab = context;

    atomic_fetch_add(&lab->turned_away[why], 1);
    atomic_store(&lab->last_turned_len, request->len);
    if (why != SERVER_PEER_REFUSED)
        (void)server_reply(request, server_why_name(why),
                           strlen(server_why_name(why)));
}

static const struct server_limits usual_limits = {
    .connections_max = 2 * PEERS,
    .queue_max = 8,
    .workers = 2,
    .frame_bytes_max = FRAME_MAX,
    .frame_timeout_ms = 30000,
    .idle_timeout_ms = 30000,
    .queue_age_ms = 30000,
    .reply_timeout_ms = 1000,
};

/* Starts a server with one door for the given user names. */
static void start_for(struct lab *lab, const struct server_limits *limits,
                      const struct server_peers *peers)
{
    static const struct server_hooks hooks = {
        .frame = line_frame,
        .at_once = answer_now,
        .handle = answer,
        .turn_away = say_goodbye,
    };
    struct listen_settings set = {.mode = 0600, .group = ""};
    struct errtext err = {0};

    memset(lab, 0, sizeof(*lab));
    (void)snprintf(lab->folder, sizeof(lab->folder), "/tmp/test_server.XXXXXX");
    if (mkdtemp(lab->folder) == NULL)
        abort();
    (void)snprintf(lab->path, sizeof(lab->path), "%s/mux", lab->folder);
    set.path = lab->path;
    if (server_new(limits, &hooks, lab, &lab->server, &err) != STATUS_OK ||
        server_add_door(lab->server, &set, NULL, peers, &err) != STATUS_OK ||
        server_start(lab->server, &err) != STATUS_OK)
        abort();
}

static void start(struct lab *lab, const struct server_limits *limits)
{
    static const struct server_peers everybody = {0};

    start_for(lab, limits, &everybody);
}

static void stop(struct lab *lab)
{
    struct errtext err = {0};

    atomic_store(&lab->let_go, true);
    CU_ASSERT_EQUAL(server_stop(lab->server, clock_ms() + 5000, &err),
                    STATUS_OK);
    server_free(&lab->server);
    CU_ASSERT_NOT_EQUAL(access(lab->path, F_OK), 0);
    (void)rmdir(lab->folder);
}

static int dial(const struct lab *lab)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", lab->path);
    if (connect(fd, (struct sockaddr *)(void *)&name, sizeof(name)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void say(int fd, const char *text)
{
    (void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Reads until the peer closes, or for two seconds; the text is static. */
static const char *hear(int fd)
{
    static char text[512];
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    size_t len = 0;
    ssize_t got = 1;

    while (got > 0 && len < sizeof(text) - 1 && poll(&wanted, 1, 8000) > 0) {
        got = recv(fd, text + len, sizeof(text) - 1 - len, 0);
        if (got > 0)
            len += (size_t)got;
    }
    text[len] = '\0';
    return got == 0 || (got < 0 && errno == ECONNRESET) ? text : "still open";
}

static const char *ask(const struct lab *lab, const char *text)
{
    int fd = dial(lab);
    const char *heard;

    say(fd, text);
    heard = hear(fd);
    (void)close(fd);
    return heard;
}

/* Waits until the counter reached value. */
static bool reached(_Atomic unsigned *counter, unsigned value)
{
    int64_t deadline_ms = clock_ms() + 5000;

    while (atomic_load(counter) < value && clock_ms() < deadline_ms)
        clock_sleep_ms(1);
    return atomic_load(counter) >= value;
}

/* Waits until so many frames wait for a worker. */
static bool queued(const struct lab *lab, unsigned value)
{
    int64_t deadline_ms = clock_ms() + 5000;
    struct server_counts counts;

    for (;;) {
        server_counts(lab->server, &counts);
        if (counts.queued >= value || clock_ms() > deadline_ms)
            return counts.queued >= value;
        clock_sleep_ms(1);
    }
}

/* So many peers, of whom two hold the workers and the others wait. */
static void hold_workers(struct lab *lab, int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fds[i] = dial(lab);
        say(fds[i], "hold\n");
    }
    CU_ASSERT_TRUE(reached(&lab->held, 2));
}

/* All of them are answered once they are let go. */
static void hear_holders(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_STRING_EQUAL(hear(fds[i]), "hold\n");
        (void)close(fds[i]);
    }
}

/* The counts once nobody is connected, or after five seconds. */
static struct server_counts when_all_left(const struct lab *lab)
{
    struct server_counts counts;

    server_counts(lab->server, &counts);
    for (int tries = 0; counts.connections > 0 && tries < 1000; tries++) {
        clock_sleep_ms(5);
        server_counts(lab->server, &counts);
    }
    return counts;
}

static void answers_frames_however_they_come(void)
{
    struct lab lab;
    int fd;

    start(&lab, &usual_limits);
    CU_ASSERT_STRING_EQUAL(ask(&lab, "hello\n"), "hello\n");
    fd = dial(&lab);
    for (const char *byte = "slow"; *byte != '\0'; byte++) {
        (void)send(fd, byte, 1, MSG_NOSIGNAL);
        clock_sleep_ms(2);
    }
    say(fd, "\n");
    CU_ASSERT_STRING_EQUAL(hear(fd), "slow\n");
    (void)close(fd);
    stop(&lab);
}

static void bounds_a_frame(void)
{
    struct lab lab;
    char text[FRAME_MAX + 2];
    int fd;

    start(&lab, &usual_limits);
    memset(text, 'x', sizeof(text));
    text[FRAME_MAX - 1] = '\n';
    text[FRAME_MAX] = '\0';
    CU_ASSERT_STRING_EQUAL(ask(&lab, text), text);
    text[FRAME_MAX - 1] = 'x';
    fd = dial(&lab);
    say(fd, text);
    clock_sleep_ms(20);
    say(fd, "x");
    CU_ASSERT_STRING_EQUAL(hear(fd), "invalid");
    CU_ASSERT_EQUAL(atomic_load(&lab.last_turned_len), FRAME_MAX + 1);
    /* What it still sends is taken, so that it can read the answer. */
    CU_ASSERT_EQUAL(send(fd, text, FRAME_MAX, MSG_NOSIGNAL), FRAME_MAX);
    (void)close(fd);
    CU_ASSERT_STRING_EQUAL(ask(&lab, "no!"), "invalid");
    stop(&lab);
}

static void keeps_a_connection_for_more(void)
{
    struct lab lab;
    struct server_limits limits = usual_limits;
    char text[64] = "";
    int fd;

    start(&lab, &limits);
    fd = dial(&lab);
    say(fd, "keep 1\nkeep 2\nke");
    clock_sleep_ms(50);
    say(fd, "ep 3\n");
    clock_sleep_ms(50);
    say(fd, "bye\n");
    CU_ASSERT_STRING_EQUAL(hear(fd), "keep 1\nkeep 2\nkeep 3\nbye\n");
    (void)close(fd);
    stop(&lab);

    limits.idle_timeout_ms = 500;
    start(&lab, &limits);
    fd = dial(&lab);
    say(fd, "keep\n");
    CU_ASSERT_STRING_EQUAL(hear(fd), "keep\nidle");
    (void)close(fd);
    fd = dial(&lab);
    say(fd, "keep\n");
    CU_ASSERT_EQUAL(recv(fd, text, sizeof(text) - 1, 0), 5);
    say(fd, "par");
    clock_sleep_ms(700); /* a frame that has begun has a frame's time */
    say(fd, "tial\n");
    CU_ASSERT_STRING_EQUAL(hear(fd), "partial\n");
    (void)close(fd);
    stop(&lab);
}

/* Also while all workers are busy, in order with what needs a worker. */
static void answers_without_a_worker(void)
{
    struct lab lab;
    struct server_limits limits = usual_limits;
    int holding;
    int fd;

    limits.workers = 1;
    limits.idle_timeout_ms = 500;
    start(&lab, &limits);
    fd = dial(&lab);
    say(fd, "now 1\nkeep 2\nnow 3\nnow 4\nkeep 5\nno");
    clock_sleep_ms(50);
    say(fd, "w 6\nnow bye\nnow 7\n");
    CU_ASSERT_STRING_EQUAL(hear(fd), "@keep 2\n@@keep 5\n@@");
    (void)close(fd);
    /* More than the replies that wait have room for. */
    CU_ASSERT_STRING_EQUAL(ask(&lab, "now\n" LONG "now\nnow bye\n"),
                           "@@" LONG LONG "@@");
    holding = dial(&lab);
    say(holding, "hold\n");
    CU_ASSERT_TRUE(reached(&lab.held, 1));
    CU_ASSERT_STRING_EQUAL(ask(&lab, "now\nnow bye\n"), "@@");
    fd = dial(&lab);
    say(fd, "now\n");
    CU_ASSERT_STRING_EQUAL(hear(fd), "@idle");
    (void)close(fd);
    atomic_store(&lab.let_go, true);
    CU_ASSERT_STRING_EQUAL(hear(holding), "hold\n");
    (void)close(holding);
    fd = dial(&lab);
    (void)shutdown(fd, SHUT_RD); /* it takes no answer, and asks for two */
    say(fd, "now\nkeep\n");
    (void)close(fd);
    CU_ASSERT_EQUAL(when_all_left(&lab).connections, 0);
    stop(&lab);
}

static void lets_no_slow_peer_hold_a_worker(void)
{
    struct lab lab;
    struct server_limits limits = usual_limits;
    int silent;
    int partial;

    limits.workers = 1;
    limits.frame_timeout_ms = 100;
    start(&lab, &limits);
    silent = dial(&lab);
    partial = dial(&lab);
    say(partial, "par");
    CU_ASSERT_STRING_EQUAL(ask(&lab, "good\n"), "good\n");
    CU_ASSERT_STRING_EQUAL(hear(silent), "slow");
    CU_ASSERT_STRING_EQUAL(hear(partial), "slow");
    CU_ASSERT_EQUAL(atomic_load(&lab.last_turned_len), 0);
    (void)close(silent);
    (void)close(partial);
    stop(&lab);
}

static void turns_away_from_a_full_queue(void)
{
    struct lab lab;
    struct server_limits limits = usual_limits;
    int holders[2];
    int waiting[2];

    limits.queue_max = 2;
    start(&lab, &limits);
    hold_workers(&lab, holders, 2);
    for (size_t i = 0; i < 2; i++) {
        waiting[i] = dial(&lab);
        say(waiting[i], "waits\n");
    }
    CU_ASSERT_TRUE(queued(&lab, 2));
    CU_ASSERT_STRING_EQUAL(ask(&lab, "late\n"), "queue_full");
    CU_ASSERT_EQUAL(atomic_load(&lab.last_turned_len), 5);
    atomic_store(&lab.let_go, true);
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_STRING_EQUAL(hear(waiting[i]), "waits\n");
        CU_ASSERT_STRING_EQUAL(hear(holders[i]), "hold\n");
        (void)close(waiting[i]);
        (void)close(holders[i]);
    }
    stop(&lab);
}

static void turns_away_what_waited_too_long(void)
{
    struct lab lab;
    struct server_limits limits = usual_limits;
    int64_t start_ms;

    limits.workers = 1;
    limits.queue_age_ms = 100;
    start(&lab, &limits);
    {
        int holder = dial(&lab);

        say(holder, "hold\n");
        CU_ASSERT_TRUE(reached(&lab.held, 1));
        start_ms = clock_ms();
        CU_ASSERT_STRING_EQUAL(ask(&lab, "waits\n"), "queue_age");
        CU_ASSERT_TRUE(clock_ms() - start_ms >= 90);
        CU_ASSERT_TRUE(clock_ms() - start_ms < 4000);
        CU_ASSERT_EQUAL(atomic_load(&lab.last_turned_len), 6);
        CU_ASSERT_FALSE(server_alive(lab.server, 50));
        CU_ASSERT_TRUE(server_alive(lab.server, 60000));
        atomic_store(&lab.let_go, true);
        CU_ASSERT_STRING_EQUAL(hear(holder), "hold\n");
        (void)close(holder);
    }
    stop(&lab);
}

static void gives_the_oldest_idle_place(void)
{
    struct lab lab;
    struct server_limits limits = usual_limits;
    int idle[PEERS];

    limits.connections_max = PEERS;
    start(&lab, &limits);
    for (size_t i = 0; i < PEERS; i++)
        idle[i] = dial(&lab);
    for (size_t i = 0; i < 10; i++)
        CU_ASSERT_STRING_EQUAL(ask(&lab, "good\n"), "good\n");
    CU_ASSERT_STRING_EQUAL(hear(idle[0]), "crowded");
    say(idle[PEERS - 1], "young\n");
    CU_ASSERT_STRING_EQUAL(hear(idle[PEERS - 1]), "young\n");
    for (size_t i = 0; i < PEERS; i++)
        (void)close(idle[i]);
    stop(&lab);
}

static void keeps_who_is_there_if_told_to(void)
{
    struct lab lab;
    struct server_limits limits = usual_limits;
    int idle[PEERS];

    limits.connections_max = PEERS;
    limits.keeps_old = true;
    start(&lab, &limits);
    for (size_t i = 0; i < PEERS; i++)
        idle[i] = dial(&lab);
    CU_ASSERT_STRING_EQUAL(ask(&lab, "late\n"), "crowded");
    for (size_t i = 0; i < PEERS; i++) {
        say(idle[i], "good\n");
        CU_ASSERT_STRING_EQUAL(hear(idle[i]), "good\n");
        (void)close(idle[i]);
    }
    stop(&lab);
}

static void turns_away_when_all_hold_frames(void)
{
    struct lab lab;
    struct server_limits limits = usual_limits;
    int holders[3];

    limits.connections_max = 3;
    start(&lab, &limits);
    hold_workers(&lab, holders, 3);
    CU_ASSERT_TRUE(queued(&lab, 1));
    CU_ASSERT_STRING_EQUAL(ask(&lab, "late\n"), "crowded");
    atomic_store(&lab.let_go, true);
    hear_holders(holders, 3);
    stop(&lab);
}

/* Takes every descriptor the process may still have. */
static size_t exhaust(int *fds, size_t max)
{
    size_t count = 0;

    while (count < max && (fds[count] = dup(0)) >= 0)
        count++;
    return count;
}

static void serves_when_descriptors_run_out(void)
{
    struct lab lab;
    struct rlimit old;
    struct rlimit few;
    int fds[256];
    int holders[2];
    int late;
    size_t count;

    (void)getrlimit(RLIMIT_NOFILE, &old);
    start(&lab, &usual_limits);
    few = old;
    few.rlim_cur = 64;
    (void)setrlimit(RLIMIT_NOFILE, &few);
    hold_workers(&lab, holders, 2);
    late = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    count = exhaust(fds, ARRAY_SIZE(fds));
    {
        struct sockaddr_un name = {.sun_family = AF_UNIX};

        (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", lab.path);
        CU_ASSERT_EQUAL(
            connect(late, (struct sockaddr *)(void *)&name, sizeof(name)), 0);
    }
    CU_ASSERT_STRING_EQUAL(hear(late), "no_descriptor");
    (void)close(late);
    for (size_t i = 0; i < count; i++)
        (void)close(fds[i]);
    (void)setrlimit(RLIMIT_NOFILE, &old);
    atomic_store(&lab.let_go, true);
    CU_ASSERT_STRING_EQUAL(ask(&lab, "good\n"), "good\n");
    hear_holders(holders, 2);
    stop(&lab);
}

static void closes_unread_who_is_not_allowed(void)
{
    static const char *const daemon_only[] = {"daemon"};
    struct server_peers peers = {.names = daemon_only, .count = 1};
    struct passwd *nobody = getpwnam("nobody");
    struct lab lab;
    struct server_counts counts;

    start_for(&lab, &usual_limits, &peers);
    if (geteuid() == 0) {
        CU_ASSERT_STRING_EQUAL(ask(&lab, "root\n"), "root\n");
        (void)chmod(lab.folder, 0711);
        (void)chmod(lab.path, 0666);
        CU_ASSERT_EQUAL(seteuid(nobody->pw_uid), 0);
    }
    {
        int fd = dial(&lab);

        say(fd, "other\n");
        CU_ASSERT_STRING_EQUAL(hear(fd), "");
        (void)close(fd);
    }
    if (getuid() == 0)
        CU_ASSERT_EQUAL(seteuid(0), 0);
    CU_ASSERT_EQUAL(atomic_load(&lab.turned_away[SERVER_PEER_REFUSED]), 1);
    /* A worker closes root's connection a moment after it has answered. */
    counts = when_all_left(&lab);
    CU_ASSERT_EQUAL(counts.turned_away[SERVER_PEER_REFUSED], 1);
    CU_ASSERT_EQUAL(counts.connections, 0);
    stop(&lab);
}

static void refuses_a_user_nobody_knows(void)
{
    static const char *const names[] = {"no-such-user"};
    struct server_peers peers = {.names = names, .count = 1};
    struct listen_settings set = {.path = "/tmp/x", .mode = 0600, .group = ""};
    struct server_hooks hooks = {0};
    struct server *server = NULL;
    struct errtext err = {0};

    CU_ASSERT_EQUAL(server_new(&usual_limits, &hooks, NULL, &server, &err),
                    STATUS_OK);
    CU_ASSERT_EQUAL(server_add_door(server, &set, NULL, &peers, &err),
                    STATUS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no-such-user"));
    server_free(&server);
}

static void drains_when_it_stops(void)
{
    struct lab lab;
    struct errtext err = {0};
    int idle;
    int holders[4];

    start(&lab, &usual_limits);
    idle = dial(&lab);
    hold_workers(&lab, holders, 4);
    CU_ASSERT_TRUE(queued(&lab, 2));
    atomic_store(&lab.let_go, true);
    CU_ASSERT_EQUAL(server_stop(lab.server, clock_ms() + 5000, &err),
                    STATUS_OK);
    CU_ASSERT_STRING_EQUAL(hear(idle), "stopping");
    (void)close(idle);
    hear_holders(holders, 4);
    CU_ASSERT_EQUAL(dial(&lab), -1);
    server_free(&lab.server);
    (void)rmdir(lab.folder);
}

static void stops_on_time_with_a_full_queue(void)
{
    struct lab lab;
    struct errtext err = {0};
    int64_t start_ms;
    int fds[4];

    start(&lab, &usual_limits);
    hold_workers(&lab, fds, 4);
    CU_ASSERT_TRUE(queued(&lab, 2));
    start_ms = clock_ms();
    CU_ASSERT_EQUAL(server_stop(lab.server, start_ms + 100, &err),
                    STATUS_TEMPFAIL);
    CU_ASSERT_TRUE(clock_ms() - start_ms < 6000);
    CU_ASSERT_EQUAL(atomic_load(&lab.turned_away[SERVER_STOPPING]), 2);
    atomic_store(&lab.let_go, true);
    CU_ASSERT_EQUAL(server_stop(lab.server, clock_ms() + 5000, &err),
                    STATUS_OK);
    server_free(&lab.server);
    for (size_t i = 0; i < 4; i++)
        (void)close(fds[i]);
    (void)rmdir(lab.folder);
}

static void survives_peers_that_come_and_go(void)
{
    struct lab lab;
    struct server_limits limits = usual_limits;
    struct server_counts counts;

    limits.queue_max = 1000; /* who has gone has still asked */
    limits.connections_max = 1000;
    start(&lab, &limits);
    for (size_t i = 0; i < 500; i++) {
        int fd = dial(&lab);

        if (i % 3 == 1)
            say(fd, "gone\n");
        if (i % 3 == 2)
            say(fd, "par");
        (void)close(fd);
    }
    CU_ASSERT_STRING_EQUAL(ask(&lab, "good\n"), "good\n");
    counts = when_all_left(&lab);
    CU_ASSERT_EQUAL(counts.connections, 0);
    CU_ASSERT_EQUAL(counts.queued, 0);
    CU_ASSERT_EQUAL(counts.in_flight, 0);
    CU_ASSERT_EQUAL(counts.accepted, 501);
    stop(&lab);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"answers frames however they come", answers_frames_however_they_come},
        {"bounds a frame", bounds_a_frame},
        {"keeps a connection for more", keeps_a_connection_for_more},
        {"answers without a worker", answers_without_a_worker},
        {"lets no slow peer hold a worker", lets_no_slow_peer_hold_a_worker},
        {"turns away from a full queue", turns_away_from_a_full_queue},
        {"turns away what waited too long", turns_away_what_waited_too_long},
        {"gives the oldest idle peer's place", gives_the_oldest_idle_place},
        {"keeps who is there if told to", keeps_who_is_there_if_told_to},
        {"turns away when all hold frames", turns_away_when_all_hold_frames},
        {"serves when descriptors run out", serves_when_descriptors_run_out},
        {"closes unread who is not allowed", closes_unread_who_is_not_allowed},
        {"refuses a user nobody knows", refuses_a_user_nobody_knows},
        {"drains when it stops", drains_when_it_stops},
        {"stops on time with a full queue", stops_on_time_with_a_full_queue},
        {"survives peers that come and go", survives_peers_that_come_and_go},
        CU_TEST_INFO_NULL,
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return run_tests("server", tests);
}
