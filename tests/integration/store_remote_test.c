/* store_remote_test - a server by TCP: names, TLS, and what is never sent */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_apply_test.h"

#include "clock.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOW_MS 3000
#define LATE_MS 2500

/*
 * The name service of this program: all names of the tests are this host, and
 * one is looked up very slowly.
 */
int getaddrinfo(const char *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **result)
{
    union {
        void *symbol;
        int (*call)(const char *, const char *, const struct addrinfo *,
                    struct addrinfo **);
    } real = {.symbol = dlsym(RTLD_NEXT, "getaddrinfo")};
    size_t len = name != NULL ? strlen(name) : 0;

    if (name != NULL && strcmp(name, "slow.example") == 0)
        clock_sleep_ms(SLOW_MS);
    if (len > 8 && (strstr(name, ".example") != NULL))
        name = "127.0.0.1";
    return real.call(name, service, hints, result);
}

struct remote {
    const char *host; /* or several, with commas */
    const char *ca_file;
};

/* Asks a server as the settings say; the answer's status and how long. */
static enum status ask(const struct lab *lab, const struct remote *remote,
                       int64_t limit_ms, int64_t *took_ms_r,
                       struct errtext *err)
{
    static char none[] = "";
    char host[100];
    char *hosts[STORE_HOSTS_MAX];
    char *next = host;
    char ca_file[300];
    const char *port = getenv("STORE_PORT");
    struct store_found found = {0};
    struct lab other = *lab;
    enum status status;
    int64_t start_ms;

    (void)snprintf(host, sizeof(host), "%s", remote->host);
    (void)snprintf(ca_file, sizeof(ca_file), "%s", remote->ca_file);
    other.set.socket = none;
    other.set.hosts.items = hosts;
    while (next != NULL && other.set.hosts.count < STORE_HOSTS_MAX)
        hosts[other.set.hosts.count++] = strsep(&next, ",");
    other.set.port = (unsigned)strtoul(port != NULL ? port : "0", NULL, 10);
    other.set.ca_file = ca_file;
    if (store_open(&other.set, &other.store, err) != STATUS_OK)
        return STATUS_INVALID;
    start_ms = clock_ms();
    status = store_find(other.store, "anna@create.example", in_ms(limit_ms),
                        &found, err);
    *took_ms_r = clock_ms() - start_ms;
    if (status == STATUS_OK && found.account.address == NULL)
        status = STATUS_NOT_FOUND;
    store_found_clear(&found);
    store_close(&other.store);
    return status;
}

static const char *ca(const char *variable)
{
    const char *file = getenv(variable);

    return file != NULL ? file : "";
}

/* A host that takes connections and never says a word. */
static int listen_mutely(const char *address)
{
    const char *port = getenv("STORE_PORT");
    struct sockaddr_in name = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    name.sin_port =
        htons((uint16_t)strtoul(port != NULL ? port : "0", NULL, 10));
    if (fd < 0 || inet_pton(AF_INET, address, &name.sin_addr) != 1 ||
        bind(fd, (struct sockaddr *)&name, sizeof(name)) != 0 ||
        listen(fd, 8) != 0)
        abort();
    return fd;
}

void test_hosts(struct lab *lab)
{
    int mute = listen_mutely("127.0.0.8");
    struct errtext err = {{0}};
    int64_t took_ms = 0;

    check(ask(lab, &(struct remote){"127.0.0.9,127.0.0.1", ""}, 5000, &took_ms,
              &err) == STATUS_OK,
          "of several hosts one that refuses is passed over", &err);
    check(ask(lab, &(struct remote){"127.0.0.8,127.0.0.1", ""}, 5000, &took_ms,
              &err) == STATUS_OK &&
              took_ms >= 1500,
          "so is one that is mute, after its share of the time", &err);
    check(ask(lab, &(struct remote){"127.0.0.9,127.0.0.8", ""}, 1500, &took_ms,
              &err) == STATUS_TEMPFAIL &&
              took_ms < 1500 + LATE_MS && strstr(err.text, "2 hosts") != NULL,
          "when none answers there is no answer, in time", &err);
    (void)close(mute);
}

void test_cleartext(struct lab *lab)
{
    struct errtext err = {{0}};
    int64_t took_ms = 0;

    check(ask(lab, &(struct remote){"127.0.0.1", ""}, 3000, &took_ms, &err) ==
              STATUS_OK,
          "this host may be asked without TLS", &err);
    check(ask(lab, &(struct remote){"127.0.0.1", ca("STORE_CA")}, 3000,
              &took_ms, &err) == STATUS_TEMPFAIL,
          "with ca_file a server that has no TLS is refused", &err);
    check(ask(lab, &(struct remote){"mail.example.org", ""}, 3000, &took_ms,
              &err) == STATUS_TEMPFAIL &&
              strstr(err.text, "ca_file") != NULL,
          "another host is not asked without ca_file", &err);
    check(ask(lab, &(struct remote){"127.0.0.1.example", ""}, 3000, &took_ms,
              &err) == STATUS_TEMPFAIL &&
              strstr(err.text, "ca_file") != NULL,
          "a name that looks like this host's address is another host", &err);
}

void test_tls(struct lab *lab)
{
    struct errtext err = {{0}};
    int64_t took_ms = 0;

    check(ask(lab, &(struct remote){"mail.example.org", ca("STORE_CA")}, 5000,
              &took_ms, &err) == STATUS_OK,
          "a server with a good certificate is asked by TLS", &err);
    check(ask(lab, &(struct remote){"mail.example.org", ca("STORE_WRONG_CA")},
              5000, &took_ms, &err) == STATUS_TEMPFAIL,
          "a certificate of another CA is refused", &err);
    check(ask(lab, &(struct remote){"other.example", ca("STORE_CA")}, 5000,
              &took_ms, &err) == STATUS_TEMPFAIL,
          "so is one for another name", &err);
    check(ask(lab, &(struct remote){"mail.example.org", "/nonexistent"}, 5000,
              &took_ms, &err) == STATUS_TEMPFAIL,
          "a ca_file that is not there trusts nobody", &err);
    check(ask(lab, &(struct remote){"slow.example", ca("STORE_CA")}, 700,
              &took_ms, &err) == STATUS_TEMPFAIL &&
              took_ms >= 650 && took_ms < 1200,
          "a name service that hangs holds nobody past the deadline", &err);
}
