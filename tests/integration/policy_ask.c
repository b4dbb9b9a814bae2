/*
 * policy_ask - requests to the rules, over a real store
 *
 * usage: policy_ask SOCKET DEADLINE_MS [RULE=MODE[:AWAY]]...
 *
 * All rules enforce, but provision_recipient. Reads a request a line,
 * "recipient=a@b size=5", which is RCPT if it has no state, and prints its
 * answer and the findings' numbers. "flush" forgets; "many THREADS MS" asks for
 * u0@d.example (full if odd) to u999@d.example in many threads, and prints how
 * many calls and wrong answers there were.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "rule.h"
#include "store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 64
#define PEOPLE 1000U

static struct policy *policy;
static int64_t deadline_ms;
static int64_t end_ms;
static atomic_ulong calls;
static atomic_ulong faults;

static struct policy_request empty_request(void)
{
    struct policy_request request = {
        .state = "RCPT",
        .sasl_username = "",
        .sender = "",
        .recipient = "",
        .instance = "",
    };

    return request;
}

/* One "key=value" of a line. */
static void set_value(struct policy_request *request, char *word)
{
    char *value = strchr(word, '=');

    if (value == NULL)
        return;
    *value++ = '\0';
    if (strcmp(word, "state") == 0)
        request->state = value;
    else if (strcmp(word, "login") == 0)
        request->sasl_username = value;
    else if (strcmp(word, "sender") == 0)
        request->sender = value;
    else if (strcmp(word, "recipient") == 0)
        request->recipient = value;
    else if (strcmp(word, "instance") == 0)
        request->instance = value;
    else if (strcmp(word, "size") == 0)
        request->size = strtoull(value, NULL, 10);
    else if (strcmp(word, "tls") == 0)
        request->tls = true;
}

static void ask_line(char *line)
{
    struct policy_request request = empty_request();
    struct policy_answer answer;
    char *rest = NULL;

    for (char *word = strtok_r(line, " \n", &rest); word != NULL;
         word = strtok_r(NULL, " \n", &rest))
        set_value(&request, word);
    policy_decide(policy, &request, clock_ms() + deadline_ms, &answer);
    printf("%s%s", answer.text, answer.away ? " (away)" : "");
    for (size_t i = 0; i < answer.finding_count; i++)
        printf(" [%s %s %s]", policy_rule_name(answer.findings[i].rule),
               answer.findings[i].subject, answer.findings[i].numbers);
    printf("\n");
    (void)fflush(stdout);
}

static void *ask_many(void *arg)
{
    unsigned number = *(unsigned *)arg;
    char recipient[64];

    while (clock_ms() < end_ms) {
        struct policy_request request = empty_request();
        struct policy_answer answer;
        unsigned person = number % PEOPLE;

        number = number * 1103515245U + 12345U;
        (void)snprintf(recipient, sizeof(recipient), "u%u@%s.example", person,
                       number % 3 == 0 ? "a" : "d");
        request.recipient = recipient;
        policy_decide(policy, &request, clock_ms() + deadline_ms, &answer);
        (void)atomic_fetch_add(&calls, 1);
        if ((answer.action == POLICY_DEFER) != (person % 2 == 1))
            (void)atomic_fetch_add(&faults, 1);
    }
    return NULL;
}

static void many(const char *line)
{
    static unsigned numbers[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    char *rest = NULL;
    unsigned count = (unsigned)strtoul(line, &rest, 10);

    atomic_store(&calls, 0);
    atomic_store(&faults, 0);
    end_ms = clock_ms() + (int64_t)strtoul(rest, NULL, 10);
    for (unsigned i = 0; i < count && i < THREADS_MAX; i++) {
        numbers[i] = i * 7919;
        (void)pthread_create(&threads[i], NULL, ask_many, &numbers[i]);
    }
    for (unsigned i = 0; i < count && i < THREADS_MAX; i++)
        (void)pthread_join(threads[i], NULL);
    printf("calls=%lu wrong=%lu\n", atomic_load(&calls), atomic_load(&faults));
    (void)fflush(stdout);
}

/* "RULE=MODE[:AWAY]" of the command line. */
static void read_rule(struct policy_rule_settings *rule, char *word)
{
    char *mode = strchr(word, '=');
    char *away;

    if (mode == NULL)
        return;
    *mode++ = '\0';
    rule->name = word;
    away = strchr(mode, ':');
    if (away != NULL)
        rule->store_away =
            strcmp(away, ":defer") == 0 ? POLICY_AWAY_DEFER : POLICY_AWAY_DUNNO;
    rule->mode = strncmp(mode, "off", 3) == 0    ? POLICY_MODE_OFF
                 : strncmp(mode, "warn", 4) == 0 ? POLICY_MODE_WARN
                                                 : POLICY_MODE_ENFORCE;
}

int main(int argc, char **argv)
{
    static char plus[] = "+";
    static char user[] = "root";
    static char database[] = "provost";
    static char nothing[] = "";
    static struct policy_rule_settings rules[POLICY_RULE_COUNT];
    struct settings settings = {
        .store = {.socket = argv[1],
                  .user = user,
                  .password_file = nothing,
                  .database = database,
                  .ca_file = nothing,
                  .max_connections = 8,
                  .timeout_ms = 5000},
        .policy = {.rules = rules,
                   .account_ttl_ms = 60000,
                   .account_max = 10000,
                   .usage_ttl_ms = 60000,
                   .instance_ttl_ms = 60000,
                   .instance_max = 1000,
                   .recipient_delimiter = plus,
                   .provision_socket = getenv("PROVISION_SOCKET"),
                   .unknown_ttl_ms = 60000},
    };
    struct policy_world world = {.settings = &settings};
    struct store *store = NULL;
    struct errtext err = {{0}};
    char line[1024];

    if (argc < 3 || argc - 3 > POLICY_RULE_COUNT)
        return 64;
    deadline_ms = (int64_t)strtoul(argv[2], NULL, 10);
    if (settings.policy.provision_socket == NULL)
        settings.policy.provision_socket = nothing;
    for (int i = 3; i < argc; i++)
        read_rule(&rules[settings.policy.rule_count++], argv[i]);
    if (store_open(&settings.store, &store, &err) == STATUS_OK)
        world.store = store;
    if (store == NULL || policy_open(&world, &policy, &err) != STATUS_OK) {
        printf("%s\n", err.text);
        return 1;
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (strncmp(line, "many ", 5) == 0)
            many(line + 5);
        else if (strcmp(line, "flush\n") == 0)
            (void)policy_flush(policy);
        else
            ask_line(line);
    }
    policy_close(&policy);
    store_close(&store);
    return 0;
}
