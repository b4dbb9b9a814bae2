/* test_provision_admin - plans that an administrator makes */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"

#include "provision_admin.h"
#include "provision_private.h"

#include <stdlib.h>
#include <string.h>

#define GIB ((uint64_t)1 << 30)
#define QUOTA ACCOUNT_SET_BIT(ACCOUNT_SET_QUOTA)
#define SMTP ACCOUNT_SET_BIT(ACCOUNT_SET_SMTP)

static char path_format[] = "%d/%n/";
static char template_name[] = "default";
static char directory_name[] = "corp";
static char quota_field[] = "mailQuota";
static char no_field[] = "";
static char no_tags[] = "";
static const struct settings settings = {.mail = {.path_format = path_format}};
static const struct template_settings template = {
    .name = template_name,
    .set = {.quota_bytes = 5 * GIB,
            .services = ACCOUNT_ALL_SERVICES,
            .tags = no_tags},
};
static const struct directory_settings by_quota = {.name = directory_name,
                                                   .quota_field = quota_field};
static const struct directory_settings by_template = {.name = directory_name,
                                                      .quota_field = no_field};

/* A mailbox as the template makes it; account_clear. */
static void make_mailbox(struct account *account)
{
    struct provision_new new = {
        .address = "ada@example.org",
        .source = ACCOUNT_LDAP,
        .dir = &by_template,
        .template = &template,
    };
    struct plan plan = {0};

    CU_ASSERT_EQUAL(provision_add(&settings, &new, &plan, NULL), STATUS_OK);
    *account = plan.target;
    plan.target = (struct account){0};
    plan_clear(&plan);
}

static void a_new_mailbox_is_as_its_template(void)
{
    struct account account = {0};

    make_mailbox(&account);
    CU_ASSERT_STRING_EQUAL(account.address, "ada@example.org");
    CU_ASSERT_STRING_EQUAL(account.domain, "example.org");
    CU_ASSERT_STRING_EQUAL(account.mail_path, "example.org/ada/");
    CU_ASSERT_STRING_EQUAL(account.directory, "corp");
    CU_ASSERT_PTR_NULL(account.directory_id);
    CU_ASSERT_PTR_NULL(account.fingerprint);
    CU_ASSERT_EQUAL(account.set.quota_bytes, 5 * GIB);
    CU_ASSERT_EQUAL(account.pinned, 0);
    account_clear(&account);
}

static void a_new_mailbox_with_values_has_them_pinned(void)
{
    struct provision_new new = {.address = "ada@example.org",
                                .template = &template};
    struct account wanted = {.set = {.quota_bytes = GIB}};
    struct plan plan = {0};

    CU_ASSERT_EQUAL(provision_add(&settings, &new, &plan, NULL), STATUS_OK);
    CU_ASSERT_EQUAL(provision_edit(NULL, &wanted, QUOTA, &plan, NULL),
                    STATUS_OK);
    CU_ASSERT_EQUAL(plan.kind, PLAN_CREATE);
    CU_ASSERT_EQUAL(plan.target.set.quota_bytes, GIB);
    CU_ASSERT_EQUAL(plan.target.set.services, ACCOUNT_ALL_SERVICES);
    CU_ASSERT_EQUAL(plan.target.pinned, QUOTA);
    CU_ASSERT_EQUAL(plan.target.source, ACCOUNT_LOCAL);
    plan_clear(&plan);
}

static void an_edit_changes_what_was_named_and_pins_it(void)
{
    struct account wanted = {.set = {.quota_bytes = GIB, .services = 0}};
    struct account account = {0};
    struct plan plan = {0};

    make_mailbox(&account);
    CU_ASSERT_EQUAL(provision_edit(&account, &wanted, QUOTA, &plan, NULL),
                    STATUS_OK);
    CU_ASSERT_EQUAL(plan.kind, PLAN_UPDATE);
    CU_ASSERT_EQUAL(plan.changed, QUOTA);
    CU_ASSERT_EQUAL(plan.pin, QUOTA);
    CU_ASSERT_EQUAL(plan.target.set.quota_bytes, GIB);
    CU_ASSERT_EQUAL(plan.target.set.services, ACCOUNT_ALL_SERVICES);
    plan_clear(&plan);
    account_clear(&account);
}

static void an_edit_to_the_same_pins_once_and_then_is_nothing(void)
{
    struct account wanted = {.set = {.quota_bytes = 5 * GIB}};
    struct account account = {0};
    struct plan plan = {0};

    make_mailbox(&account);
    CU_ASSERT_EQUAL(provision_edit(&account, &wanted, QUOTA, &plan, NULL),
                    STATUS_OK);
    CU_ASSERT_EQUAL(plan.kind, PLAN_UPDATE);
    plan_clear(&plan);
    account.pinned = QUOTA;
    CU_ASSERT_EQUAL(provision_edit(&account, &wanted, QUOTA, &plan, NULL),
                    STATUS_OK);
    CU_ASSERT_EQUAL(plan.kind, PLAN_NOTHING);
    plan_clear(&plan);
    account_clear(&account);
}

static void another_template_changes_all_but_pins(void)
{
    static char other_name[] = "small";
    const struct template_settings other = {
        .name = other_name,
        .set = {.quota_bytes = GIB, .services = ACCOUNT_IMAP, .tags = no_tags},
    };
    struct account account = {0};
    struct account wanted = {.set = {.tls_in = true}};
    struct plan plan = {0};

    make_mailbox(&account);
    account.pinned = QUOTA;
    CU_ASSERT_EQUAL(provision_retemplate(&account, &other, &plan, NULL),
                    STATUS_OK);
    CU_ASSERT_EQUAL(provision_edit(NULL, &wanted,
                                   ACCOUNT_SET_BIT(ACCOUNT_SET_TLS_IN), &plan,
                                   NULL),
                    STATUS_OK);
    CU_ASSERT_EQUAL(plan.kind, PLAN_UPDATE);
    CU_ASSERT_STRING_EQUAL(plan.target.template_name, "small");
    CU_ASSERT_EQUAL(plan.target.set.quota_bytes, 5 * GIB);
    CU_ASSERT_EQUAL(plan.target.set.services, ACCOUNT_IMAP);
    CU_ASSERT_TRUE(plan.target.set.tls_in);
    CU_ASSERT_EQUAL(plan.pin, ACCOUNT_SET_BIT(ACCOUNT_SET_TLS_IN));
    CU_ASSERT_EQUAL(plan.changed & QUOTA, 0);
    plan_clear(&plan);
    CU_ASSERT_EQUAL(provision_retemplate(&account, &template, &plan, NULL),
                    STATUS_OK);
    CU_ASSERT_EQUAL(plan.kind, PLAN_NOTHING);
    plan_clear(&plan);
    account_clear(&account);
}

static void a_rename_moves_address_and_domain(void)
{
    struct account account = {0};
    struct plan plan = {0};

    make_mailbox(&account);
    CU_ASSERT_EQUAL(
        provision_rename(&account, "ada@other.example", &plan, NULL),
        STATUS_OK);
    CU_ASSERT_EQUAL(plan.kind, PLAN_RENAME);
    CU_ASSERT_STRING_EQUAL(plan.old_address, "ada@example.org");
    CU_ASSERT_STRING_EQUAL(plan.target.domain, "other.example");
    CU_ASSERT_STRING_EQUAL(plan.target.mail_path, "example.org/ada/");
    plan_clear(&plan);
    CU_ASSERT_EQUAL(provision_rename(&account, "ada@example.org", &plan, NULL),
                    STATUS_OK);
    CU_ASSERT_EQUAL(plan.kind, PLAN_NOTHING);
    plan_clear(&plan);
    account_clear(&account);
}

/* How the mailbox of a case differs from the template. */
struct affected_case {
    const char *name;
    const struct directory_settings *dir;
    uint64_t quota_bytes;
    unsigned services;
    unsigned pinned;
    bool printed; /* its fingerprint is of what it has now */
    unsigned bits;
};

static void tells_whom_a_template_affects(void)
{
    static const struct affected_case cases[] = {
        {"as the template", &by_template, 5 * GIB, ACCOUNT_ALL_SERVICES, 0,
         false, 0},
        {"another quota", &by_template, GIB, ACCOUNT_ALL_SERVICES, 0, false,
         QUOTA},
        {"another quota of an older template", &by_template, GIB,
         ACCOUNT_ALL_SERVICES, 0, true, QUOTA},
        {"a pinned quota", &by_template, GIB, ACCOUNT_ALL_SERVICES, QUOTA,
         false, 0},
        {"the directory's quota", &by_quota, GIB, ACCOUNT_ALL_SERVICES, 0, true,
         0},
        {"a quota that nobody knows of", &by_quota, GIB, ACCOUNT_ALL_SERVICES,
         0, false, QUOTA},
        {"a right", &by_quota, 5 * GIB,
         ACCOUNT_IMAP | ACCOUNT_POP3 | ACCOUNT_SIEVE, 0, true, SMTP},
        {"a pinned right", &by_template, 5 * GIB,
         ACCOUNT_IMAP | ACCOUNT_POP3 | ACCOUNT_SIEVE, SMTP, true, 0},
        {"without a directory", NULL, GIB, ACCOUNT_ALL_SERVICES, 0, true,
         QUOTA},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct account account = {0};
        struct account target = {0};
        unsigned bits = 0;

        make_mailbox(&account);
        account.set.quota_bytes = cases[i].quota_bytes;
        account.set.services = cases[i].services;
        account.pinned = cases[i].pinned;
        if (cases[i].printed)
            CU_ASSERT_EQUAL(provision_fingerprint(&account), STATUS_OK);
        CHECK_CASE(cases[i].name,
                   provision_affected(&account, &template, cases[i].dir, &bits,
                                      &target, NULL) == STATUS_OK);
        CHECK_CASE(cases[i].name, bits == cases[i].bits);
        account_clear(&target);
        account_clear(&account);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"a new mailbox is as its template", a_new_mailbox_is_as_its_template},
        {"a new mailbox with values has them pinned",
         a_new_mailbox_with_values_has_them_pinned},
        {"an edit changes what was named and pins it",
         an_edit_changes_what_was_named_and_pins_it},
        {"an edit to the same pins once and then is nothing",
         an_edit_to_the_same_pins_once_and_then_is_nothing},
        {"another template changes all but pins",
         another_template_changes_all_but_pins},
        {"a rename moves address and domain",
         a_rename_moves_address_and_domain},
        {"tells whom a template affects", tells_whom_a_template_affects},
        CU_TEST_INFO_NULL,
    };

    return run_tests("provision_admin", tests);
}
