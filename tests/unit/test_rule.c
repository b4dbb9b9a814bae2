/* test_rule - requests in, answers out, over a store of tables */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "fake_lookup.h"
#include "instance.h"
#include "rule.h"
#include "rule_order.h"
#include "unit.h"
#include "verdict.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct fake_domain domains[] = {
    {.name = "example.org"},
    {.name = "old.example", .target = "example.org"},
    {.name = "full.example", .max_usage_bytes = 1000, .used_bytes = 990},
    {.name = "off.example", .off = true},
    {.name = "xn--bcher-kva.example"},
    {.name = NULL},
};

static const struct fake_mailbox mailboxes[] = {
    {.address = "ada@example.org", .quota_bytes = 1000, .used_bytes = 100},
    {.address = "bob@example.org", .quota_bytes = 1000, .used_bytes = 1000},
    {.address = "dora@example.org", .quota_bytes = 1000},
    {.address = "cleo@example.org", .quota_bytes = 1000, .used_bytes = 2000},
    {.address = "off@example.org", .access = ACCOUNT_OFF},
    {.address = "closed@example.org", .access = ACCOUNT_LOGIN_CLOSED},
    {.address = "tls@example.org", .tls_in = true},
    {.address = "small@example.org", .message_size_bytes = 500},
    {.address = "eve@full.example"},
    {.address = "full@xn--bcher-kva.example",
     .quota_bytes = 10,
     .used_bytes = 10},
    {.address = NULL},
};

static const struct fake_alias aliases[] = {
    {"ada@example.org", "ada@example.org"},
    {"bob@example.org", "bob@example.org"},
    {"cleo@example.org", "cleo@example.org"},
    {"dora@example.org", "dora@example.org"},
    {"off@example.org", "off@example.org"},
    {"closed@example.org", "closed@example.org"},
    {"tls@example.org", "tls@example.org"},
    {"small@example.org", "small@example.org"},
    {"eve@full.example", "eve@full.example"},
    {"full@xn--bcher-kva.example", "full@xn--bcher-kva.example"},
    {"robert@example.org", "bob@example.org"},
    {"both@example.org", "bob@example.org, cleo@example.org"},
    {"mixed@example.org", "bob@example.org,ada@example.org"},
    {"away@example.org", "bob@example.org,someone@elsewhere.example"},
    {"away.eve@example.org", "eve@full.example"},
    {"guests@example.org", "tls@example.org, eve@full.example"},
    {"@xn--bcher-kva.example", "bob@example.org"},
    {NULL, NULL},
};

static const struct fake_sender senders[] = {
    {"ada@example.org", "@full.example"},
    {"ada@example.org", "press@elsewhere.example"},
    {NULL, NULL},
};

static const char *const rule_names[] = {
    "recipient_state", "mailbox_quota", "domain_quota",
    "message_size",    "sender_login",  "tls_in",
};

struct scene {
    struct fake_lookup fake;
    struct settings settings;
    struct policy_rule_settings rules[POLICY_RULE_COUNT];
    struct policy *policy;
    struct policy_answer answer;
};

static void open_scene(struct scene *scene, enum policy_mode mode)
{
    struct policy_settings *set = &scene->settings.policy;
    struct policy_world world = {.settings = &scene->settings};
    struct lookup_source source;

    memset(scene, 0, sizeof(*scene));
    scene->fake = (struct fake_lookup){.domains = domains,
                                       .aliases = aliases,
                                       .mailboxes = mailboxes,
                                       .senders = senders};
    source = fake_lookup_source(&scene->fake);
    for (size_t i = 0; i < ARRAY_SIZE(rule_names); i++)
        scene->rules[i] = (struct policy_rule_settings){
            .name = (char *)(uintptr_t)rule_names[i],
            .mode = mode,
            .text = (char *)(uintptr_t) ""};
    set->rules = scene->rules;
    set->rule_count = ARRAY_SIZE(rule_names);
    set->account_ttl_ms = 60000;
    set->account_max = 1000;
    set->usage_ttl_ms = 60000;
    set->instance_ttl_ms = 60000;
    set->instance_max = 1000;
    set->recipient_delimiter = (char *)(uintptr_t) "+";
    set->provision_socket = (char *)(uintptr_t) "/nonexistent";
    set->unknown_ttl_ms = 60000;
    CU_ASSERT_EQUAL_FATAL(
        policy_open_with(&world, &source, &scene->policy, NULL), STATUS_OK);
}

/* One request, as `ask` sends it. */
struct ask {
    const char *name;
    const char *state; /* NULL: RCPT */
    const char *login;
    const char *sender;
    const char *recipient;
    uint64_t size;
    uint32_t recipients; /* recipient_count */
    bool tls;
    const char *answer; /* how it begins */
};

static void send(struct scene *scene, const struct ask *ask,
                 const char *instance)
{
    struct policy_request request = {
        .recipient_count = ask->recipients,
        .state = ask->state != NULL ? ask->state : "RCPT",
        .sasl_username = ask->login != NULL ? ask->login : "",
        .sender = ask->sender != NULL ? ask->sender : "",
        .recipient = ask->recipient != NULL ? ask->recipient : "",
        .instance = instance,
        .size = ask->size,
        .tls = ask->tls,
    };

    policy_decide(scene->policy, &request, clock_ms() + 2000, &scene->answer);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/*
 * What Postfix takes for no more than it is: DUNNO, or a reply code, with an
 * enhanced code of the same class, and words.
 */
static bool well_formed(const char *text)
{
    bool coded = (text[0] == '4' || text[0] == '5') && isdigit(text[1]) &&
                 isdigit(text[2]) && text[3] == ' ' && text[4] == text[0] &&
                 text[5] == '.' && isdigit(text[6]) && text[7] == '.' &&
                 strspn(text + 8, "0123456789") > 0 &&
                 strchr(text + 8, ' ') != NULL;

    return strlen(text) < 400 && (coded || strcmp(text, "DUNNO") == 0);
}

static const struct ask answers[] = {
    {"a mailbox with room", .recipient = "ada@example.org", .answer = "DUNNO"},
    {"an unknown domain", .recipient = "x@elsewhere.example",
     .answer = "DUNNO"},
    {"nobody here", .recipient = "nobody@example.org", .answer = "DUNNO"},
    {"no recipient", .answer = "DUNNO"},
    {"no address", .recipient = "ada", .answer = "DUNNO"},
    {"full", .recipient = "bob@example.org", .answer = "452 4.2.2 "},
    {"over full", .recipient = "cleo@example.org", .answer = "452 4.2.2 "},
    {"upper case", .recipient = "BOB@Example.ORG", .answer = "452 4.2.2 "},
    {"an extension", .recipient = "bob+x@example.org", .answer = "452 4.2.2 "},
    {"an alias", .recipient = "robert@example.org", .answer = "452 4.2.2 "},
    {"an alias with an extension", .recipient = "robert+y@example.org",
     .answer = "452 4.2.2 "},
    {"an alias domain", .recipient = "bob@old.example", .answer = "452 4.2.2 "},
    {"an alias in an alias domain", .recipient = "robert@old.example",
     .answer = "452 4.2.2 "},
    {"a list, all full", .recipient = "both@example.org",
     .answer = "452 4.2.2 "},
    {"a list, one with room", .recipient = "mixed@example.org",
     .answer = "DUNNO"},
    {"full here and one outside", .recipient = "away@example.org",
     .answer = "452 4.2.2 "},
    {"a catch-all by U-label",
     .recipient = "x@b\xc3\xbc"
                  "cher.example",
     .answer = "452 4.2.2 "},
    {"a quoted local part in a catch-all",
     .recipient = "a b@xn--bcher-kva.example", .answer = "452 4.2.2 "},
    {"a mailbox before the catch-all",
     .recipient = "full@b\xc3\xbc"
                  "cher.example",
     .answer = "452 4.2.2 "},
    {"declared size fits", .recipient = "ada@example.org", .size = 900,
     .answer = "DUNNO"},
    {"declared size does not fit", .recipient = "ada@example.org", .size = 901,
     .answer = "452 4.2.2 "},
    {"larger than the quota", .recipient = "ada@example.org", .size = 1001,
     .answer = "552 5.2.3 "},
    {"larger than any", .recipient = "ada@example.org", .size = UINT64_MAX,
     .answer = "552 5.2.3 "},
    {"disabled", .recipient = "off@example.org", .answer = "550 5.2.1 "},
    {"logins closed", .recipient = "closed@example.org", .answer = "DUNNO"},
    {"a domain that is off", .recipient = "x@off.example",
     .answer = "550 5.2.1 "},
    {"a domain with room", .recipient = "eve@full.example", .size = 10,
     .answer = "DUNNO"},
    {"a full domain", .recipient = "eve@full.example", .size = 11,
     .answer = "452 4.2.2 "},
    {"a full domain behind an alias of another one",
     .recipient = "away.eve@example.org", .size = 11, .answer = "452 4.2.2 "},
    {"a full domain behind one of two targets",
     .recipient = "guests@example.org", .size = 11, .tls = true,
     .answer = "DUNNO"},
    {"over the recipient's size", .recipient = "small@example.org", .size = 501,
     .answer = "552 5.3.4 "},
    {"over the sender's size", .login = "small@example.org",
     .sender = "small@example.org", .recipient = "x@elsewhere.example",
     .size = 501, .answer = "552 5.3.4 "},
    {"no TLS", .recipient = "tls@example.org", .answer = "450 4.7.10 "},
    {"TLS", .recipient = "tls@example.org", .tls = true, .answer = "DUNNO"},
    {"own address", .login = "ada@example.org", .sender = "Ada@example.org",
     .answer = "DUNNO"},
    {"own address by an alias domain's login", .login = "ADA@old.example",
     .sender = "ada@example.org", .answer = "DUNNO"},
    {"own address in an alias domain", .login = "ada@example.org",
     .sender = "ada@old.example", .answer = "DUNNO"},
    {"own address with an extension", .login = "ada@example.org",
     .sender = "ada+x@example.org", .answer = "DUNNO"},
    {"own alias", .login = "bob@example.org", .sender = "robert@example.org",
     .answer = "DUNNO"},
    {"a list one is in", .login = "bob@example.org",
     .sender = "both@example.org", .answer = "DUNNO"},
    {"another's address", .login = "ada@example.org",
     .sender = "bob@example.org", .answer = "553 5.7.1 "},
    {"a granted domain", .login = "ada@example.org",
     .sender = "any@full.example", .answer = "DUNNO"},
    {"a granted address outside", .login = "ada@example.org",
     .sender = "press@elsewhere.example", .answer = "DUNNO"},
    {"an address outside", .login = "ada@example.org",
     .sender = "ada@elsewhere.example", .answer = "553 5.7.1 "},
    {"what only a catch-all gets", .login = "bob@example.org",
     .sender = "x@xn--bcher-kva.example", .answer = "553 5.7.1 "},
    {"the null sender", .login = "ada@example.org", .sender = "",
     .answer = "DUNNO"},
    {"no login", .sender = "bob@example.org", .answer = "DUNNO"},
    {"a bare login", .login = "ada", .sender = "ada@example.org",
     .answer = "553 5.7.1 "},
    {"at MAIL", .state = "MAIL", .login = "ada@example.org",
     .sender = "bob@example.org", .answer = "553 5.7.1 "},
    {"at VRFY", .state = "VRFY", .recipient = "bob@example.org",
     .answer = "DUNNO"},
    {"at CONNECT", .state = "CONNECT", .answer = "DUNNO"},
};

static void answers_by_the_tables(void)
{
    struct scene scene;

    open_scene(&scene, POLICY_MODE_ENFORCE);
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        send(&scene, &answers[i], "");
        CHECK_CASE(answers[i].name,
                   begins(scene.answer.text, answers[i].answer));
        CHECK_CASE(answers[i].name, !scene.answer.away);
        CHECK_CASE(answers[i].name, well_formed(scene.answer.text));
    }
    policy_close(&scene.policy);
}

static void only_warns(void)
{
    struct scene scene;

    open_scene(&scene, POLICY_MODE_WARN);
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        bool refused = strcmp(answers[i].answer, "DUNNO") != 0;

        send(&scene, &answers[i], "");
        CHECK_CASE(answers[i].name, strcmp(scene.answer.text, "DUNNO") == 0);
        CHECK_CASE(answers[i].name, scene.answer.action == POLICY_DUNNO);
        CHECK_CASE(answers[i].name,
                   (scene.answer.finding_count > 0) == refused);
        if (refused)
            CHECK_CASE(answers[i].name, begins(scene.answer.findings[0].text,
                                               answers[i].answer));
    }
    policy_close(&scene.policy);
}

static void answers_from_memory_what_was_asked(void)
{
    struct policy_request request = {.state = "RCPT",
                                     .sasl_username = "",
                                     .sender = "",
                                     .recipient = "robert@old.example",
                                     .instance = "1"};
    struct ask same = {"same", .recipient = "robert@old.example"};
    struct scene scene;

    open_scene(&scene, POLICY_MODE_ENFORCE);
    CU_ASSERT_FALSE(policy_decide_now(scene.policy, &request, &scene.answer));
    send(&scene, &same, "1");
    CU_ASSERT_TRUE(policy_decide_now(scene.policy, &request, &scene.answer));
    CU_ASSERT_TRUE(begins(scene.answer.text, "452 4.2.2 "));
    CU_ASSERT_EQUAL(atomic_load(&scene.fake.alias_calls), 1);
    CU_ASSERT(policy_flush(scene.policy) > 0);
    CU_ASSERT_FALSE(policy_decide_now(scene.policy, &request, &scene.answer));
    policy_close(&scene.policy);
}

/* One message: recipients at RCPT, then its true size. */
static const struct message {
    const char *name;
    const char *recipients[4];
    const char *at_end; /* NULL: Postfix left it empty */
    uint64_t size;
    const char *answer;
} messages[] = {
    {"one with room", {"ada@example.org"}, "ada@example.org", 10, "DUNNO"},
    {"one without", {"ada@example.org"}, "ada@example.org", 950, "452 4.2.2 "},
    {"one larger than its quota",
     {"ada@example.org"},
     "ada@example.org",
     1001,
     "552 5.2.3 "},
    {"two, one with room",
     {"ada@example.org", "tls@example.org"},
     NULL,
     950,
     "DUNNO"},
    {"two, none with room",
     {"ada@example.org", "dora+x@example.org"},
     NULL,
     1500,
     "552 5.2.3 "},
    {"twice the same",
     {"ada@example.org", "ADA@old.example"},
     NULL,
     950,
     "452 4.2.2 "},
    {"only outside",
     {"x@elsewhere.example", "y@elsewhere.example"},
     NULL,
     5000,
     "DUNNO"},
    {"outside and one full",
     {"ada@example.org", "y@elsewhere.example"},
     NULL,
     950,
     "452 4.2.2 "},
    {"refused ones do not count",
     {"bob@example.org", "ada@example.org"},
     NULL,
     950,
     "452 4.2.2 "},
    {"the catch-all of an odd name",
     {"ada@example.org", "a b@example.org"},
     NULL,
     950,
     "452 4.2.2 "},
    {"in a domain with room", {"eve@full.example"}, NULL, 10, "DUNNO"},
    {"in a domain without", {"eve@full.example"}, NULL, 11, "452 4.2.2 "},
    {"over the recipient's size",
     {"small@example.org"},
     NULL,
     501,
     "552 5.3.4 "},
    {"over the size of one of two",
     {"small@example.org", "ada@example.org"},
     NULL,
     501,
     "DUNNO"},
};

static void joins_recipients_by_the_instance(void)
{
    struct ask end = {"end", .state = "END-OF-MESSAGE"};
    struct scene scene;

    open_scene(&scene, POLICY_MODE_ENFORCE);
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
        const struct message *message = &messages[i];

        for (size_t j = 0; j < 4 && message->recipients[j] != NULL; j++) {
            struct ask rcpt = {"rcpt", .recipient = message->recipients[j],
                               .tls = true};

            send(&scene, &rcpt, message->name);
        }
        end.recipient = message->at_end;
        end.size = message->size;
        send(&scene, &end, message->name);
        CHECK_CASE(message->name, begins(scene.answer.text, message->answer));
    }
    end.recipient = NULL;
    send(&scene, &end, "never seen");
    CU_ASSERT_STRING_EQUAL(scene.answer.text, "DUNNO");
    policy_close(&scene.policy);
}

static void refuses_nothing_for_recipients_it_forgot(void)
{
    struct ask end = {"end", .state = "END-OF-MESSAGE", .size = 950};
    struct scene scene;
    char recipient[40];

    open_scene(&scene, POLICY_MODE_ENFORCE);
    for (int i = 0; i <= INSTANCE_RECIPIENTS_MAX; i++) {
        struct ask rcpt = {"rcpt", .recipient = recipient};

        (void)snprintf(recipient, sizeof(recipient), "ada+%d@example.org", i);
        if (i == INSTANCE_RECIPIENTS_MAX) {
            send(&scene, &end, "many");
            CU_ASSERT_TRUE(begins(scene.answer.text, "452 4.2.2 "));
        }
        send(&scene, &rcpt, "many");
    }
    send(&scene, &end, "many");
    CU_ASSERT_STRING_EQUAL(scene.answer.text, "DUNNO");
    policy_close(&scene.policy);
}

static void refuses_nothing_when_it_missed_a_recipient(void)
{
    struct ask ada = {"rcpt", .recipient = "ada@example.org"};
    struct ask other = {"rcpt", .recipient = "x@elsewhere.example"};
    struct ask end = {"end", .state = "END-OF-MESSAGE", .size = 950,
                      .recipients = 2};
    struct scene scene;

    open_scene(&scene, POLICY_MODE_ENFORCE);
    send(&scene, &ada, "half");
    send(&scene, &end, "half");
    CU_ASSERT_STRING_EQUAL(scene.answer.text, "DUNNO");
    /* One that is none of ours was seen all the same. */
    send(&scene, &ada, "both");
    send(&scene, &other, "both");
    send(&scene, &end, "both");
    CU_ASSERT_TRUE(begins(scene.answer.text, "452 4.2.2 "));
    policy_close(&scene.policy);
}

static void keeps_messages_over_a_reload(void)
{
    struct ask rcpt = {"rcpt", .recipient = "ada@example.org"};
    struct ask end = {"end", .state = "END-OF-MESSAGE", .size = 950};
    struct policy_world world;
    struct policy *old;
    struct lookup_source source;
    struct scene scene;

    open_scene(&scene, POLICY_MODE_ENFORCE);
    send(&scene, &rcpt, "over");
    old = scene.policy;
    world = (struct policy_world){.settings = &scene.settings, .previous = old};
    source = fake_lookup_source(&scene.fake);
    CU_ASSERT_EQUAL_FATAL(
        policy_open_with(&world, &source, &scene.policy, NULL), STATUS_OK);
    policy_close(&old);
    send(&scene, &end, "over");
    CU_ASSERT_TRUE(begins(scene.answer.text, "452 4.2.2 "));
    policy_close(&scene.policy);
}

/* What each rule says while the store does not answer. */
static const struct {
    const char *rule;
    struct ask ask;
} away_cases[] = {
    {"recipient_state",
     {"away", .recipient = "ada@example.org", .answer = "DUNNO"}},
    {"mailbox_quota",
     {"away", .recipient = "ada@example.org", .answer = "DUNNO"}},
    {"domain_quota",
     {"away", .recipient = "ada@example.org", .answer = "DUNNO"}},
    {"message_size",
     {"away", .recipient = "ada@example.org", .answer = "DUNNO"}},
    {"sender_login",
     {"away", .login = "ada@example.org", .sender = "ada@example.org",
      .answer = "451 4.3.0 "}},
    {"send_rate",
     {"away", .state = "END-OF-MESSAGE", .login = "ada@example.org",
      .answer = "451 4.3.0 "}},
    {"tls_in",
     {"away", .recipient = "ada@example.org", .answer = "451 4.3.0 "}},
};

static void chooses_for_itself_when_the_store_is_away(void)
{
    static const char *const chosen[] = {"DUNNO", "451 4.3.0 "};
    struct scene scene;

    for (size_t i = 0; i < ARRAY_SIZE(away_cases); i++) {
        for (size_t choice = 0; choice < 3; choice++) {
            const char *name = away_cases[i].rule;
            struct policy_rule_settings *row = &scene.rules[0];
            struct policy_world world = {.settings = &scene.settings};
            struct lookup_source source;

            open_scene(&scene, POLICY_MODE_OFF);
            policy_close(&scene.policy);
            for (size_t j = 0; j < ARRAY_SIZE(rule_names); j++) {
                if (strcmp(rule_names[j], name) != 0)
                    continue;
                scene.rules[j].name = (char *)(uintptr_t)rule_names[0];
            }
            row->name = (char *)(uintptr_t)name;
            row->mode = POLICY_MODE_ENFORCE;
            row->store_away = (enum policy_away)choice;
            source = fake_lookup_source(&scene.fake);
            CU_ASSERT_EQUAL_FATAL(
                policy_open_with(&world, &source, &scene.policy, NULL),
                STATUS_OK);
            atomic_store(&scene.fake.away, true);
            send(&scene, &away_cases[i].ask, "");
            CHECK_CASE(name, begins(scene.answer.text,
                                    choice == 0 ? away_cases[i].ask.answer
                                                : chosen[choice - 1]));
            CHECK_CASE(name, scene.answer.away);
            policy_close(&scene.policy);
        }
    }
}

static void ends_in_time_when_the_store_hangs(void)
{
    struct policy_request request = {.state = "RCPT",
                                     .sasl_username = "",
                                     .sender = "",
                                     .recipient = "ada@example.org",
                                     .instance = ""};
    struct scene scene;
    int64_t began_ms;

    open_scene(&scene, POLICY_MODE_ENFORCE);
    atomic_store(&scene.fake.delay_ms, 60000);
    began_ms = clock_ms();
    policy_decide(scene.policy, &request, began_ms + 300, &scene.answer);
    CU_ASSERT_TRUE(scene.answer.away);
    CU_ASSERT(clock_ms() - began_ms < 1500);
    began_ms = clock_ms();
    policy_decide(scene.policy, &request, began_ms + 5000, &scene.answer);
    CU_ASSERT_TRUE(scene.answer.away);
    CU_ASSERT(clock_ms() - began_ms < 1500); /* it is not asked again at once */
    policy_close(&scene.policy);
}

static void takes_the_settings_order_and_words(void)
{
    struct ask ask = {"both", .login = "ada@example.org",
                      .sender = "bob@example.org",
                      .recipient = "off@example.org"};
    struct policy_rule_settings rules[] = {
        {.name = (char *)(uintptr_t) "sender_login",
         .mode = POLICY_MODE_ENFORCE,
         .text = (char *)(uintptr_t) "Not yours"},
        {.name = (char *)(uintptr_t) "nonsense", .mode = POLICY_MODE_OFF},
    };
    char words[RULE_TEXT_BYTES_MAX + 2] = "";
    struct rule_order order;
    struct errtext err = {{0}};
    struct policy_world world;
    struct lookup_source source;
    struct scene scene;

    open_scene(&scene, POLICY_MODE_ENFORCE);
    policy_close(&scene.policy);
    scene.settings.policy.rules = rules;
    CU_ASSERT_EQUAL(rule_order_read(&scene.settings.policy, &order, &err),
                    STATUS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "nonsense"));
    rules[1].name = rules[0].name;
    scene.settings.policy.rule_count = 2;
    CU_ASSERT_EQUAL(rule_order_read(&scene.settings.policy, &order, &err),
                    STATUS_INVALID);
    scene.settings.policy.rule_count = 1;
    world = (struct policy_world){.settings = &scene.settings};
    source = fake_lookup_source(&scene.fake);
    CU_ASSERT_EQUAL_FATAL(
        policy_open_with(&world, &source, &scene.policy, &err), STATUS_OK);
    send(&scene, &ask, "");
    CU_ASSERT_STRING_EQUAL(scene.answer.text, "553 5.7.1 Not yours");
    policy_close(&scene.policy);
    rules[0].text = words;
    memset(words, 'x', RULE_TEXT_BYTES_MAX + 1);
    CU_ASSERT_EQUAL(rule_order_read(&scene.settings.policy, &order, &err),
                    STATUS_INVALID);
    words[0] = '\n';
    words[RULE_TEXT_BYTES_MAX] = '\0';
    CU_ASSERT_EQUAL(rule_order_read(&scene.settings.policy, &order, &err),
                    STATUS_INVALID);
    words[0] = 'x';
    CU_ASSERT_EQUAL_FATAL(
        policy_open_with(&world, &source, &scene.policy, &err), STATUS_OK);
    send(&scene, &ask, "");
    CU_ASSERT_TRUE(begins(scene.answer.text, "553 5.7.1 xxxx"));
    CU_ASSERT_TRUE(well_formed(scene.answer.text));
    CU_ASSERT_STRING_EQUAL(policy_mode(scene.policy, POLICY_TLS_IN), "warn");
    CU_ASSERT_STRING_EQUAL(
        policy_mode(scene.policy, POLICY_PROVISION_RECIPIENT), "off");
    policy_close(&scene.policy);
}

struct seen {
    size_t rows;
    char outcomes[POLICY_RULE_COUNT][16];
};

static void see(const struct policy_row *row, void *arg)
{
    struct seen *seen = arg;

    (void)snprintf(seen->outcomes[row->rule], sizeof(seen->outcomes[0]), "%s",
                   row->outcome);
    seen->rows++;
}

static void explains_every_row_and_leaves_no_trace(void)
{
    struct policy_request request = {.state = "RCPT",
                                     .sasl_username = "ada@example.org",
                                     .sender = "bob@example.org",
                                     .recipient = "robert@example.org",
                                     .instance = "x"};
    struct seen seen = {0};
    struct policy_visitor visitor = {.visit = see, .arg = &seen};
    struct policy_stats stats;
    struct scene scene;

    open_scene(&scene, POLICY_MODE_ENFORCE);
    policy_rehearse(scene.policy, &request, clock_ms() + 2000, &visitor,
                    &scene.answer);
    CU_ASSERT_EQUAL(seen.rows, POLICY_RULE_COUNT);
    CU_ASSERT_STRING_EQUAL(seen.outcomes[POLICY_RECIPIENT_STATE], "pass");
    CU_ASSERT_STRING_EQUAL(seen.outcomes[POLICY_MAILBOX_QUOTA], "refuse");
    CU_ASSERT_STRING_EQUAL(seen.outcomes[POLICY_SENDER_LOGIN], "refuse");
    CU_ASSERT_STRING_EQUAL(seen.outcomes[POLICY_PROVISION_RECIPIENT], "off");
    CU_ASSERT_TRUE(begins(scene.answer.text, "452 4.2.2 "));
    policy_stats(scene.policy, &stats);
    CU_ASSERT_EQUAL(stats.instances, 0);
    CU_ASSERT_EQUAL(stats.accounts, 0);
    policy_close(&scene.policy);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"answers by the tables", answers_by_the_tables},
        {"only warns where the mode says so", only_warns},
        {"answers from memory what was asked before",
         answers_from_memory_what_was_asked},
        {"joins recipients by the instance", joins_recipients_by_the_instance},
        {"refuses nothing for recipients it forgot",
         refuses_nothing_for_recipients_it_forgot},
        {"refuses nothing when it missed a recipient",
         refuses_nothing_when_it_missed_a_recipient},
        {"keeps messages under way over a reload",
         keeps_messages_over_a_reload},
        {"lets each rule choose when the store is away",
         chooses_for_itself_when_the_store_is_away},
        {"ends in time when the store hangs",
         ends_in_time_when_the_store_hangs},
        {"takes the settings' order and words",
         takes_the_settings_order_and_words},
        {"explains every row and leaves no trace",
         explains_every_row_and_leaves_no_trace},
        CU_TEST_INFO_NULL,
    };

    return run_tests("rule", tests);
}
