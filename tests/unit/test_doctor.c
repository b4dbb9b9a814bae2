/* test_doctor - what doctor reads of its neighbours' files */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"

#include "doctor_jail.h"
#include "doctor_words.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

/* Compares an owned text with what is wanted, and frees it. */
static bool is_text(char *text, const char *wanted)
{
    bool same = wanted == NULL ? text == NULL
                               : text != NULL && strcmp(text, wanted) == 0;

    free(text);
    return same;
}

static void finds_a_value_as_libsasl2_does(void)
{
    static const struct {
        const char *name;
        const char *text;
        const char *key;
        const char *value;
    } cases[] = {
        {"plain", "mech_list: PLAIN LOGIN\n", "mech_list", "PLAIN LOGIN"},
        {"without a blank", "mech_list:PLAIN\n", "mech_list", "PLAIN"},
        {"no line end", "mech_list: PLAIN", "mech_list", "PLAIN"},
        {"trailing blanks", "mech_list: PLAIN \t\r\n", "mech_list", "PLAIN"},
        {"leading blanks", "  mech_list: PLAIN\n", "mech_list", "PLAIN"},
        {"another case", "Mech_List: PLAIN\n", "mech_list", "PLAIN"},
        {"the first counts", "a: 1\na: 2\n", "a", "1"},
        {"a comment", "#mech_list: PLAIN\n", "mech_list", NULL},
        {"a longer key", "mech_list2: PLAIN\n", "mech_list", NULL},
        {"a value that looks like a key", "b: a: 1\n", "a", NULL},
        {"a colon in the value", "a: b:c\n", "a", "b:c"},
        {"nothing", "", "a", NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_CASE(cases[i].name,
                   is_text(doctor_sasl_value(cases[i].text, cases[i].key),
                           cases[i].value));
}

static void names_the_line_that_libsasl2_refuses(void)
{
    static const struct {
        const char *name;
        const char *text;
        unsigned line;
    } cases[] = {
        {"all is well", "# words\n\na: b\n  # more\nc-d_1: e\n", 0},
        {"nothing", "", 0},
        {"no colon", "a: b\nmech_list\n", 2},
        {"no value", "a: b\n\nc:  \n", 3},
        {"a blank before the colon", "a : b\n", 1},
        {"a comment behind a value is its value", "a: b # c\n", 0},
        {"an empty key is one", ": b\n", 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_CASE(cases[i].name,
                   doctor_sasl_fault(cases[i].text) == cases[i].line);
}

static void finds_mechanisms_we_cannot_check(void)
{
    static const struct {
        const char *list;
        const char *word;
    } cases[] = {
        {"PLAIN LOGIN", NULL},
        {"plain", NULL},
        {"", NULL},
        {"PLAIN CRAM-MD5", "CRAM-MD5"},
        {"SCRAM-SHA-1", "SCRAM-SHA-1"},
        {"PLAINER", "PLAINER"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char word[64] = "";
        bool found =
            doctor_foreign_mechanism(cases[i].list, word, sizeof(word));

        CHECK_CASE(cases[i].list, found == (cases[i].word != NULL));
        CHECK_CASE(cases[i].list, !found || strcmp(word, cases[i].word) == 0);
    }
}

static void reads_services_of_master_cf(void)
{
    static const struct {
        const char *line;
        bool by_default; /* what "-" means */
        const char *name;
        const char *program;
        bool chrooted;
    } cases[] = {
        {"submission inet n - y - - smtpd", false, "submission/inet", "smtpd",
         true},
        {"smtp inet n - n - - smtpd -o a=b", true, "smtp/inet", "smtpd", false},
        {"smtp\tinet  n  -  -  -  -  smtpd\n", true, "smtp/inet", "smtpd",
         true},
        {"smtp inet n - - - - smtpd", false, "smtp/inet", "smtpd", false},
        {"127.0.0.1:25 inet n - n - - /x/y/smtpd", false, "127.0.0.1:25/inet",
         "smtpd", false},
        {"pickup unix n - y 60 1 pickup", false, "pickup/unix", "pickup", true},
        {"smtp inet n - y - -", false, NULL, NULL, false},
        {"", false, NULL, NULL, false},
        {"# smtp inet n - y - - smtpd", false, NULL, NULL, false},
        {"  -o smtpd_sasl_auth_enable=yes a b c d e f", false, NULL, NULL,
         false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct doctor_service service;
        bool read =
            doctor_service_read(cases[i].line, cases[i].by_default, &service);

        CHECK_CASE(cases[i].line, read == (cases[i].name != NULL));
        if (!read || cases[i].name == NULL)
            continue;
        CHECK_CASE(cases[i].line, strcmp(service.name, cases[i].name) == 0);
        CHECK_CASE(cases[i].line,
                   strcmp(service.program, cases[i].program) == 0);
        CHECK_CASE(cases[i].line, service.chrooted == cases[i].chrooted);
    }
}

static void refuses_a_name_that_is_too_long(void)
{
    struct doctor_service service;
    char line[512];

    memset(line, 'x', sizeof(line));
    (void)snprintf(line + 122, sizeof(line) - 122,
                   " inet n - y - - smtpd"); /* 122 + "/inet" is 127 */
    CU_ASSERT_TRUE(doctor_service_read(line, false, &service));
    (void)snprintf(line + 123, sizeof(line) - 123, " inet n - y - - smtpd");
    line[122] = 'x';
    CU_ASSERT_FALSE(doctor_service_read(line, false, &service));
}

static void finds_what_postconf_prints(void)
{
    static const char text[] = "mail_owner = postfix\n"
                               "empty =\n"
                               "mail_owner_not = x\n"
                               "a/inet/smtpd_sasl_path = stock\n"
                               "last = 1, 2 = 3";
    static const struct {
        const char *name;
        const char *value;
    } cases[] = {
        {"mail_owner", "postfix"},
        {"empty", ""},
        {"mail", NULL},
        {"a/inet/smtpd_sasl_path", "stock"},
        {"last", "1, 2 = 3"},
        {"none", NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_CASE(cases[i].name,
                   is_text(doctor_postconf_value(text, cases[i].name),
                           cases[i].value));
}

static void judges_where_a_policy_service_stands(void)
{
    static const struct {
        const char *list;
        bool closed; /* relaying, by another list */
        bool auth;
        enum policy_place place;
    } cases[] = {
        {"reject_unauth_destination, check_policy_service unix:private/p",
         false, false, POLICY_WELL},
        {"check_policy_service unix:private/p, reject_unauth_destination",
         false, false, POLICY_EARLY},
        {"check_policy_service unix:private/p", false, true, POLICY_EARLY},
        {"check_policy_service unix:private/p", true, true, POLICY_WELL},
        {"permit_sasl_authenticated, reject_unauth_destination,"
         " check_policy_service unix:p",
         false, true, POLICY_LATE},
        {"permit_sasl_authenticated, reject_unauth_destination,"
         " check_policy_service unix:p",
         false, false, POLICY_WELL},
        {"permit_mynetworks reject check_policy_service unix:p", true, true,
         POLICY_DEAD},
        {"permit, check_policy_service unix:p", true, false, POLICY_DEAD},
        {"defer_unauth_destination\n check_policy_service { inet:h:1,"
         " timeout=10s }",
         false, false, POLICY_WELL},
        {"reject_unauth_destination", false, false, POLICY_ABSENT},
        {"xcheck_policy_service unix:p", false, false, POLICY_ABSENT},
        {"", false, false, POLICY_ABSENT},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_CASE(cases[i].list,
                   doctor_policy_place(cases[i].list, cases[i].closed,
                                       cases[i].auth) == cases[i].place);
    CU_ASSERT_TRUE(doctor_closes_relay("permit_mynetworks, "
                                       "reject_unauth_destination"));
    CU_ASSERT_TRUE(doctor_closes_relay("permit_sasl_authenticated,reject"));
    CU_ASSERT_FALSE(doctor_closes_relay("permit, reject"));
    CU_ASSERT_FALSE(doctor_closes_relay(""));
}

static void finds_where_a_policy_service_is(void)
{
    static const struct {
        const char *list;
        const char *endpoint;
    } cases[] = {
        {"check_policy_service unix:private/p, permit", "unix:private/p"},
        {"reject_x check_policy_service inet:[::1]:10031", "inet:[::1]:10031"},
        {"check_policy_service { unix:private/p, timeout=10s }",
         "unix:private/p"},
        {"check_policy_service {unix:private/p}", "unix:private/p"},
        {"check_policy_service", NULL},
        {"check_policy_service { }", NULL},
        {"permit", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char endpoint[64] = "";
        bool found =
            doctor_policy_endpoint(cases[i].list, endpoint, sizeof(endpoint));

        CHECK_CASE(cases[i].list, found == (cases[i].endpoint != NULL));
        CHECK_CASE(cases[i].list,
                   !found || strcmp(endpoint, cases[i].endpoint) == 0);
    }
}

static void judges_a_node_of_a_cluster(void)
{
    static const struct {
        const char *name;
        const char *value;
        bool fine;
        bool bad;
    } cases[] = {
        {"wsrep_cluster_status", "Primary", true, false},
        {"wsrep_cluster_status", "non-Primary", false, true},
        {"wsrep_ready", "OFF", false, true},
        {"wsrep_local_state_comment", "Synced", true, false},
        {"wsrep_local_state_comment", "Donor/Desynced", false, false},
        {"binlog_format", "row", true, false},
        {"binlog_format", "MIXED", false, true},
        {"innodb_autoinc_lock_mode", "1", false, true},
        {"innodb_autoinc_lock_mode", "2", true, false},
        {"wsrep_auto_increment_control", "OFF", false, false},
        {"default_storage_engine", "MyISAM", false, false},
        {"wsrep_cluster_size", "3", true, false},
        {"wsrep_cluster_size", "2", false, false},
        {"wsrep_sync_wait", "7", true, false},
        {"something_else", "", true, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bool bad = true;
        const char *advice =
            doctor_cluster_advice(cases[i].name, cases[i].value, &bad);

        CHECK_CASE(cases[i].value, (advice == NULL) == cases[i].fine);
        CHECK_CASE(cases[i].value, bad == cases[i].bad);
    }
}

/* ---------------------------------------------------------------- fail2ban --
 */

#define STOCK                                                                  \
    "[INCLUDES]\nbefore = paths-debian.conf\n[DEFAULT]\n# enabled = true\n"    \
    "enabled = false\nmode = normal\nfilter = %(__name__)s[mode=%(mode)s]\n"   \
    "[sshd]\nport = ssh\n[postfix]\nmode    = more\n[postfix-sasl]\n\n"        \
    "filter   = postfix[mode=auth]\n[dovecot]\n"

/* The first jail that would ban people during an outage, "" none. */
static const char *first_that_bans(const char *stock, const char *local)
{
    static char name[128];
    struct jails *jails = jails_new();
    struct jail_seen seen;

    CU_ASSERT_PTR_NOT_NULL_FATAL(jails);
    CU_ASSERT_EQUAL(jails_read(jails, stock, NULL), STATUS_OK);
    CU_ASSERT_EQUAL(jails_read(jails, local, NULL), STATUS_OK);
    name[0] = '\0';
    for (size_t i = 0; name[0] == '\0' && jails_at(jails, i, &seen); i++) {
        if (jail_counts_outages(&seen))
            (void)snprintf(name, sizeof(name), "%s", seen.name);
    }
    jails_free(&jails);
    return name;
}

static void finds_jails_that_ban_during_an_outage(void)
{
    static const struct {
        const char *name;
        const char *local;
        const char *jail;
    } cases[] = {
        {"as shipped", "", ""},
        {"postfix as it is", "[postfix]\nenabled = true\n", ""},
        {"the stock jail", "[postfix-sasl]\nenabled = true\n", "postfix-sasl"},
        {"aggressive", "[postfix]\nenabled = true\nmode = aggressive\n",
         "postfix"},
        {"extra", "[postfix]\nmode=extra\nenabled=1\n", "postfix"},
        {"ddos is harmless", "[postfix]\nmode = ddos\nenabled = true\n", ""},
        {"off again", "[postfix-sasl]\nenabled = true\nenabled = false\n", ""},
        {"by default on",
         "[DEFAULT]\nenabled = true\n[sshd]\nenabled = false\n",
         "postfix-sasl"},
        {"a jail of one's own",
         "[mine]\nenabled=yes\nfilter=postfix[mode=auth]", "mine"},
        {"with a quote and more",
         "[mine]\nenabled=on\nfilter = postfix[x=1, mode=\"aggressive\"]\n",
         "mine"},
        {"by the mode of all",
         "[DEFAULT]\nmode = aggressive\n[postfix]\nenabled = true\n"
         "mode = aggressive\n",
         "postfix"},
        {"mode is ignored where the filter says another",
         "[mine]\nenabled=true\nmode=auth\nfilter=postfix[mode=rbl]\n", ""},
        {"a filter of another name",
         "[mine]\nenabled = true\nfilter = dovecot[mode=aggressive]\n", ""},
        {"the filter of old versions",
         "[mine]\nenabled = true\nfilter = postfix-sasl\n", "mine"},
        {"a comment", "[postfix-sasl]\n#enabled = true\n;enabled = true\n", ""},
        {"a continued line is no key", "[postfix-sasl]\n enabled = true\n", ""},
        {"ours", "[provost]\nenabled = true\nfilter = provost\n", ""},
        {"a circle", "[mine]\nenabled=true\nfilter=%(filter)s\n", ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_CASE(cases[i].name, strcmp(first_that_bans(STOCK, cases[i].local),
                                         cases[i].jail) == 0);
}

static void bounds_the_jails(void)
{
    struct jails *jails = jails_new();
    struct errtext err = {{0}};
    struct jail_seen seen;
    char text[32];

    CU_ASSERT_PTR_NOT_NULL_FATAL(jails);
    for (int i = 0; i < JAILS_MAX; i++) {
        (void)snprintf(text, sizeof(text), "[j%d]\n", i);
        CHECK_CASE(text, jails_read(jails, text, &err) == STATUS_OK);
    }
    CU_ASSERT_EQUAL(jails_read(jails, "[one more]\n", &err), STATUS_TEMPFAIL);
    CU_ASSERT_STRING_NOT_EQUAL(err.text, "");
    CU_ASSERT_EQUAL(jails_read(jails, "[j7]\nenabled = true\n", &err),
                    STATUS_OK);
    CU_ASSERT_TRUE(jails_at(jails, JAILS_MAX - 1, &seen));
    CU_ASSERT_FALSE(jails_at(jails, JAILS_MAX, &seen));
    jails_free(&jails);
    CU_ASSERT_PTR_NULL(jails);
}

static void reads_jails_of_any_shape(void)
{
    static const char *const texts[] = {
        "[",
        "[]",
        "[a",
        "=",
        "a",
        "enabled",
        "enabled=",
        "filter = %(",
        "[x]",
        "filter=%(a)",
        "[y]\nfilter = [mode=\n",
        "%(x)s = %(y)s",
    };
    struct jails *jails = jails_new();
    struct jail_seen seen;

    CU_ASSERT_PTR_NOT_NULL_FATAL(jails);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        CHECK_CASE(texts[i], jails_read(jails, texts[i], NULL) == STATUS_OK);
    for (size_t i = 0; jails_at(jails, i, &seen); i++)
        CU_ASSERT_FALSE(jail_counts_outages(&seen));
    jails_free(&jails);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"finds a value as libsasl2 does", finds_a_value_as_libsasl2_does},
        {"names the line that libsasl2 refuses",
         names_the_line_that_libsasl2_refuses},
        {"finds mechanisms we cannot check", finds_mechanisms_we_cannot_check},
        {"reads services of master.cf", reads_services_of_master_cf},
        {"refuses a name that is too long", refuses_a_name_that_is_too_long},
        {"finds what postconf prints", finds_what_postconf_prints},
        {"judges where a policy service stands",
         judges_where_a_policy_service_stands},
        {"finds where a policy service is", finds_where_a_policy_service_is},
        {"judges a node of a cluster", judges_a_node_of_a_cluster},
        {"finds jails that ban during an outage",
         finds_jails_that_ban_during_an_outage},
        {"bounds the jails", bounds_the_jails},
        {"reads jails of any shape", reads_jails_of_any_shape},
        CU_TEST_INFO_NULL,
    };

    return run_tests("doctor", tests);
}
