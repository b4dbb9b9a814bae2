/* test_torture - without memory the answer is "no answer", and nothing leaks */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "account.h"
#include "address.h"
#include "clock.h"
#include "filter.h"
#include "log.h"
#include "memory.h"
#include "metrics.h"
#include "password.h"
#include "provision.h"
#include "quantity.h"
#include "settings.h"
#include "settings_fixture.h"
#include "throttle.h"
#include "torture.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 20000

/* Tries the whole of one operation, and frees what it made. */
typedef enum status attempt_function(void);

struct attempt {
    const char *name;
    attempt_function *function;
    bool goes_on; /* may do with less instead of failing */
};

/* What a failed call must not have written. */
static enum status with_text(enum status status, char **text)
{
    if (status != STATUS_OK && *text != NULL)
        status = STATUS_INVALID;
    free(*text);
    *text = NULL;
    return status;
}

static enum status makes_a_text(void)
{
    struct strbuf buf = STRBUF_INIT(10000);
    enum status status;
    char *text = NULL;

    for (int i = 0; i < 100; i++)
        strbuf_appendf(&buf, "%d some words ", i);
    status = strbuf_take(&buf, &text, NULL);
    strbuf_clear(&buf);
    return with_text(status, &text);
}

static enum status makes_an_address(void)
{
    char *text = NULL;
    enum status status = address_canonical("Anna@B\xC3\xBC"
                                           "cher.example",
                                           &text, NULL);

    return with_text(status, &text);
}

static enum status makes_a_plain_domain(void)
{
    char *text = NULL;
    enum status status = address_domain("Example.ORG.", &text, NULL);

    return with_text(status, &text);
}

static enum status shows_a_domain(void)
{
    char *text = NULL;
    enum status status =
        address_domain_unicode("xn--bcher-kva.example", &text, NULL);

    return with_text(status, &text);
}

static enum status makes_a_path(void)
{
    char *text = NULL;
    enum status status =
        address_path("%d/%n/", "anna@example.org", &text, NULL);

    return with_text(status, &text);
}

static enum status reads_login_names(void)
{
    struct address_login bare = {0};
    struct address_login realm = {0};
    enum status status = address_login("Anna", "", &bare, NULL);

    if (status == STATUS_OK)
        status = address_login("Anna", "example.org", &realm, NULL);
    free(bare.text);
    free(realm.text);
    return status;
}

static enum status writes_a_filter(void)
{
    struct strbuf buf = STRBUF_INIT(1000);
    enum status status;
    char *text = NULL;

    filter_equals(&buf, "mail", ")(uid=*");
    status = strbuf_take(&buf, &text, NULL);
    strbuf_clear(&buf);
    return with_text(status, &text);
}

static enum status writes_quantities(void)
{
    struct strbuf buf = STRBUF_INIT(1000);
    struct rate rate = {200, 3600};
    enum status status;
    char *text = NULL;

    quantity_append_size(&buf, 1536);
    quantity_append_rate(&buf, rate);
    quantity_append_duration_ms(&buf, 90000);
    status = strbuf_take(&buf, &text, NULL);
    strbuf_clear(&buf);
    return with_text(status, &text);
}

static enum status remembers_a_login(void)
{
    struct memory_limits limits = {60000, 10, 60000, 10};
    char address[ADDRESS_BYTES_MAX + 1];
    struct memory *memory = NULL;
    enum status status = memory_new(limits, &memory, NULL);

    if (status != STATUS_OK)
        return status;
    memory_verify(memory, "anna", 1, "a", "anna@example.org", 0,
                  memory_epoch(memory));
    if (!memory_verified(memory, "anna", 1, "a", 0, address))
        status = STATUS_TEMPFAIL;
    memory_free(&memory);
    return status;
}

static enum status remembers_a_refusal(void)
{
    struct memory_limits limits = {60000, 10, 60000, 10};
    struct memory *memory = NULL;
    enum status status = memory_new(limits, &memory, NULL);

    if (status != STATUS_OK)
        return status;
    (void)memory_ask(memory, "anna", "a", 0);
    memory_answered(memory, "anna", "a", MEMORY_WRONG, clock_ms());
    if (memory_ask(memory, "anna", "a", 0) == MEMORY_NO_OUTCOME) {
        memory_answered(memory, "anna", "a", MEMORY_NO_OUTCOME, 0);
        status = STATUS_TEMPFAIL;
    }
    memory_free(&memory);
    return status;
}

static enum status throttles(void)
{
    struct throttle_limits limits = {9, 0, 60000, 10};
    const char *const trusted[] = {"127.0.0.0/8", "::1"};
    struct throttle *throttle = NULL;
    enum status status = throttle_new(limits, trusted, 2, &throttle, NULL);

    if (status != STATUS_OK)
        return status;
    for (int i = 0; i < 9; i++)
        throttle_failure(throttle, "anna", "192.0.2.7", i);
    if (throttle_open(throttle, "anna", "192.0.2.7", 9))
        status = STATUS_TEMPFAIL;
    throttle_free(&throttle);
    return status;
}

static enum status verifies(const char *hash)
{
    struct password_gate *gate = password_gate_new(1);
    enum status status = STATUS_TEMPFAIL;

    if (gate != NULL)
        status =
            password_verify(gate, hash, "secret", clock_ms() + 60000, NULL);
    password_gate_free(&gate);
    return status;
}

static enum status verifies_crypt(void)
{
    return verifies("{CRYPT}$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1");
}

static enum status verifies_a_digest(void)
{
    return verifies("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=");
}

static enum status hashes_a_password(void)
{
    struct password_gate *gate = password_gate_new(1);
    enum status status = STATUS_TEMPFAIL;
    char *hash = NULL;

    if (gate != NULL)
        status = password_hash(gate, "secret", &hash, NULL);
    password_gate_free(&gate);
    return with_text(status, &hash);
}

static enum status opens_a_log(void)
{
    struct log *log = NULL;
    enum status status =
        log_open("torture", LOG_TO_STDERR, LOG_LEVEL_ERROR, &log, NULL);

    if (status == STATUS_OK)
        log_line(log, LOG_LEVEL_DEBUG, "unseen", NULL, 0);
    log_close(&log);
    return status;
}

static enum status counts(void)
{
    static const struct metric table[] = {{"a", "", "counter", "A."}};
    struct metrics *metrics = metrics_new(table, 1);
    struct strbuf buf = STRBUF_INIT(1000);
    enum status status = STATUS_TEMPFAIL;
    char *text = NULL;

    if (metrics != NULL) {
        metrics_append(metrics, &buf);
        status = strbuf_take(&buf, &text, NULL);
    }
    strbuf_clear(&buf);
    metrics_free(&metrics);
    return with_text(status, &text);
}

/* What the attempts below work on, made beforehand and not under torture. */
static struct {
    struct folder folder;
    struct settings *settings;
    struct directory_entry entry;
    struct account account;
} world;

/* A text for a fault that was not there may be missing, a setting may not. */
static bool shows_the_same(const struct settings *a, const struct settings *b)
{
    struct strbuf left = STRBUF_INIT(1000000);
    struct strbuf right = STRBUF_INIT(1000000);
    bool same;

    torture_pause();
    settings_show(a, false, &left);
    settings_show(b, false, &right);
    same = left.len > 0 && strcmp(strbuf_text(&left), strbuf_text(&right)) == 0;
    strbuf_clear(&left);
    strbuf_clear(&right);
    torture_resume();
    return same;
}

static enum status loads_settings(void)
{
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
    struct settings *settings = NULL;
    enum status status = load_folder(&world.folder, &settings, &faults);

    if ((status == STATUS_OK) != (settings != NULL))
        status = STATUS_DENIED;
    if (settings != NULL && !shows_the_same(settings, world.settings))
        status = STATUS_DENIED;
    settings_free(&settings);
    strbuf_clear(&faults);
    return status;
}

static enum status shows_settings(void)
{
    struct strbuf buf = STRBUF_INIT(1000000);
    enum status status;
    char *text = NULL;

    settings_show(world.settings, false, &buf);
    settings_describe(&buf);
    status = strbuf_take(&buf, &text, NULL);
    strbuf_clear(&buf);
    return with_text(status, &text);
}

static enum status copies_an_account(void)
{
    struct account copy = {0};
    enum status status = account_copy(&world.account, &copy, NULL);

    if (status != STATUS_OK && copy.address != NULL)
        status = STATUS_INVALID;
    account_clear(&copy);
    return status;
}

static enum status chooses_an_address(void)
{
    char *text = NULL;
    enum status status =
        provision_address(world.settings, &world.settings->directories[0],
                          &world.entry, NULL, &text, NULL);

    return with_text(status, &text);
}

/* Makes the plan for a mailbox as it is, or for none. */
static enum status plans(const struct account *current)
{
    struct provision_facts facts = {
        .settings = world.settings,
        .dir = &world.settings->directories[0],
        .entry = &world.entry,
        .address = "anna@example.org",
        .current = current,
        .by_id = current,
        .may_create = true,
    };
    struct plan plan = {0};
    enum status status = provision_plan(&facts, &plan, NULL);

    if (status != STATUS_OK && plan.target.address != NULL)
        status = STATUS_INVALID;
    plan_clear(&plan);
    return status;
}

static enum status plans_a_mailbox(void)
{
    return plans(NULL);
}

static enum status plans_a_change(void)
{
    return plans(&world.account);
}

static const struct attempt attempts[] = {
    {"makes a text", makes_a_text, false},
    {"makes an address", makes_an_address, false},
    {"makes a plain domain", makes_a_plain_domain, false},
    {"shows a domain", shows_a_domain, false},
    {"makes a path", makes_a_path, false},
    {"reads login names", reads_login_names, false},
    {"writes a filter", writes_a_filter, false},
    {"writes quantities", writes_quantities, false},
    {"remembers a login", remembers_a_login, false},
    {"remembers a refusal", remembers_a_refusal, true},
    {"throttles", throttles, true},
    {"verifies crypt", verifies_crypt, false},
    {"verifies a digest", verifies_a_digest, false},
    {"hashes a password", hashes_a_password, false},
    {"opens a log", opens_a_log, false},
    {"counts", counts, false},
    {"loads settings", loads_settings, true},
    {"shows settings", shows_settings, true},
    {"copies an account", copies_an_account, false},
    {"chooses an address", chooses_an_address, false},
    {"plans a mailbox", plans_a_mailbox, false},
    {"plans a change", plans_a_change, false},
};

static char word_empty[] = "";
static char word_dn[] = "uid=anna,ou=people,dc=example,dc=org";
static char word_id[] = "id-anna";
static char word_name[] = "Anna Example";
static char word_address[] = "Anna@Example.org";
static char word_other[] = "anna@b\xC3\xBC"
                           "cher.example";
static char word_alias[] = "a.example@example.org";
static char word_value[] = "default";
static char *usernames[] = {word_other, word_address};
static char *values[] = {word_value};
static char *aliases[] = {word_alias};

static const char settings_text[] =
    "log_level = \"warning\";\n"
    "store = { user = \"provost\"; database = \"provost\"; };\n"
    "directories = (\n"
    "  { name = \"corp\"; host = \"ldap1.example.org, ldap2.example.org\";\n"
    "    base_dn = \"ou=people,dc=example,dc=org\";\n"
    "    login_fields = [ \"mail\", \"uid\" ];\n"
    "    filter = \"(objectClass=inetOrgPerson)\";\n"
    "    attribute_field = \"otherMailbox\";\n"
    "    alias_field = \"mailAlternateAddress\";\n"
    "    attribute_mapping = (\n"
    "      { attribute = \"default\"; template = \"default\"; },\n"
    "      { pattern = \"cn=vip,*\"; template = \"vip\"; } );\n"
    "    domains = [ \"example.org\" ]; } );\n"
    "templates = ( { name = \"default\"; quota = \"5G\"; },\n"
    "              { name = \"vip\"; quota = \"50G\"; } );\n";

/* Makes the account of a first login, then lets the person's name change. */
static void make_account(void)
{
    struct provision_facts facts = {
        .settings = world.settings,
        .dir = &world.settings->directories[0],
        .entry = &world.entry,
        .address = "anna@example.org",
        .may_create = true,
    };
    struct plan plan = {0};

    CU_ASSERT_EQUAL_FATAL(provision_plan(&facts, &plan, NULL), STATUS_OK);
    CHECK_CASE(plan.reason.text, plan.kind == PLAN_CREATE);
    CU_ASSERT_EQUAL_FATAL(account_copy(&plan.target, &world.account, NULL),
                          STATUS_OK);
    plan_clear(&plan);
    world.entry.name = word_name;
}

static void make_world(void)
{
    open_folder(&world.folder);
    write_file(&world.folder, "provost.conf", settings_text);
    world.settings = load_text(settings_text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(world.settings);
    world.entry = (struct directory_entry){
        .dn = word_dn,
        .id = word_id,
        .usernames = {usernames, ARRAY_SIZE(usernames)},
        .values = {values, ARRAY_SIZE(values)},
        .aliases = {aliases, ARRAY_SIZE(aliases)},
        .name = word_empty,
    };
    make_account();
}

static void end_world(void)
{
    account_clear(&world.account);
    settings_free(&world.settings);
    close_folder(&world.folder);
}

/* Returns false when it is pointless to go on. */
static bool try_once(const struct attempt *attempt, unsigned n, bool *failed_r)
{
    enum status status;
    size_t leaked = 0;
    bool held;

    torture_begin(n);
    status = attempt->function();
    *failed_r = torture_end(&leaked);
    held = leaked == 0 &&
           (*failed_r ? status == STATUS_TEMPFAIL ||
                            (attempt->goes_on && status == STATUS_OK)
                      : status == STATUS_OK);
    CHECK_CASE(attempt->name, held);
    if (!held)
        (void)printf("\n    allocation %u: %s, %zu blocks leaked", n,
                     status_name(status), leaked);
    return held;
}

static void every_allocation_may_fail(void)
{
    make_world();
    for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
        bool failed = true;
        unsigned n = 0;

        while (failed && n < TRIES_MAX &&
               try_once(&attempts[i], n + 1, &failed))
            n++;
        CHECK_CASE(attempts[i].name, !failed && n > 1);
    }
    end_world();
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"every allocation may fail", every_allocation_may_fail},
        CU_TEST_INFO_NULL,
    };

    return run_tests("torture", tests);
}
