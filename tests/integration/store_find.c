/*
 * store_find - many threads that look mailboxes up at the same time
 *
 * usage: store_find SOCKET right|down [THREADS [MILLISECONDS]]
 *
 * The database holds u0@d.example to u999@d.example and an alias domain
 * a.example of d.example. "right": every answer has to be the right one;
 * "down": every call has to end as "no answer" within its deadline. Prints
 * how many calls there were.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 64
#define PEOPLE 1000U
#define DEADLINE_MS 700
#define SPARE_MS 400 /* what a loaded machine may add */

static struct store *store;
static bool down;
static int64_t end_ms;
static atomic_ulong calls;
static atomic_ulong faults;

static void fault(const char *what, const char *address,
                  const struct errtext *err)
{
    if (atomic_fetch_add(&faults, 1) < 10)
        printf("# %s: %s %s\n", address, what, err->text);
}

/* Kind 0 is a mailbox, 1 one by its alias domain, 2 none, 3 no domain. */
static void check_found(unsigned kind, unsigned person, const char *address,
                        const struct store_found *found)
{
    struct errtext none = {{0}};
    char wanted[64];

    (void)snprintf(wanted, sizeof(wanted), "u%u@d.example", person);
    if ((found->domain.name != NULL) != (kind < 3))
        fault("the domain is not right", address, &none);
    if ((found->account.address != NULL) != (kind < 2))
        fault("the mailbox is not right", address, &none);
    else if (kind < 2 && (strcmp(found->account.address, wanted) != 0 ||
                          strcmp(found->domain.name, "d.example") != 0))
        fault("it is another's", address, &none);
}

static void find_one(unsigned kind, unsigned person)
{
    static const char *const domains[] = {"d.example", "a.example", "d.example",
                                          "n.example"};
    struct store_found found = {0};
    struct errtext err = {{0}};
    int64_t began_ms = clock_ms();
    char address[64];
    enum status status;

    (void)snprintf(address, sizeof(address), "%c%u@%s", kind == 2 ? 'x' : 'u',
                   person, domains[kind]);
    status = store_find(store, address, began_ms + DEADLINE_MS, &found, &err);
    atomic_fetch_add(&calls, 1);
    if (status != (down ? STATUS_TEMPFAIL : STATUS_OK))
        fault(status_name(status), address, &err);
    else if (!down)
        check_found(kind, person, address, &found);
    if (clock_ms() - began_ms > DEADLINE_MS + SPARE_MS)
        fault("it came late", address, &err);
    store_found_clear(&found);
}

static void *run_thread(void *data)
{
    unsigned seed = *(unsigned *)data;

    do {
        /* Mostly mailboxes, as in life. */
        unsigned draw = (unsigned)rand_r(&seed);

        find_one(draw % 16 < 13 ? 0 : draw % 16 - 12, draw / 16 % PEOPLE);
    } while (clock_ms() < end_ms);
    return NULL;
}

static unsigned number_of(const char *text, unsigned most, unsigned otherwise)
{
    unsigned long number = text != NULL ? strtoul(text, NULL, 10) : 0;

    return number == 0 || number > most ? otherwise : (unsigned)number;
}

int main(int argc, char **argv)
{
    char socket_path[108];
    char user[] = "root";
    char database[] = "provost";
    struct store_settings set = {.socket = socket_path,
                                 .user = user,
                                 .database = database,
                                 .max_connections = 8,
                                 .timeout_ms = 5000};
    pthread_t threads[THREADS_MAX];
    unsigned seeds[THREADS_MAX];
    struct errtext err = {{0}};
    unsigned count;

    if (argc < 3)
        return 64;
    (void)snprintf(socket_path, sizeof(socket_path), "%s", argv[1]);
    down = strcmp(argv[2], "down") == 0;
    count = number_of(argc > 3 ? argv[3] : NULL, THREADS_MAX, 32);
    end_ms = clock_ms() + number_of(argc > 4 ? argv[4] : NULL, 60000, 1000);
    if (store_open(&set, &store, &err) != STATUS_OK)
        return EXIT_FAILURE;
    for (unsigned i = 0; i < count; i++) {
        seeds[i] = i + 1;
        if (pthread_create(&threads[i], NULL, run_thread, &seeds[i]) != 0)
            return EXIT_FAILURE;
    }
    for (unsigned i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
    store_close(&store);
    printf("%lu calls, %lu faults\n", calls, faults);
    return faults == 0 && calls > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
