/* test_directory_socket - names, addresses and connecting in time */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "directory_socket.h"
#include "unit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A listener at 127.0.0.1, or NULL port: none. */
static int listen_at(in_addr_t address, in_port_t *port, int backlog)
{
    struct sockaddr_in self = {
        .sin_family = AF_INET,
        .sin_port = htons(*port),
        .sin_addr.s_addr = htonl(address),
    };
    socklen_t len = sizeof(self);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CU_ASSERT_TRUE_FATAL(
        fd >= 0 &&
        bind(fd, (const struct sockaddr *)&self, sizeof(self)) == 0 &&
        listen(fd, backlog) == 0 &&
        getsockname(fd, (struct sockaddr *)&self, &len) == 0);
    *port = ntohs(self.sin_port);
    return fd;
}

static void add(struct directory_addresses *list, in_addr_t address,
                in_port_t port)
{
    struct sockaddr_in peer = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(address),
    };

    memcpy(&list->list[list->count].storage, &peer, sizeof(peer));
    list->list[list->count++].len = sizeof(peer);
}

/* A listener whose queue is full swallows connections; fds stay open. */
static in_port_t swallow(int fds[8])
{
    struct directory_addresses addresses = {.count = 0};
    in_port_t port = 0;

    fds[0] = listen_at(INADDR_LOOPBACK, &port, 0);
    add(&addresses, INADDR_LOOPBACK, port);
    for (size_t i = 1; i < 8; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[i],
                      (const struct sockaddr *)&addresses.list[0].storage,
                      addresses.list[0].len);
    }
    return port;
}

static in_port_t refuse(void)
{
    in_port_t port = 0;

    (void)close(listen_at(INADDR_LOOPBACK, &port, 1));
    return port;
}

static void takes_the_address_that_answers(void)
{
    int fds[8];
    in_port_t good = 0;
    int listener = listen_at(INADDR_LOOPBACK, &good, 8);
    in_port_t swallowing = swallow(fds);
    in_port_t refusing = refuse();
    const struct {
        const char *name;
        in_port_t ports[3];
        int most_ms;
    } cases[] = {
        {"one", {good}, 100},
        {"refused first", {refusing, good}, 100},
        {"refused twice", {refusing, refusing, good}, 100},
        {"swallowed first", {swallowing, good}, 500},
        {"swallowed, refused", {swallowing, refusing, good}, 500},
        {"swallowed last", {good, swallowing}, 100},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct directory_addresses addresses = {.count = 0};
        struct errtext err = {{0}};
        int64_t start = clock_ms();
        int fd = -1;
        int on = 0;
        socklen_t len = sizeof(on);

        for (size_t k = 0; k < 3 && cases[i].ports[k] != 0; k++)
            add(&addresses, INADDR_LOOPBACK, cases[i].ports[k]);
        CHECK_CASE(cases[i].name,
                   directory_socket_connect(&addresses, start + 5000, &fd,
                                            &err) == STATUS_OK);
        CHECK_CASE(cases[i].name, clock_ms() - start <= cases[i].most_ms);
        CHECK_CASE(cases[i].name, (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
        CHECK_CASE(cases[i].name, (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        CHECK_CASE(cases[i].name,
                   getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len) == 0 &&
                       on != 0);
        (void)close(fd);
    }
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        (void)close(fds[i]);
    (void)close(listener);
}

static void ends_by_the_deadline(void)
{
    int fds[8];
    in_port_t swallowing = swallow(fds);
    in_port_t refusing = refuse();
    const struct {
        const char *name;
        in_port_t ports[2];
        int least_ms, most_ms;
        const char *text;
    } cases[] = {
        {"refused", {refusing}, 0, 100, "Connection refused"},
        {"swallowed", {swallowing}, 400, 700, "timed out"},
        {"both", {refusing, swallowing}, 400, 700, "timed out"},
        {"swallowed twice", {swallowing, swallowing}, 400, 700, "timed out"},
        {"none", {0}, 0, 100, "connect"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct directory_addresses addresses = {.count = 0};
        struct errtext err = {{0}};
        int64_t start = clock_ms();
        int fd = -1;

        for (size_t k = 0; k < 2 && cases[i].ports[k] != 0; k++)
            add(&addresses, INADDR_LOOPBACK, cases[i].ports[k]);
        CHECK_CASE(cases[i].name,
                   directory_socket_connect(&addresses, start + 400, &fd,
                                            &err) == STATUS_TEMPFAIL);
        CHECK_CASE(cases[i].name, fd == -1);
        CHECK_CASE(cases[i].name, clock_ms() - start >= cases[i].least_ms);
        CHECK_CASE(cases[i].name, clock_ms() - start <= cases[i].most_ms);
        CHECK_CASE(cases[i].name, strstr(err.text, cases[i].text) != NULL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        (void)close(fds[i]);
}

static void resolves_numbers_and_names(void)
{
    static char texts[][16] = {"127.0.0.1", "::1", "localhost", "/run/ldapi",
                               "name.invalid"};
    static char *names[] = {texts[0], texts[1], texts[2], texts[3], texts[4]};
    static const struct text_list hosts = {.items = names, .count = 5};
    static const bool resolved[] = {true, true, true, false, false};
    struct directory_resolver *resolver = NULL;
    struct errtext err = {{0}};

    CU_ASSERT_EQUAL_FATAL(directory_resolver_open(&hosts, 389, &resolver, &err),
                          STATUS_OK);
    for (size_t i = 0; i < hosts.count; i++) {
        struct directory_addresses addresses = {.count = 0};
        enum status status = directory_resolver_get(
            resolver, i, clock_ms() + 20000, &addresses, &err);

        CHECK_CASE(names[i],
                   status == (resolved[i] ? STATUS_OK : STATUS_TEMPFAIL));
        CHECK_CASE(names[i], (addresses.count > 0) == resolved[i]);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "name not resolved"));
    directory_resolver_doubt(resolver, 2);
    directory_resolver_close(&resolver);
    CU_ASSERT_PTR_NULL(resolver);
    directory_resolver_close(&resolver);
}

static void waits_for_a_name_no_longer_than_it_may(void)
{
    static char text[] = "name.invalid";
    static char *names[] = {text};
    static const struct text_list hosts = {.items = names, .count = 1};
    struct directory_resolver *resolver = NULL;
    struct directory_addresses addresses = {.count = 0};
    struct errtext err = {{0}};
    int64_t start = clock_ms();

    CU_ASSERT_EQUAL_FATAL(directory_resolver_open(&hosts, 389, &resolver, &err),
                          STATUS_OK);
    CU_ASSERT_EQUAL(
        directory_resolver_get(resolver, 0, start + 50, &addresses, &err),
        STATUS_TEMPFAIL);
    CU_ASSERT_TRUE(clock_ms() - start < 500);
    /* Closing does not wait for a look-up either. */
    start = clock_ms();
    directory_resolver_close(&resolver);
    CU_ASSERT_TRUE(clock_ms() - start < 100);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"takes the address that answers", takes_the_address_that_answers},
        {"ends by the deadline", ends_by_the_deadline},
        {"resolves numbers and names", resolves_numbers_and_names},
        {"waits for a name no longer than it may",
         waits_for_a_name_no_longer_than_it_may},
        CU_TEST_INFO_NULL,
    };

    return run_tests("directory_socket", tests);
}
