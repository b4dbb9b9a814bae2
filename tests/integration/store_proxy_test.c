/* store_proxy_test - a connection that breaks at the worst moment */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_apply_test.h"

#include "store_admin.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Where the proxy cuts the line, once. */
enum cut {
    CUT_NEVER,
    CUT_BEFORE_COMMIT, /* the server never gets it */
    CUT_AFTER_COMMIT   /* the server has done it and nobody hears */
};

struct proxy {
    const char *server;
    char path[108];
    int listener;
    _Atomic enum cut cut;
    atomic_bool ends;
};

static int dial(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof(name)) != 0)
        abort();
    return fd;
}

/* Moves what is there from one side to the other; false: it ended. */
static bool forward(int from, int to, char *data, ssize_t *len_r)
{
    ssize_t len = read(from, data, 65536);

    *len_r = len;
    return len > 0 && write(to, data, (size_t)len) == len;
}

static bool is_commit(const char *data, ssize_t len)
{
    return len == 11 && memcmp(data + 5, "COMMIT", 6) == 0;
}

/* Serves one connection until it ends or is to be cut. */
static void serve(struct proxy *proxy, int client)
{
    static _Thread_local char data[65536];
    int server = dial(proxy->server);
    struct pollfd fds[2] = {{.fd = client, .events = POLLIN},
                            {.fd = server, .events = POLLIN}};
    ssize_t len = 0;
    bool going = true;

    while (going && poll(fds, 2, -1) > 0) {
        if (fds[0].revents != 0) {
            len = recv(client, data, sizeof(data), MSG_PEEK);
            if (is_commit(data, len) &&
                atomic_load(&proxy->cut) == CUT_BEFORE_COMMIT) {
                atomic_store(&proxy->cut, CUT_NEVER);
                break;
            }
            going = forward(client, server, data, &len);
            if (going && is_commit(data, len) &&
                atomic_load(&proxy->cut) == CUT_AFTER_COMMIT) {
                atomic_store(&proxy->cut, CUT_NEVER);
                len = read(server, data, sizeof(data));
                break;
            }
        }
        if (going && fds[1].revents != 0)
            going = forward(server, client, data, &len);
    }
    (void)close(client);
    (void)close(server);
}

static void *run_proxy(void *arg)
{
    struct proxy *proxy = arg;

    while (!atomic_load(&proxy->ends)) {
        int client = accept(proxy->listener, NULL, NULL);

        if (client >= 0)
            serve(proxy, client);
    }
    return NULL;
}

static void start_proxy(struct proxy *proxy, const char *server)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    *proxy = (struct proxy){.server = server};
    (void)snprintf(proxy->path, sizeof(proxy->path), "%s.cut", server);
    (void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", proxy->path);
    (void)unlink(proxy->path);
    proxy->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(proxy->listener, (struct sockaddr *)&name, sizeof(name)) != 0 ||
        listen(proxy->listener, 8) != 0)
        abort();
}

/* Carries a create out over a line that is cut. */
static void create_over(struct lab *lab, struct proxy *proxy, enum cut cut,
                        const char *address, const char *sentence)
{
    struct plan plan = plan_create(address, address, GIB);
    struct apply_outcome outcome = {.kind = APPLY_CONFLICT};
    struct errtext err = {{0}};
    enum status status;

    atomic_store(&proxy->cut, cut);
    status =
        apply_plan(lab->store, &plan, "authd", in_ms(8000), &outcome, &err);
    plan_clear(&plan);
    check(status == STATUS_OK && outcome.kind == APPLY_DONE &&
              atomic_load(&proxy->cut) == CUT_NEVER,
          sentence, &err);
}

/*
 * What an administrator does by the store far, over a line that is cut at each
 * COMMIT; lab looks at what became of it.
 */
static void administer_over(struct lab *lab, struct lab *far,
                            struct proxy *proxy, enum cut cut,
                            const char *address, const char *sentence)
{
    const struct store_app_password_new wanted = {
        .address = address, .name = "", .hash = "{PLAIN}x", .services = 1};
    struct errtext err = {{0}};
    char *mail_path = NULL;
    enum status status;
    uint64_t id = 0;

    atomic_store(&proxy->cut, cut);
    status = store_mailbox_block(far->store, address, ACCOUNT_BLOCK_ALL,
                                 "admin:test", in_ms(8000), &err);
    if (status == STATUS_OK) {
        atomic_store(&proxy->cut, cut);
        status = store_app_password_add(far->store, &wanted, "admin:test",
                                        in_ms(8000), &id, &err);
    }
    check(status == STATUS_OK && id != 0 &&
              lab_count(lab, "SELECT COUNT(*) FROM app_password WHERE address "
                             "LIKE '%@cut.example'") == 1,
          "an app password is made once, and its number known", &err);
    atomic_store(&proxy->cut, cut);
    status = store_mailbox_remove(far->store, address, "admin:test",
                                  in_ms(8000), &mail_path, &err);
    check(status == STATUS_OK && mail_path != NULL &&
              atomic_load(&proxy->cut) == CUT_NEVER,
          sentence, &err);
    free(mail_path);
}

void test_lost_commit(struct lab *lab)
{
    struct proxy proxy;
    struct lab cut = *lab;
    struct store_domain domain;
    struct errtext err = {{0}};
    pthread_t id;

    make_domain(lab, "cut.example", 0, 0, 0);
    start_proxy(&proxy, lab->set.socket);
    cut.set.socket = proxy.path;
    cut.set.max_connections = 1;
    if (pthread_create(&id, NULL, run_proxy, &proxy) != 0 ||
        store_open(&cut.set, &cut.store, &err) != STATUS_OK)
        abort();
    create_over(&cut, &proxy, CUT_BEFORE_COMMIT, "before@cut.example",
                "a COMMIT that was lost on its way is done again");
    create_over(&cut, &proxy, CUT_AFTER_COMMIT, "after@cut.example",
                "a COMMIT whose answer was lost is found done");
    domain = read_domain(lab, "cut.example");
    check(domain.mailboxes_used == 2 &&
              lab_count(lab, "SELECT COUNT(*) FROM event WHERE domain = "
                             "'cut.example' AND kind = 'create'") == 2,
          "each was done once", NULL);
    store_domain_clear(&domain);
    administer_over(lab, &cut, &proxy, CUT_BEFORE_COMMIT, "before@cut.example",
                    "so is a removal whose COMMIT was lost");
    administer_over(lab, &cut, &proxy, CUT_AFTER_COMMIT, "after@cut.example",
                    "and one whose answer was lost");
    domain = read_domain(lab, "cut.example");
    errtext_set(&err, "%d mailboxes, %d bytes", (int)domain.mailboxes_used,
                (int)domain.quota_allotted);
    check(domain.mailboxes_used == 0 && domain.quota_allotted == 0 &&
              lab_count(lab, "SELECT COUNT(*) FROM event WHERE domain = "
                             "'cut.example' AND who = 'admin:test' AND "
                             "address IS NOT NULL") == 6,
          "each of these was done once, with one event", &err);
    store_domain_clear(&domain);
    atomic_store(&proxy.ends, true);
    store_close(&cut.store);
    (void)shutdown(proxy.listener, SHUT_RDWR);
    (void)pthread_join(id, NULL);
    (void)close(proxy.listener);
    (void)unlink(proxy.path);
}
