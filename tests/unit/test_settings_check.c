/* test_settings_check - what settings say about each other */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings.h"
#include "settings_fixture.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hosts_are_names_addresses_or_sockets(void)
{
    static const struct {
        const char *host;
        const char *read; /* NULL: refused */
        const char *fix;
    } cases[] = {
        {"ldap.example.org", "ldap.example.org", ""},
        {" a , b.c,\t", NULL, "control"},
        {" a , b.c", "a|b.c", ""},
        {"192.0.2.7", "192.0.2.7", ""},
        {"2001:db8::7", "2001:db8::7", ""},
        {"[2001:db8::7]", "2001:db8::7", ""},
        {"ldapi:///run/slapd/ldapi", "/run/slapd/ldapi", ""},
        {"ldapi://%2Frun%2Fslapd%2Fldapi", "/run/slapd/ldapi", ""},
        {"/run/slapd/ldapi", "/run/slapd/ldapi", ""},
        {"ldapi:///", NULL, "ldapi:///run/slapd/ldapi"},
        {"ldapi://%00", NULL, "path"},
        {"ldapi:///a%00b", NULL, "path"},
        {"ldapi://%zz", NULL, "path"},
        {"ldapi://run", NULL, "whole path"},
        {"ldapi:///a%cab", NULL, "printable ASCII"},
        {"ldapi:///a%2cb", NULL, "comma"},
        {"ldapi:///a%20b", NULL, "blank"},
        {"ldapi:///a%25b", NULL, "percent"},
        {"ldapi:///a%7fb", NULL, "printable ASCII"},
        {"ldapi:///a%7e!b", "/a~!b", ""},
        {"/a\xc3\xa9", NULL, "printable ASCII"},
        {"ldap://a.b", NULL, "host = \"a.b\""},
        {"ldaps://a.b:636/", NULL, "use_ssl = true"},
        {"a.b:389", NULL, "host = \"a.b\" and port = 389"},
        {"[::1]:389", NULL, "port = 389"},
        {"1:2:3", NULL, "neither"},
        {"a b", "ab", ""},
        {"a,,b", NULL, "neither"},
        {"a,", NULL, "neither"},
        {"b\303\274cher.example", NULL, "xn--"},
        {"a(b", NULL, "neither"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct folder folder;
        struct settings *set = NULL;
        struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
        struct strbuf hosts = STRBUF_INIT(1000);
        char text[512] = "";

        (void)snprintf(text, sizeof(text),
                       "directories = ( { name = \"a\"; base_dn = \"dc=x\"; "
                       "host = \"%s\"; } );",
                       cases[i].host);
        open_folder(&folder);
        write_file(&folder, "provost.conf", text);
        CHECK_CASE(cases[i].host, (load_folder(&folder, &set, &faults) ==
                                   STATUS_OK) == (cases[i].read != NULL));
        for (size_t n = 0; set != NULL && n < set->directories[0].hosts.count;
             n++)
            strbuf_appendf(&hosts, "%s%s", n > 0 ? "|" : "",
                           set->directories[0].hosts.items[n]);
        if (cases[i].read != NULL)
            CHECK_CASE(cases[i].host,
                       strcmp(strbuf_text(&hosts), cases[i].read) == 0);
        else
            CHECK_CASE(cases[i].host,
                       strstr(strbuf_text(&faults), cases[i].fix) != NULL);
        strbuf_clear(&hosts);
        strbuf_clear(&faults);
        settings_free(&set);
        close_folder(&folder);
    }
}

static void ssl_and_tls_follow_the_reference(void)
{
    static const struct {
        const char *name;
        const char *text;
        unsigned port;
        bool ssl, tls;
    } cases[] = {
        {"nothing said", ONE_DIR(""), 389, false, true},
        {"use_ssl", ONE_DIR("use_ssl = true;"), 636, true, false},
        {"use_ssl with 389", ONE_DIR("use_ssl = true; port = 389;"), 636, true,
         false},
        {"use_ssl with 1636", ONE_DIR("use_ssl = true; port = 1636;"), 1636,
         true, false},
        {"use_ssl, use_tls off", ONE_DIR("use_ssl = true; use_tls = false;"),
         636, true, false},
        {"use_tls with 3268", ONE_DIR("port = 3268;"), 3268, false, true},
        {"clear text, on purpose",
         ONE_DIR("use_tls = false; allow_cleartext = true;"), 389, false,
         false},
        {"local socket",
         "directories = ( { name = \"a\"; base_dn = \"dc=x\";\n"
         "host = \"/run/slapd/ldapi\"; } );",
         389, false, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct settings *set = load_text(cases[i].text);

        CHECK_CASE(cases[i].name, set != NULL);
        if (set == NULL)
            continue;
        CHECK_CASE(cases[i].name, set->directories[0].port == cases[i].port);
        CHECK_CASE(cases[i].name, set->directories[0].use_ssl == cases[i].ssl);
        CHECK_CASE(cases[i].name, set->directories[0].use_tls == cases[i].tls);
        settings_free(&set);
    }
}

static void contradictions_are_refused_with_the_fix(void)
{
    static const struct fault_case cases[] = {
        {"use_ssl and use_tls", ONE_DIR("use_ssl = true;\n use_tls = true;"),
         ":3: directories.use_tls: ", "exclude"},
        {"use_tls on 636", ONE_DIR("port = 636;"),
         ":2: directories.port: ", "use_ssl = true"},
        {"use_tls on 3269", ONE_DIR("port = 3269; use_tls = true;"),
         ":2: directories.port: ", "389"},
        {"clear text", ONE_DIR("use_tls = false;"),
         ":2: directories.use_tls: ", "allow_cleartext = true"},
        {"TLS on a socket",
         "directories = ( { name = \"a\"; base_dn = \"dc=x\";\n"
         "host = \"/run/slapd/ldapi\"; use_tls = true; } );",
         ":2: directories.use_tls: ", "remove"},
        {"socket beside host",
         "directories = ( { name = \"a\"; base_dn = \"dc=x\";\n"
         "host = \"/run/slapd/ldapi, b\"; } );",
         ":2: directories.host: ", "directory each"},
        {"bind_dn alone", ONE_DIR("bind_dn = \"cn=x\";"),
         ":1: directories.bind_password_file: ", "bind_dn needs"},
        {"missing template", ONE_DIR("default_template = \"T\";"),
         ":2: directories.default_template: ", "no template \"T\""},
        {"missing template in a row",
         ONE_DIR("attribute_field = \"a\";\nattribute_mapping = (\n"
                 "{ attribute = \"x\"; template = \"u\"; } );"),
         ":4: directories.attribute_mapping.template: ", "no template \"u\""},
        {"row with both",
         ONE_DIR("attribute_field = \"a\"; attribute_mapping = (\n"
                 "{ attribute = \"x\"; pattern = \"y\"; template = \"t\"; } "
                 ");"),
         ":3: directories.attribute_mapping.attribute: ", "either"},
        {"row with neither",
         ONE_DIR("attribute_field = \"a\"; attribute_mapping = (\n"
                 "{ template = \"t\"; } );"),
         ":3: directories.attribute_mapping.attribute: ", "either"},
        {"row without template",
         ONE_DIR("attribute_field = \"a\"; attribute_mapping = (\n"
                 "{ attribute = \"x\"; } );"),
         ":3: directories.attribute_mapping.template: ", "missing"},
        {"mapping without attribute_field",
         ONE_DIR("attribute_mapping = (\n"
                 "{ attribute = \"x\"; template = \"t\"; } );"),
         ":1: directories.attribute_field: ", "needs"},
        {"filter without brackets", ONE_DIR("filter = \"mail=x\";"),
         ":2: directories.filter: ", ""},
        {"filter with %s", ONE_DIR("filter = \"(mail=%s)\";"),
         ":2: directories.filter: ", "by itself"},
        {"two filters", ONE_DIR("disabled_filter = \"(a=b)(c=d)\";"),
         ":2: directories.disabled_filter: ", ""},
        {"missing name",
         "directories = (\n{ host = \"h\"; base_dn = \"dc=x\"; "
         "} );",
         ":2: directories.name: ", "missing"},
        {"no base",
         "directories = (\n{ name = \"a\"; host = \"h\"; base_dn = "
         "[ ]; } );",
         ":2: directories.base_dn: ", "empty"},
        {"two directories for all",
         "directories = ( { name = \"a\"; host = \"h\"; base_dn = \"dc=x\"; },"
         "\n{ name = \"b\"; host = \"h\"; base_dn = \"dc=x\"; } );",
         ":2: directories.domains: ", "only one"},
        {"one domain twice",
         "directories = ( { name = \"a\"; host = \"h\"; base_dn = \"dc=x\";\n"
         "domains = [ \"b\303\274cher.example\" ]; },\n"
         "{ name = \"b\"; host = \"h\"; base_dn = \"dc=x\";\n"
         "domains = [ \"XN--BCHER-KVA.example\" ]; } );",
         ":4: directories.domains: ", "one directory"},
        {"one name twice",
         "templates = ( { name = \"a\"; },\n{ name = \"a\"; } );",
         ":2: templates.name: ", "of its own"},
        {"one socket twice",
         "auth = { control_path = \"/c\";\nsockets = ( { path = \"/c\"; } ); "
         "};",
         ":1: auth.control_path: ", "of its own"},
        {"store twice",
         "store = { socket = \"/s\"; password_file = \"secret\";\n"
         "host = \"127.0.0.1\"; };",
         ":2: store.host: ", "exclude"},
        {"localhost",
         "store = { host = \"localhost\"; password_file = \"secret\"; };",
         ":1: store.host: ", "127.0.0.1"},
        {"keys for everybody",
         "auth = { keys_secret_file = \"secret\";\n"
         "sockets = ( { kind = \"keys\"; } ); };",
         ":2: auth.sockets.allowed: ", "name who may have them"},
        {"keys without secret",
         "auth = { sockets = ( { kind = \"keys\";\n"
         "allowed = [ \"postfix\" ]; } ); };",
         ":1: auth.keys_secret_file: ", "random letters"},
        {"a socket among hosts",
         "store = { host = \"127.0.0.1, /s\"; password_file = \"secret\"; };",
         ":1: store.host: ", "socket"},
        {"17 hosts",
         "store = { host = \"::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,::1,"
         "::1,::1,::1,::1,::1\"; password_file = \"secret\"; };",
         ":1: store.host: ", "at most 16"},
        {"one elsewhere",
         "store = { host = [ \"127.0.0.2\", \"db.example.org\" ];\n"
         "password_file = \"secret\"; };",
         ":1: store.ca_file: ", "needs ca_file"},
        {"store elsewhere",
         "store = { host = \"db.example.org\"; password_file = \"secret\"; };",
         ":1: store.ca_file: ", "needs ca_file"},
        {"no password", "store = { host = \"::1\"; };",
         ":1: store.password_file: ", "needs"},
        {"no CA file", "store = { ca_file = \"/nonexistent\"; };",
         ":1: store.ca_file: ", "cannot be read"},
    };

    FAULTS(cases);
}

static void secret_files_are_checked(void)
{
    static const struct {
        const char *name;
        const char *text;
        size_t len;
        mode_t mode;
        const char *words; /* NULL: good */
    } cases[] = {
        {"one line", "pw\n", 3, 0600, NULL},
        {"without line end", "pw", 2, 0400, NULL},
        {"group may read", "pw\n", 3, 0640, NULL},
        {"everybody may read", "pw\n", 3, 0644, "chmod o="},
        {"everybody may write", "pw\n", 3, 0602, "chmod o="},
        {"group may write", "pw\n", 3, 0660, "chmod g-w"},
        {"empty", "", 0, 0600, "is empty"},
        {"only a line end", "\n", 1, 0600, "is empty"},
        {"two lines", "pw\n\n", 4, 0600, "more than one line"},
        {"Windows line end", "pw\r\n", 4, 0600, "Windows"},
        {"NUL", "p\0w\n", 4, 0600, "NUL"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct folder folder;
        struct settings *set = NULL;
        struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
        const char *words = cases[i].words;

        open_folder(&folder);
        write_file(&folder, "provost.conf",
                   ONE_DIR("bind_dn = \"cn=x\"; bind_password_file = "
                           "\"secret\";"));
        write_bytes(&folder, "secret", cases[i].text, cases[i].len,
                    cases[i].mode);
        CHECK_CASE(cases[i].name, (load_folder(&folder, &set, &faults) ==
                                   STATUS_OK) == (words == NULL));
        if (set != NULL)
            CHECK_CASE(cases[i].name,
                       strcmp(set->directories[0].bind_password, "pw") == 0);
        if (words != NULL)
            CHECK_CASE(cases[i].name,
                       strstr(strbuf_text(&faults), words) != NULL &&
                           strstr(strbuf_text(&faults),
                                  ":2: directories.bind_password_file: ") !=
                               NULL);
        strbuf_clear(&faults);
        settings_free(&set);
        close_folder(&folder);
    }
}

static void the_bound_of_a_secret_holds(void)
{
    for (size_t len = 1023; len <= 1026; len++) {
        struct folder folder;
        struct settings *set = NULL;
        struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
        char secret[1100] = "";
        char name[32] = "";

        memset(secret, 'x', len);
        (void)snprintf(name, sizeof(name), "%zu bytes", len);
        open_folder(&folder);
        write_file(&folder, "provost.conf",
                   "store = { password_file = \"secret\"; };");
        write_bytes(&folder, "secret", secret, len, 0600);
        CHECK_CASE(name, (load_folder(&folder, &set, &faults) == STATUS_OK) ==
                             (len <= 1024));
        CHECK_CASE(name, len > 1024 || strlen(set->store.password) == len);
        strbuf_clear(&faults);
        settings_free(&set);
        close_folder(&folder);
    }
}

static void a_missing_secret_is_named(void)
{
    static const struct fault_case cases[] = {
        {"missing", "store = { password_file = \"/nonexistent/x\"; };",
         ":1: store.password_file: /nonexistent/x does not exist", "0600"},
        {"folder", "store = { password_file = \"/tmp\"; };",
         ":1: store.password_file: /tmp is not", "regular"},
    };

    FAULTS(cases);
}

static void a_schema_presets_what_is_not_set(void)
{
    static const struct {
        const char *schema;
        const char *id;
        const char *disabled;
        enum directory_group_method groups;
        enum directory_time_format times;
    } cases[] = {
        {"custom", "auto", "", GROUP_NONE, TIME_GENERALIZED},
        {"openldap", "entryUUID", "(pwdAccountLockedTime=000001010000Z)",
         GROUP_NONE, TIME_GENERALIZED},
        {"ad", "objectGUID",
         "(|(userAccountControl:1.2.840.113556.1.4.803:=2)"
         "(&(accountExpires>=1)(accountExpires<={now})))",
         GROUP_IN_CHAIN, TIME_FILETIME},
        {"389ds", "nsUniqueId", "(nsAccountLock=TRUE)", GROUP_MEMBER_OF,
         TIME_GENERALIZED},
        {"freeipa", "ipaUniqueID", "(nsAccountLock=TRUE)", GROUP_MEMBER_OF,
         TIME_GENERALIZED},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[512] = "";
        struct settings *set = NULL;
        const struct directory_settings *dir = NULL;

        (void)snprintf(text, sizeof(text),
                       "directories = ( { name = \"a\"; host = \"h\"; base_dn "
                       "= \"dc=x\"; schema = \"%s\"; } );",
                       cases[i].schema);
        set = load_text(text);
        CHECK_CASE(cases[i].schema, set != NULL);
        if (set == NULL)
            continue;
        dir = &set->directories[0];
        CHECK_CASE(cases[i].schema, strcmp(dir->id_field, cases[i].id) == 0);
        CHECK_CASE(cases[i].schema,
                   strcmp(dir->disabled_filter, cases[i].disabled) == 0);
        CHECK_CASE(cases[i].schema, dir->group_method == cases[i].groups);
        CHECK_CASE(cases[i].schema, dir->time_format == cases[i].times);
        settings_free(&set);
    }
}

static void each_preset_can_be_overridden(void)
{
    struct settings *set = load_text(
        ONE_DIR("schema = \"ad\"; id_field = \"auto\"; disabled_filter = \"\";"
                "group_method = \"none\"; time_format = \"generalized\";"));
    const struct directory_settings *dir = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    dir = &set->directories[0];
    CU_ASSERT_STRING_EQUAL(dir->id_field, "auto");
    CU_ASSERT_STRING_EQUAL(dir->disabled_filter, "");
    CU_ASSERT_EQUAL(dir->group_method, GROUP_NONE);
    CU_ASSERT_EQUAL(dir->time_format, TIME_GENERALIZED);
    settings_free(&set);
}

static void the_directory_of_a_domain_is_found(void)
{
    struct settings *set =
        load_text("directories = (\n"
                  "{ name = \"all\"; host = \"h\"; base_dn = \"dc=x\"; },\n"
                  "{ name = \"one\"; host = \"h\"; base_dn = \"dc=x\";\n"
                  "  domains = [ \"example.org\" ]; } );");
    struct settings *none = load_text("");

    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    CU_ASSERT_PTR_NOT_NULL_FATAL(none);
    CU_ASSERT_STRING_EQUAL(settings_directory_for(set, "example.org")->name,
                           "one");
    CU_ASSERT_STRING_EQUAL(settings_directory_for(set, "example.net")->name,
                           "all");
    CU_ASSERT_PTR_NULL(settings_directory_for(none, "example.org"));
    CU_ASSERT_PTR_NOT_NULL(settings_directory(set, "one"));
    CU_ASSERT_PTR_NULL(settings_directory(set, "two"));
    CU_ASSERT_PTR_NULL(settings_template(set, "one"));
    settings_free(&set);
    settings_free(&none);
    settings_free(&none);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"hosts are names, addresses or sockets",
         hosts_are_names_addresses_or_sockets},
        {"SSL and TLS follow the reference", ssl_and_tls_follow_the_reference},
        {"contradictions are refused with the fix",
         contradictions_are_refused_with_the_fix},
        {"secret files are checked", secret_files_are_checked},
        {"the bound of a secret holds", the_bound_of_a_secret_holds},
        {"a missing secret is named", a_missing_secret_is_named},
        {"a schema presets what is not set", a_schema_presets_what_is_not_set},
        {"each preset can be overridden", each_preset_can_be_overridden},
        {"the directory of a domain is found",
         the_directory_of_a_domain_is_found},
        CU_TEST_INFO_NULL,
    };

    return run_tests("settings_check", tests);
}
