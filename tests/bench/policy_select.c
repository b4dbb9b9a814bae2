/*
 * policy_select - one indexed prepared SELECT a request: the limit when cold
 *
 * usage: policy_select -q SOCKET [-c CONNECTIONS] [-t SECONDS] [-p PEOPLE]
 *
 * Each thread has a connection and reads the row of a mailbox and its usage,
 * drawn at random, again and again. There is no socket in front of it and
 * nothing is decided. Prints a line like policy_load's.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include <mysql.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DOMAINS 20
#define COLUMNS 6
#define CONNECTIONS_MAX 64

static const char sql[] =
    "SELECT m.quota, m.message_size, m.template_state, m.admin_state,"
    " m.tls_enforce_in, q.bytes FROM mailbox m"
    " LEFT JOIN quota2 q ON q.username = m.address WHERE m.address = ?";

static const char *database_socket;
static unsigned people = 10000;
static double seconds = 1.5;

struct worker {
    pthread_t thread;
    unsigned number;
    unsigned long done;
    bool failed;
};

static double now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static bool read_one(MYSQL_STMT *statement, unsigned person)
{
    char address[64];
    char texts[COLUMNS][64];
    MYSQL_BIND results[COLUMNS] = {{0}};
    MYSQL_BIND bind = {.buffer_type = MYSQL_TYPE_STRING, .buffer = address};
    bool found;

    bind.buffer_length =
        (unsigned long)snprintf(address, sizeof(address), "u%05u@d%02u.example",
                                person, person % DOMAINS);
    for (unsigned i = 0; i < COLUMNS; i++) {
        results[i].buffer_type = MYSQL_TYPE_STRING;
        results[i].buffer = texts[i];
        results[i].buffer_length = sizeof(texts[i]);
    }
    if (mysql_stmt_bind_param(statement, &bind) != 0 ||
        mysql_stmt_execute(statement) != 0 ||
        mysql_stmt_bind_result(statement, results) != 0 ||
        mysql_stmt_store_result(statement) != 0)
        return false;
    found = mysql_stmt_fetch(statement) == 0;
    (void)mysql_stmt_free_result(statement);
    return found;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    MYSQL *db = mysql_init(NULL);
    MYSQL_STMT *statement = NULL;
    uint64_t random = 88172645463325252U + worker->number;
    double end;

    worker->failed = true;
    if (db == NULL || mysql_real_connect(db, NULL, "root", NULL, "provost", 0,
                                         database_socket, 0) == NULL)
        return NULL;
    statement = mysql_stmt_init(db);
    if (statement == NULL ||
        mysql_stmt_prepare(statement, sql, sizeof(sql) - 1) != 0)
        return NULL;
    worker->failed = false;
    for (end = now() + seconds; now() < end; worker->done++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        if (!read_one(statement, (unsigned)(random % people))) {
            worker->failed = true;
            break;
        }
    }
    (void)mysql_stmt_close(statement);
    mysql_close(db);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct worker workers[CONNECTIONS_MAX];
    unsigned count = 8;
    unsigned long done = 0;
    unsigned failed = 0;
    int option;

    while ((option = getopt(argc, argv, "q:c:t:p:")) != -1) {
        switch (option) {
        case 'q':
            database_socket = optarg;
            break;
        case 'c':
            count = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 't':
            seconds = strtod(optarg, NULL);
            break;
        case 'p':
            people = (unsigned)strtoul(optarg, NULL, 10);
            break;
        default:
            return 64;
        }
    }
    if (database_socket == NULL || count == 0 || count > CONNECTIONS_MAX ||
        mysql_library_init(0, NULL, NULL) != 0)
        return 64;
    for (unsigned i = 0; i < count; i++) {
        workers[i].number = i;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return 75;
    }
    for (unsigned i = 0; i < count; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        done += workers[i].done;
        failed += workers[i].failed ? 1 : 0;
    }
    (void)printf("rate=%.0f p50_us=%.0f p99_us=0 max_us=0 dunno=%lu refused=0 "
                 "failed=%u cpu_us=0\n",
                 (double)done / seconds,
                 done > 0 ? seconds * 1e6 * count / (double)done : 0.0, done,
                 failed);
    return 0;
}
