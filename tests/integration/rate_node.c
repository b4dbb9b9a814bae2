/*
 * rate_node - one node of provost-policyd as far as rates go; for rates.sh
 *
 * usage: rate_node SOCKET PASSWORD NODE FLUSH_MS share|alone
 *
 * Reads commands, a line each, and answers each with a line:
 *   charge LOGIN COUNT SECONDS TIMES PAUSE_MS   charges one by one: "passed N"
 *   until LOGIN COUNT SECONDS PAUSE_MS          until it is refused: "passed N"
 *   used LOGIN SECONDS                          "used N"
 *   stats                                       "restored 0|1 failed N ..."
 *   quit                                        stops as the daemon would
 * Each charge of `until` and `charge` is also noted on stderr, with its time.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "log.h"
#include "rate_keeper.h"
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOREVER 1000000

static struct rate_keeper *keeper;

/* Charges until it is refused, or so many times; returns how many passed. */
static unsigned charge_many(const char *login, struct rate rate, unsigned times,
                            int pause_ms)
{
    struct rate_limits limits = {.login = login};
    struct rate_verdict verdict = {.refused = false};
    struct errtext err = {{0}};
    unsigned passed = 0;

    limits.rates[RATE_MAILBOX_MESSAGES] = rate;
    while (passed < times) {
        if (rate_charge(rate_keeper_rates(keeper), &limits, 1, clock_ms(),
                        &verdict, &err) != STATUS_OK) {
            (void)fprintf(stderr, "charge: %s\n", err.text);
            break;
        }
        if (verdict.refused)
            break;
        passed++;
        (void)fprintf(stderr, "%" PRId64 " %u\n", clock_ms(), passed);
        if (pause_ms > 0)
            clock_sleep_ms(pause_ms);
    }
    rate_keeper_refused(keeper, &limits, &verdict);
    return passed;
}

static void print_stats(void)
{
    struct rate_keeper_stats stats;

    rate_keeper_stats(keeper, &stats);
    (void)printf("restored %d failed %" PRIu64 " rows %" PRIu64
                 " counters %zu\n",
                 stats.restored ? 1 : 0, stats.flushes_failed,
                 stats.rows_written, stats.rates.counters);
}

/* Splits a line at blanks; returns how many words it has. */
static size_t split(char *line, char *words[], size_t max)
{
    size_t count = 0;
    char *rest = NULL;

    for (char *word = strtok_r(line, " \n", &rest); word != NULL && count < max;
         word = strtok_r(NULL, " \n", &rest))
        words[count++] = word;
    return count;
}

static unsigned number(const char *word)
{
    return (unsigned)strtoul(word, NULL, 10);
}

static bool obey(char *line)
{
    char *words[8] = {NULL};
    size_t count = split(line, words, ARRAY_SIZE(words));

    if (count == 6 && strcmp(words[0], "charge") == 0)
        (void)printf(
            "passed %u\n",
            charge_many(words[1],
                        (struct rate){number(words[2]), number(words[3])},
                        number(words[4]), (int)number(words[5])));
    else if (count == 5 && strcmp(words[0], "until") == 0)
        (void)printf(
            "passed %u\n",
            charge_many(words[1],
                        (struct rate){number(words[2]), number(words[3])},
                        FOREVER, (int)number(words[4])));
    else if (count == 3 && strcmp(words[0], "used") == 0)
        (void)printf("used %" PRIu64 "\n",
                     rate_used(rate_keeper_rates(keeper), RATE_MAILBOX_MESSAGES,
                               words[1], (struct rate){1, number(words[2])},
                               clock_ms()));
    else if (count == 1 && strcmp(words[0], "stats") == 0)
        print_stats();
    else
        return false;
    (void)fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    struct store_settings where = {.user = (char[]){"provost"},
                                   .database = (char[]){"provost"},
                                   .ca_file = (char[]){""},
                                   .max_connections = 2,
                                   .timeout_ms = 2000};
    struct rate_keeper_settings set = {.counters_max = 1000};
    struct store *store = NULL;
    struct log *log = NULL;
    struct errtext err = {{0}};
    char line[512];

    if (argc != 6)
        return 64;
    where.socket = argv[1];
    where.password = argv[2];
    set.node = argv[3];
    set.flush_ms = (int64_t)number(argv[4]);
    set.share = strcmp(argv[5], "share") == 0;
    if (log_open("rate_node", LOG_TO_STDERR, LOG_LEVEL_INFO, &log, &err) !=
            STATUS_OK ||
        store_open(&where, &store, &err) != STATUS_OK ||
        rate_keeper_new(&set, store, log, &keeper, &err) != STATUS_OK ||
        rate_keeper_start(keeper, clock_ms() + 2000, &err) != STATUS_OK) {
        (void)fprintf(stderr, "rate_node: %s\n", err.text);
        return 75;
    }
    (void)printf("ready\n");
    (void)fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL && obey(line))
        continue;
    rate_keeper_stop(keeper);
    rate_keeper_free(&keeper);
    store_close(&store);
    log_close(&log);
    return 0;
}
