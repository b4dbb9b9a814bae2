/* test_provision - what a mailbox should become */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "provision.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define GIB (1024ULL * 1024 * 1024)

/* Texts as the structs want them; the compiler keeps them writable. */
static char example_org[] = "example.org";
static char example_net[] = "example.net";
static char other_org[] = "other.org";
static char corp[] = "corp";
static char other[] = "other";
static char empty[] = "";
static char mail[] = "mail";
static char name_default[] = "default";
static char name_vip[] = "vip";
static char vip_pattern[] = "cn=vip,*";
static char path_format[] = "%d/%n/";
static char other_mailbox[] = "othermailbox";
static char alias_attribute[] = "proxyAddresses";
static char id_anna[] = "id-anna";
static char dn_anna[] = "uid=anna,ou=people,dc=example,dc=org";
static char name_anna[] = "Anna Example";
static char tags_none[] = "";

static char *corp_domains[] = {example_org, example_net};
static char *other_domains[] = {other_org};
/* As the settings give them: what a row does not have is empty. */
static char left_out[] = "";
static struct mapping_row mapping[] = {
    {.attribute = name_default,
     .pattern = left_out,
     .template_name = name_default},
    {.attribute = left_out, .pattern = vip_pattern, .template_name = name_vip},
};

/* The world of a test: two directories, two templates, one person. */
struct world {
    struct directory_settings directories[2];
    struct template_settings templates[2];
    struct settings settings;
    char *usernames[3];
    char *values[3];
    char *aliases[4];
    struct directory_entry entry;
    struct provision_facts facts;
};

static void world_init(struct world *world)
{
    memset(world, 0, sizeof(*world));
    world->directories[0] = (struct directory_settings){
        .name = corp,
        .username_field = mail,
        .attribute_field = other_mailbox,
        .mapping = mapping,
        .mapping_count = ARRAY_SIZE(mapping),
        .default_template = empty,
        .alias_field = empty,
        .quota_field = empty,
        .id_field = empty,
        .domains = {corp_domains, 2},
    };
    world->directories[1] = world->directories[0];
    world->directories[1].name = other;
    world->directories[1].domains = (struct text_list){other_domains, 1};
    world->templates[0] =
        (struct template_settings){name_default,
                                   {.quota_bytes = 5 * GIB,
                                    .services = ACCOUNT_ALL_SERVICES,
                                    .tags = tags_none}};
    world->templates[1] =
        (struct template_settings){name_vip,
                                   {.quota_bytes = 50 * GIB,
                                    .services = ACCOUNT_ALL_SERVICES,
                                    .tags = tags_none}};
    world->settings = (struct settings){
        .directories = world->directories,
        .directory_count = 2,
        .templates = world->templates,
        .template_count = 2,
        .mail = {.path_format = path_format},
    };
    world->usernames[0] = strdup("anna@example.org");
    world->values[0] = name_default;
    world->entry = (struct directory_entry){
        .dn = dn_anna,
        .id = id_anna,
        .usernames = {world->usernames, 1},
        .values = {world->values, 1},
        .aliases = {world->aliases, 0},
        .name = name_anna,
    };
    world->facts = (struct provision_facts){
        .settings = &world->settings,
        .dir = &world->directories[0],
        .entry = &world->entry,
        .address = "anna@example.org",
        .may_create = true,
    };
}

static void world_clear(struct world *world)
{
    free(world->usernames[0]);
}

/* Makes the plan of a world, which must succeed. */
static struct plan plan_of(struct world *world)
{
    struct plan plan = {0};
    struct errtext err = {{0}};

    CU_ASSERT_EQUAL(provision_plan(&world->facts, &plan, &err), STATUS_OK);
    return plan;
}

/* The mailbox as a first login of this world makes it; owned. */
static struct account made_by(struct world *world)
{
    struct plan plan = plan_of(world);
    struct account account = plan.target;

    CU_ASSERT_EQUAL(plan.kind, PLAN_CREATE);
    memset(&plan.target, 0, sizeof(plan.target));
    plan_clear(&plan);
    return account;
}

static void creates_from_the_template(void)
{
    struct world world;
    struct account made;

    world_init(&world);
    made = made_by(&world);
    CU_ASSERT_STRING_EQUAL(made.address, "anna@example.org");
    CU_ASSERT_STRING_EQUAL(made.domain, "example.org");
    CU_ASSERT_EQUAL(made.source, ACCOUNT_LDAP);
    CU_ASSERT_STRING_EQUAL(made.directory, "corp");
    CU_ASSERT_STRING_EQUAL(made.directory_id, "id-anna");
    CU_ASSERT_STRING_EQUAL(made.name, "Anna Example");
    CU_ASSERT_STRING_EQUAL(made.template_name, "default");
    CU_ASSERT_STRING_EQUAL(made.mail_path, "example.org/anna/");
    CU_ASSERT_EQUAL(made.set.quota_bytes, 5 * GIB);
    CU_ASSERT_EQUAL(strlen(made.fingerprint), 32);
    account_clear(&made);
    world_clear(&world);
}

static void maps_all_values_first_row_wins(void)
{
    static const struct {
        const char *name;
        const char *values[2];
        const char *default_template;
        bool match_case;
        const char *template_name;
        const char *value;
    } cases[] = {
        {"the reference page's example",
         {"default"},
         "",
         false,
         "default",
         "default"},
        {"a literal ignores case",
         {"DEFAULT"},
         "",
         false,
         "default",
         "DEFAULT"},
        {"unless match_case", {"DEFAULT"}, "", true, NULL, NULL},
        {"a literal is no pattern", {"defaults"}, "", false, NULL, NULL},
        {"a literal is the whole value", {"default "}, "", false, NULL, NULL},
        {"a pattern",
         {"cn=vip,ou=groups"},
         "",
         false,
         "vip",
         "cn=vip,ou=groups"},
        {"the second value counts",
         {"x", "default"},
         "",
         false,
         "default",
         "default"},
        {"rows before values",
         {"cn=vip,x", "default"},
         "",
         false,
         "default",
         "default"},
        {"no match", {"x"}, "", false, NULL, NULL},
        {"no match, default_template", {"x"}, "vip", false, "vip", NULL},
        {"no value at all, default_template",
         {NULL},
         "vip",
         false,
         "vip",
         NULL},
        {"no value at all", {NULL}, "", false, NULL, NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mapping_row rows[2] = {mapping[0], mapping[1]};
        const struct template_settings *template;
        const char *value = NULL;
        char *values[2] = {NULL, NULL};
        char fallback[16];
        struct world world;

        world_init(&world);
        rows[0].match_case = cases[i].match_case;
        world.directories[0].mapping = rows;
        (void)snprintf(fallback, sizeof(fallback), "%s",
                       cases[i].default_template);
        world.directories[0].default_template = fallback;
        world.entry.values = (struct text_list){values, 0};
        for (size_t v = 0; v < 2 && cases[i].values[v] != NULL; v++)
            values[world.entry.values.count++] = strdup(cases[i].values[v]);
        template = provision_template(&world.settings, &world.directories[0],
                                      &world.entry, &value);
        CHECK_CASE(cases[i].name,
                   (template == NULL) == (cases[i].template_name == NULL));
        if (template != NULL && cases[i].template_name != NULL)
            CHECK_CASE(cases[i].name,
                       strcmp(template->name, cases[i].template_name) == 0);
        CHECK_CASE(cases[i].name, (value == NULL) == (cases[i].value == NULL));
        if (value != NULL && cases[i].value != NULL)
            CHECK_CASE(cases[i].name, strcmp(value, cases[i].value) == 0);
        free(values[0]);
        free(values[1]);
        world_clear(&world);
    }
}

static void chooses_the_address_not_the_typed_one(void)
{
    static const struct {
        const char *name;
        const char *values[3];
        const char *of_id;
        const char *address; /* NULL: refused */
    } cases[] = {
        {"one value", {"Anna@Example.ORG"}, NULL, "anna@example.org"},
        {"two values, bytewise first",
         {"b@example.org", "a@example.org"},
         NULL,
         "a@example.org"},
        {"the one this id has",
         {"a@example.org", "b@example.org"},
         "b@example.org",
         "b@example.org"},
        {"this id's is gone: the first",
         {"c@example.org", "b@example.org"},
         "x@example.org",
         "b@example.org"},
        {"only served domains count",
         {"a@other.org", "b@example.net"},
         NULL,
         "b@example.net"},
        {"another directory's domain", {"a@other.org"}, NULL, NULL},
        {"not even for this id", {"a@other.org"}, "a@other.org", NULL},
        {"no address", {"anna"}, NULL, NULL},
        {"no value", {NULL}, NULL, NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *values[3] = {NULL, NULL, NULL};
        struct errtext err = {{0}};
        char *address = NULL;
        enum status status;
        struct world world;

        world_init(&world);
        world.entry.usernames = (struct text_list){values, 0};
        for (size_t v = 0; v < 3 && cases[i].values[v] != NULL; v++)
            values[world.entry.usernames.count++] = strdup(cases[i].values[v]);
        status =
            provision_address(&world.settings, &world.directories[0],
                              &world.entry, cases[i].of_id, &address, &err);
        CHECK_CASE(cases[i].name,
                   status ==
                       (cases[i].address != NULL ? STATUS_OK : STATUS_DENIED));
        if (address != NULL && cases[i].address != NULL)
            CHECK_CASE(cases[i].name, strcmp(address, cases[i].address) == 0);
        if (status == STATUS_DENIED)
            CHECK_CASE(cases[i].name, strstr(err.text, "corp") != NULL);
        for (size_t v = 0; v < 3; v++)
            free(values[v]);
        free(address);
        world_clear(&world);
    }
}

static void changes_nothing_when_nothing_changed(void)
{
    struct world world;
    struct account made;
    struct plan plan;

    world_init(&world);
    made = made_by(&world);
    world.facts.current = &made;
    world.facts.by_id = &made;
    plan = plan_of(&world);
    CU_ASSERT_EQUAL(plan.kind, PLAN_NOTHING);
    CU_ASSERT_EQUAL(plan.changed, 0);
    plan_clear(&plan);
    account_clear(&made);
    world_clear(&world);
}

/* What is done to the world of a made mailbox, and the plan that follows. */
enum change {
    CHANGE_QUOTA,
    CHANGE_TEMPLATE,
    CHANGE_NAME,
    CHANGE_QUOTA_ATTRIBUTE,
    CHANGE_BAD_QUOTA_ATTRIBUTE,
    CHANGE_ALIASES,
    CHANGE_NO_ID_YET,
    CHANGE_ADDRESS,
    CHANGE_DISABLED,
    CHANGE_ENABLED,
    CHANGE_NO_MAPPING,
    CHANGE_NAME_PINNED,
    CHANGE_QUOTA_PINNED,
    CHANGE_BLOCKED
};

static void change_entry(struct world *world, enum change change)
{
    static char second_name[] = "Anna Married";
    static char second_quota[] = "7G";
    static char bad_quota[] = "much";
    static char first_alias[] = "SMTP:anna@example.org";
    static char second_alias[] = "smtp:A.Example@Example.org";
    static char third_alias[] = "X400:c=de";
    static char no_value[] = "nothing";

    switch (change) {
    case CHANGE_TEMPLATE:
        world->values[0] = vip_pattern;
        break;
    case CHANGE_NAME:
    case CHANGE_NAME_PINNED:
        world->entry.name = second_name;
        break;
    case CHANGE_QUOTA_ATTRIBUTE:
        world->entry.quota = second_quota;
        break;
    case CHANGE_BAD_QUOTA_ATTRIBUTE:
        world->entry.quota = bad_quota;
        break;
    case CHANGE_ALIASES:
        world->directories[0].alias_field = alias_attribute;
        world->aliases[0] = first_alias;
        world->aliases[1] = second_alias;
        world->aliases[2] = third_alias;
        world->entry.aliases.count = 3;
        break;
    case CHANGE_ADDRESS:
        world->facts.address = "anna.married@example.org";
        world->facts.current = NULL;
        break;
    case CHANGE_DISABLED:
        world->entry.disabled = true;
        break;
    case CHANGE_NO_MAPPING:
        world->values[0] = no_value;
        break;
    case CHANGE_QUOTA:
    case CHANGE_NO_ID_YET:
    case CHANGE_ENABLED:
    case CHANGE_QUOTA_PINNED:
    case CHANGE_BLOCKED:
        break;
    }
}

static void change_world(struct world *world, struct account *made,
                         enum change change)
{
    change_entry(world, change);
    if (change == CHANGE_QUOTA || change == CHANGE_QUOTA_PINNED)
        world->templates[0].set.quota_bytes = 6 * GIB;
    if (change == CHANGE_QUOTA_PINNED)
        made->pinned = ACCOUNT_SET_BIT(ACCOUNT_SET_QUOTA);
    if (change == CHANGE_NAME_PINNED)
        made->pinned = ACCOUNT_SET_BIT(ACCOUNT_SET_NAME);
    if (change == CHANGE_NO_ID_YET) {
        free(made->directory_id);
        made->directory_id = NULL;
    }
    if (change == CHANGE_ENABLED)
        made->directory_state = ACCOUNT_DISABLED;
    if (change == CHANGE_BLOCKED)
        made->admin_state = ACCOUNT_BLOCK_ALL;
}

static void plans_just_what_changed(void)
{
    static const struct {
        const char *name;
        enum change change;
        enum plan_kind kind;
        unsigned changed;
        uint64_t quota;
    } cases[] = {
        {"template content", CHANGE_QUOTA, PLAN_UPDATE,
         ACCOUNT_SET_BIT(ACCOUNT_SET_QUOTA), 6 * GIB},
        {"another template", CHANGE_TEMPLATE, PLAN_UPDATE,
         ACCOUNT_SET_BIT(ACCOUNT_SET_QUOTA), 50 * GIB},
        {"name", CHANGE_NAME, PLAN_UPDATE, ACCOUNT_SET_BIT(ACCOUNT_SET_NAME),
         5 * GIB},
        {"quota attribute", CHANGE_QUOTA_ATTRIBUTE, PLAN_UPDATE,
         ACCOUNT_SET_BIT(ACCOUNT_SET_QUOTA), 7 * GIB},
        {"unreadable quota attribute: the template's",
         CHANGE_BAD_QUOTA_ATTRIBUTE, PLAN_NOTHING, 0, 5 * GIB},
        {"aliases", CHANGE_ALIASES, PLAN_UPDATE,
         ACCOUNT_SET_BIT(ACCOUNT_SET_ALIASES), 5 * GIB},
        {"no id yet: adopted", CHANGE_NO_ID_YET, PLAN_ADOPT, 0, 5 * GIB},
        {"new address: a rename", CHANGE_ADDRESS, PLAN_RENAME, 0, 5 * GIB},
        {"disabled", CHANGE_DISABLED, PLAN_DEACTIVATE, 0, 5 * GIB},
        {"enabled again", CHANGE_ENABLED, PLAN_REACTIVATE, 0, 5 * GIB},
        {"nothing maps any more: settings stay", CHANGE_NO_MAPPING,
         PLAN_NOTHING, 0, 5 * GIB},
        {"pinned name", CHANGE_NAME_PINNED, PLAN_UPDATE, 0, 5 * GIB},
        {"pinned quota", CHANGE_QUOTA_PINNED, PLAN_UPDATE, 0, 5 * GIB},
        {"an administrator's block", CHANGE_BLOCKED, PLAN_NOTHING, 0, 5 * GIB},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world world;
        struct account made;
        struct plan plan;

        world_init(&world);
        made = made_by(&world);
        world.facts.current = &made;
        world.facts.by_id = &made;
        change_world(&world, &made, cases[i].change);
        plan = plan_of(&world);
        CHECK_CASE(cases[i].name, plan.kind == cases[i].kind);
        CHECK_CASE(cases[i].name, plan.changed == cases[i].changed);
        CHECK_CASE(cases[i].name,
                   plan.target.set.quota_bytes == cases[i].quota);
        CHECK_CASE(cases[i].name, plan.target.admin_state == made.admin_state);
        CHECK_CASE(cases[i].name,
                   strcmp(plan.target.mail_path, made.mail_path) == 0);
        if (cases[i].change == CHANGE_ALIASES) {
            CHECK_CASE(cases[i].name, plan.target.alias_count == 1);
            CHECK_CASE(cases[i].name, strcmp(plan.target.aliases[0],
                                             "a.example@example.org") == 0);
        }
        plan_clear(&plan);
        account_clear(&made);
        world_clear(&world);
    }
}

/* What stands at the address already, and why the person may not have it. */
static void refuses_with_the_reason(void)
{
    static const struct {
        const char *name;
        enum plan_refusal refusal;
    } cases[] = {
        {"nothing maps", REFUSAL_NO_TEMPLATE},
        {"login_provisioning off", REFUSAL_PROVISIONING_OFF},
        {"a local mailbox", REFUSAL_LOCAL_MAILBOX},
        {"another directory's", REFUSAL_OTHER_DIRECTORY},
        {"another id's", REFUSAL_OTHER_ID},
        {"the entry has no id", REFUSAL_NO_ID},
        {"a disabled entry", REFUSAL_DISABLED},
    };
    static char nothing[] = "nothing";

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world world;
        struct account made;
        struct plan plan;

        world_init(&world);
        made = made_by(&world);
        if (cases[i].refusal == REFUSAL_NO_TEMPLATE)
            world.values[0] = nothing;
        if (cases[i].refusal == REFUSAL_PROVISIONING_OFF)
            world.facts.may_create = false;
        if (cases[i].refusal == REFUSAL_NO_ID)
            world.entry.id = NULL;
        if (cases[i].refusal == REFUSAL_DISABLED)
            world.entry.disabled = true;
        if (cases[i].refusal == REFUSAL_LOCAL_MAILBOX) {
            made.source = ACCOUNT_LOCAL;
            world.facts.current = &made;
        }
        if (cases[i].refusal == REFUSAL_OTHER_DIRECTORY) {
            free(made.directory);
            made.directory = strdup("other");
            world.facts.current = &made;
        }
        if (cases[i].refusal == REFUSAL_OTHER_ID) {
            free(made.directory_id);
            made.directory_id = strdup("id-somebody");
            world.facts.current = &made;
        }
        plan = plan_of(&world);
        CHECK_CASE(cases[i].name, plan.kind == PLAN_REFUSED);
        CHECK_CASE(cases[i].name, plan.refusal == cases[i].refusal);
        CHECK_CASE(cases[i].name, plan.reason.text[0] != '\0');
        plan_clear(&plan);
        account_clear(&made);
        world_clear(&world);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"creates from the template", creates_from_the_template},
        {"maps all values, first row wins", maps_all_values_first_row_wins},
        {"chooses the address, not the typed one",
         chooses_the_address_not_the_typed_one},
        {"changes nothing when nothing changed",
         changes_nothing_when_nothing_changed},
        {"plans just what changed", plans_just_what_changed},
        {"refuses with the reason", refuses_with_the_reason},
        CU_TEST_INFO_NULL,
    };

    return run_tests("provision", tests);
}
