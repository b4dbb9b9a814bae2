/* test_import_config - saslauthd.conf and dovecot-ldap.conf.ext as a block */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"

#include "import_config.h"
#include "import_filter.h"
#include "secret.h"

#include <stdlib.h>
#include <string.h>

static const struct import_config_names names = {"corp", "/s/corp"};

/* The block of a text, owned; "" and *err for one that is refused. */
static char *convert(enum import_config_format format, const char *text,
                     char **secret, struct errtext *err)
{
    struct strbuf block = STRBUF_INIT(IMPORT_CONFIG_BLOCK_MAX);
    char *result = NULL;

    if (import_config(format, text, strlen(text), &names, &block, secret,
                      err) != STATUS_OK)
        strbuf_truncate(&block, 0);
    strbuf_append(&block, "");
    result = strdup(strbuf_text(&block));
    strbuf_clear(&block);
    return result;
}

static void carries_options_over(void)
{
    static const struct {
        enum import_config_format format;
        const char *text;
        const char *wanted; /* a piece of the block */
    } cases[] = {
        {IMPORT_SASLAUTHD, "ldap_servers: ldap://a.example/\n",
         "host = \"a.example\";\n    port = 389;\n    use_tls = true;"},
        {IMPORT_SASLAUTHD, "LDAP_Servers: ldap://a/ ldap://b/\n",
         "host = \"a, b\";"},
        {IMPORT_SASLAUTHD, "ldap_servers: ldaps://a:999/\n",
         "port = 999;\n    use_ssl = true;"},
        {IMPORT_SASLAUTHD, "ldap_servers: ldaps://[2001:db8::1]/\n",
         "host = \"[2001:db8::1]\";\n    port = 636;"},
        {IMPORT_SASLAUTHD, "ldap_servers: ldapi://%2Frun%2fldapi/\n",
         "host = \"/run/ldapi\";"},
        {IMPORT_SASLAUTHD, "ldap_servers: ldapi://%2Frun%1Fldapi/\n",
         "# line 1, ldap_servers: a server of it is not understood"},
        {IMPORT_SASLAUTHD, "ldap_servers: ldap://a/ ldaps://b/\n",
         "# line 1, ldap_servers: all hosts have one port"},
        {IMPORT_SASLAUTHD, "# nothing\n", "host = \"localhost\";"},
        {IMPORT_SASLAUTHD, "ldap_search_base: dc=x\n", "base_dn = \"dc=x\";"},
        {IMPORT_SASLAUTHD, "\nldap_search_base: dc=%d\n",
         "# line 2, ldap_search_base: a base with variables"},
        {IMPORT_SASLAUTHD, "ldap_bind_dn: cn=a\\,b\n",
         "bind_dn = \"cn=a\\\\,b\";"},
        {IMPORT_SASLAUTHD, "ldap_filter: mail=%u\n",
         "username_field = \"mail\";\n    login_fields = [ \"mail\" ];"},
        {IMPORT_SASLAUTHD, "ldap_filter: (&(a=b)(|(mail=%u)(uid=%U)))\n",
         "login_fields = [ \"mail\", \"uid\" ];\n    filter = \"(a=b)\";"},
        {IMPORT_SASLAUTHD, "ldap_filter: uid=%s\n",
         "# line 1, ldap_filter: no attribute in it is compared"},
        {IMPORT_SASLAUTHD, "ldap_timeout: 7\n", "operation_timeout = \"7s\";"},
        {IMPORT_SASLAUTHD, "ldap_timeout: 99\n",
         "# line 1, ldap_timeout: operation_timeout is from"},
        {IMPORT_SASLAUTHD, "ldap_tls_cacert_file: /ca\n", "ca_file = \"/ca\";"},
        {IMPORT_SASLAUTHD, "ldap_start_tls: no\n",
         "# line 1, ldap_start_tls: passwords went in clear"},
        {IMPORT_SASLAUTHD, "ldap_group_dn: cn=g\nldap_nonsense: 1\n",
         "# line 2, ldap_nonsense: unknown"},
        {IMPORT_SASLAUTHD, "ldap_scope: sub\nldap_scope: one\n",
         "# line 2, ldap_scope: another line of this name counts"},
        {IMPORT_DOVECOT, "hosts = a:1389 b:1389\n",
         "host = \"a, b\";\n    port = 1389;"},
        {IMPORT_DOVECOT, "uris = ldaps://a\nhosts = b\n", "host = \"a\";"},
        {IMPORT_DOVECOT, "base = \"dc=x, dc=y\" \n",
         "base_dn = \"dc=x, dc=y\";"},
        {IMPORT_DOVECOT, "base = dc=%d\nbase = dc=x # mine\n",
         "base_dn = \"dc=x\";"},
        {IMPORT_DOVECOT, "tls = yes\nauth_bind = yes\n", "use_tls = true;"},
        {IMPORT_DOVECOT, "auth_bind = no\n",
         "# line 1, auth_bind: the password is checked by a bind"},
        {IMPORT_DOVECOT, "pass_attrs = login=user,\\\n pw=password\n",
         "username_field = \"mail\";"},
        {IMPORT_DOVECOT, "pass_attrs = otherMail=user, a=userdb_home\n",
         "username_field = \"otherMail\";"},
        {IMPORT_DOVECOT, "pass_filter = (&(o=p)(uid=%Ln))\n",
         "login_fields = [ \"mail\", \"uid\" ];\n    filter = \"(o=p)\";"},
        {IMPORT_DOVECOT, "tls_require_cert = never\n",
         "# line 1, tls_require_cert: certificates are checked"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct errtext err = {{0}};
        char *secret = NULL;
        char *block = convert(cases[i].format, cases[i].text, &secret, &err);

        CHECK_CASE(cases[i].text,
                   block != NULL && strstr(block, cases[i].wanted) != NULL);
        free(block);
        secret_free(&secret);
    }
}

static void shows_no_password(void)
{
    static const struct {
        enum import_config_format format;
        const char *text;
    } cases[] = {
        {IMPORT_SASLAUTHD, "ldap_password: hunter2\n"},
        {IMPORT_SASLAUTHD, "ldap_bind_pw: hunter2\n"},
        {IMPORT_SASLAUTHD, "ldap_bind_dn: x\nldap_password: hunter2"},
        {IMPORT_DOVECOT, "dnpass = hunter2\n"},
        {IMPORT_DOVECOT, "dnpass = \"hunter2\"\n"},
        {IMPORT_DOVECOT, "dnpass = old-hunter2\ndnpass = hunter2\n"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct errtext err = {{0}};
        char *secret = NULL;
        char *block = convert(cases[i].format, cases[i].text, &secret, &err);

        CHECK_CASE(cases[i].text,
                   secret != NULL && strcmp(secret, "hunter2") == 0);
        CHECK_CASE(cases[i].text, strstr(block, "hunter2") == NULL);
        CHECK_CASE(cases[i].text,
                   strstr(block, "bind_password_file = \"/s/corp\";") != NULL);
        free(block);
        secret_free(&secret);
    }
}

/* A line that program would not read either, and what is too much. */
static void refuses_with_a_line(void)
{
    static char longest[IMPORT_CONFIG_BYTES_MAX + 2];
    static const struct {
        enum import_config_format format;
        const char *text;
        const char *wanted;
    } cases[] = {
        {IMPORT_SASLAUTHD, "a: b\nnonsense\n", "line 2: "},
        {IMPORT_SASLAUTHD, "ldap_filter:\n", "line 1: the option has no"},
        {IMPORT_DOVECOT, "a = b\n\nc: d\n", "line 3: "},
        {IMPORT_DOVECOT, "a = b\\\nc\nnonsense\n", "line 3: "},
        {IMPORT_DOVECOT, "base = a\nbase = \xff\n", "line 2: it has control"},
        {IMPORT_SASLAUTHD, "ldap_filter: a\x01\n", "line 1: it has control"},
        {IMPORT_DOVECOT, longest, "line 1: the file is too long"},
    };
    struct errtext err = {{0}};
    char *secret = NULL;
    char *block;

    memset(longest, '\n', IMPORT_CONFIG_BYTES_MAX + 1);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        block = convert(cases[i].format, cases[i].text, &secret, &err);
        CHECK_CASE(cases[i].wanted, block[0] == '\0');
        CHECK_CASE(cases[i].wanted, strstr(err.text, cases[i].wanted) != NULL);
        free(block);
    }
    longest[IMPORT_CONFIG_BYTES_MAX] = '\0';
    block = convert(IMPORT_DOVECOT, longest, &secret, &err);
    CU_ASSERT(block[0] != '\0');
    free(block);
}

static void takes_filters_apart(void)
{
    static const struct {
        const char *text;
        const char *fields; /* with blanks; NULL: not possible */
        const char *rest;
    } cases[] = {
        {"uid=%u", "uid ", ""},
        {"(uid=%u)", "uid ", ""},
        {"(mail=%U@%d)", "mail ", ""},
        {"(&(objectClass=a)(uid=%n))", "uid ", "(objectClass=a)"},
        {"(&(a=b)(c=d)(uid=%{user}))", "uid ", "(&(a=b)(c=d))"},
        {"(&(&(a=b)(uid=%u))(c=d))", "uid ", "(&(a=b)(c=d))"},
        {"(|(uid=%u)(mail=%u))", "uid mail ", ""},
        {"(&(!(x=y))(uid=%Lu))", "uid ", "(!(x=y))"},
        {"(objectClass=*)", NULL, ""},
        {"(&(uid=%u)(o=%d))", NULL, ""},
        {"(|(uid=%u)(o=p))", NULL, ""},
        {"(!(uid=%u))", NULL, ""},
        {"(uid=%u", NULL, ""},
        {"((uid=%u))", NULL, ""},
        {"", NULL, ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct import_filter filter = {{{0}}, 0, false};
        struct strbuf rest = STRBUF_INIT(8192);
        struct strbuf fields = STRBUF_INIT(1024);
        struct errtext err = {{0}};
        enum status status = import_filter(cases[i].text, &filter, &rest, &err);

        CHECK_CASE(
            cases[i].text,
            status == (cases[i].fields != NULL ? STATUS_OK : STATUS_NOT_FOUND));
        for (size_t n = 0; n < filter.field_count; n++)
            strbuf_appendf(&fields, "%s ", filter.fields[n]);
        if (cases[i].fields != NULL)
            CHECK_CASE(cases[i].text,
                       strcmp(strbuf_text(&fields), cases[i].fields) == 0);
        CHECK_CASE(cases[i].text,
                   strcmp(strbuf_text(&rest), cases[i].rest) == 0);
        strbuf_clear(&fields);
        strbuf_clear(&rest);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"carries options over", carries_options_over},
        {"shows no password", shows_no_password},
        {"refuses with a line", refuses_with_a_line},
        {"takes filters apart", takes_filters_apart},
        CU_TEST_INFO_NULL,
    };

    return run_tests("import_config", tests);
}
