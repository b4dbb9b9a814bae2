/* test_settings - provost.conf and conf.d, read and shown */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings.h"
#include "settings_fixture.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void an_empty_file_is_the_defaults(void)
{
    struct settings *set = load_text("# nothing\n");

    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    CU_ASSERT_STRING_EQUAL(set->store.socket, "/run/mysqld/mysqld.sock");
    CU_ASSERT_EQUAL(set->store.hosts.count, 0);
    CU_ASSERT_STRING_EQUAL(set->store.user, "provost");
    CU_ASSERT_STRING_EQUAL(set->store.database, "provost");
    CU_ASSERT_PTR_NULL(set->store.password);
    CU_ASSERT_EQUAL(set->store.max_connections, 8);
    CU_ASSERT_EQUAL(set->store.timeout_ms, 5000);
    CU_ASSERT_EQUAL(set->directory_count, 0);
    CU_ASSERT_EQUAL(set->template_count, 0);
    CU_ASSERT_EQUAL(set->auth.socket_count, 1);
    CU_ASSERT_STRING_EQUAL(set->auth.sockets[0].path, "/run/provost/auth/mux");
    CU_ASSERT_EQUAL(set->auth.sockets[0].mode, 0660);
    CU_ASSERT_STRING_EQUAL(set->auth.sockets[0].group, "");
    CU_ASSERT_EQUAL(set->auth.sockets[0].allowed.count, 0);
    CU_ASSERT_TRUE(set->auth.sockets[0].canonical_only);
    CU_ASSERT_STRING_EQUAL(set->auth.control_path,
                           "/run/provost/authd.control");
    CU_ASSERT_EQUAL(set->auth.deadline_ms, 8000);
    CU_ASSERT_EQUAL(set->auth.queue_age_ms, 4000);
    CU_ASSERT_EQUAL(set->auth.queue_max, 1000);
    CU_ASSERT_EQUAL(set->auth.workers, 16);
    CU_ASSERT_EQUAL(set->auth.max_connections, 2500);
    CU_ASSERT_EQUAL(set->auth.client_timeout_ms, 5000);
    CU_ASSERT_EQUAL(set->auth.cache_ttl_ms, 0);
    CU_ASSERT_EQUAL(set->auth.cache_max, 100000);
    CU_ASSERT_EQUAL(set->auth.refused_ttl_ms, 600000);
    CU_ASSERT_EQUAL(set->auth.refused_max, 10000);
    CU_ASSERT_EQUAL(set->auth.throttle_failures, 20);
    CU_ASSERT_EQUAL(set->auth.throttle_period_ms, 600000);
    CU_ASSERT_EQUAL(set->auth.throttle_failures_per_client, 100);
    CU_ASSERT_EQUAL(set->auth.throttle_max, 100000);
    CU_ASSERT_EQUAL(set->auth.trusted_clients.count, 2);
    CU_ASSERT_STRING_EQUAL(set->auth.trusted_clients.items[1], "::1");
    CU_ASSERT_EQUAL(set->auth.hash_workers, 2);
    CU_ASSERT_EQUAL(set->auth.on_provisioning_refused, REFUSED_TEMPORARY);
    CU_ASSERT_EQUAL(set->policy.max_connections, 2000);
    CU_ASSERT_EQUAL(set->policy.deadline_ms, 2000);
    CU_ASSERT_EQUAL(set->policy.account_ttl_ms, 5000);
    CU_ASSERT_EQUAL(set->policy.unknown_ttl_ms, 600000);
    CU_ASSERT_EQUAL(set->policy.over_quota, POLICY_OVER_QUOTA_DEFER);
    CU_ASSERT_FALSE(set->policy.share_rates);
    CU_ASSERT_EQUAL(set->policy.rule_count, 0);
    CU_ASSERT_STRING_EQUAL(set->mail.path_format, "%d/%n/");
    CU_ASSERT_STRING_EQUAL(set->log_level, "info");
    settings_free(&set);
    CU_ASSERT_PTR_NULL(set);
}

static void a_directory_has_the_defaults_of_the_reference(void)
{
    struct settings *set = load_text(ONE_DIR(""));
    const struct directory_settings *dir = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    dir = &set->directories[0];
    CU_ASSERT_EQUAL(set->directory_count, 1);
    CU_ASSERT_EQUAL(dir->port, 389);
    CU_ASSERT_FALSE(dir->use_ssl);
    CU_ASSERT_TRUE(dir->use_tls);
    CU_ASSERT_FALSE(dir->ignore_ssl_errors);
    CU_ASSERT_STRING_EQUAL(dir->username_field, "mail");
    CU_ASSERT_EQUAL(dir->login_fields.count, 1);
    CU_ASSERT_STRING_EQUAL(dir->login_fields.items[0], "mail");
    CU_ASSERT_STRING_EQUAL(dir->name_field, "displayName");
    CU_ASSERT_STRING_EQUAL(dir->id_field, "auto");
    CU_ASSERT_STRING_EQUAL(dir->filter, "");
    CU_ASSERT_STRING_EQUAL(dir->default_template, "");
    CU_ASSERT_TRUE(dir->login_provisioning);
    CU_ASSERT_FALSE(dir->import_users);
    CU_ASSERT_FALSE(dir->periodic_full_sync);
    CU_ASSERT_EQUAL(dir->sync_interval_minutes, 15);
    CU_ASSERT_EQUAL(dir->connect_timeout_ms, 2000);
    CU_ASSERT_EQUAL(dir->operation_timeout_ms, 3000);
    CU_ASSERT_EQUAL(dir->retry_after_ms, 10000);
    CU_ASSERT_EQUAL(dir->entry_ttl_ms, 30000);
    CU_ASSERT_EQUAL(dir->entry_max, 20000);
    CU_ASSERT_EQUAL(dir->max_connections, 16);
    CU_ASSERT_EQUAL(set->templates[0].set.services, ACCOUNT_ALL_SERVICES);
    CU_ASSERT_EQUAL(set->templates[0].set.quota_bytes, 0);
    CU_ASSERT_STRING_EQUAL(set->templates[0].set.tags, "");
    settings_free(&set);
}

/* The settings page of the design, with every group. */
static const char whole_text[] =
    "store = { socket = \"/run/mysqld/mysqld.sock\"; user = \"provost\"; };\n"
    "directories = (\n"
    "  { name = \"corp\"; host = \"ldap1.example.org, ldap2.example.org\";\n"
    "    port = 389; use_ssl = false; use_tls = true; ca_file = \"\";\n"
    "    base_dn = \"ou=people,dc=example,dc=org\";\n"
    "    bind_dn = \"cn=mail,dc=example,dc=org\";\n"
    "    bind_password_file = \"secret\";\n"
    "    username_field = \"mail\"; login_fields = [ \"mail\", \"uid\" ];\n"
    "    filter = \"(objectClass=inetOrgPerson)\";\n"
    "    attribute_field = \"otherMailbox\";\n"
    "    attribute_mapping = ( { attribute = \"default\"; template = \"t\"; "
    "},\n"
    "                          { pattern = \"cn=vip,*\"; template = \"vip\";\n"
    "                            match_case = true; } );\n"
    "    domains = [ \"Example.ORG\", \"example.net.\" ]; }\n"
    ");\n"
    "templates = ( { name = \"t\"; quota = \"5G\"; rate_limit = \"200/1h\";\n"
    "                recipient_limit = \"1000/1d\"; message_size = \"25M\";\n"
    "                tags = [ \"staff\", \"a\", \"staff\" ]; },\n"
    "              { name = \"vip\"; pop3_access = false; sieve_access = "
    "false;\n"
    "                active = \"nologin\"; tls_enforce_in = true; } );\n"
    "auth = { sockets = ( { path = \"/a\"; mode = \"666\"; group = \"mail\";\n"
    "                       allowed = \"postfix\"; canonical_only = false; },\n"
    "                     { path = \"/b\"; } ); workers = 4; };\n"
    "mail = { mail_uid = 150; mail_gid = 8; };\n"
    "log_level = \"debug\";\n";

static struct settings *load_whole(struct folder *folder)
{
    struct settings *set = NULL;
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);

    open_folder(folder);
    write_file(folder, "provost.conf", whole_text);
    write_file(folder, "secret", "swordfish\n");
    CU_ASSERT_EQUAL(load_folder(folder, &set, &faults), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(strbuf_text(&faults), "");
    strbuf_clear(&faults);
    return set;
}

static void reads_every_kind_of_value(void)
{
    struct folder folder;
    struct settings *set = load_whole(&folder);
    const struct directory_settings *dir = NULL;
    char secret[128] = "";

    close_folder(&folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    dir = &set->directories[0];
    (void)snprintf(secret, sizeof(secret), "%s/secret", folder.path);
    CU_ASSERT_EQUAL(dir->hosts.count, 2);
    CU_ASSERT_STRING_EQUAL(dir->hosts.items[1], "ldap2.example.org");
    CU_ASSERT_EQUAL(dir->base_dns.count, 1);
    CU_ASSERT_STRING_EQUAL(dir->base_dns.items[0],
                           "ou=people,dc=example,dc=org");
    CU_ASSERT_STRING_EQUAL(dir->bind_password_file, secret);
    CU_ASSERT_STRING_EQUAL(dir->bind_password, "swordfish");
    CU_ASSERT_EQUAL(dir->login_fields.count, 2);
    CU_ASSERT_EQUAL(dir->mapping_count, 2);
    CU_ASSERT_STRING_EQUAL(dir->mapping[1].pattern, "cn=vip,*");
    CU_ASSERT_STRING_EQUAL(dir->mapping[1].template_name, "vip");
    CU_ASSERT_TRUE(dir->mapping[1].match_case);
    CU_ASSERT_STRING_EQUAL(dir->domains.items[0], "example.org");
    CU_ASSERT_STRING_EQUAL(dir->domains.items[1], "example.net");
    CU_ASSERT_EQUAL(set->templates[0].set.quota_bytes, UINT64_C(5) << 30);
    CU_ASSERT_EQUAL(set->templates[0].set.message_size_bytes, 25U << 20);
    CU_ASSERT_EQUAL(set->templates[0].set.rate_messages.count, 200);
    CU_ASSERT_EQUAL(set->templates[0].set.rate_messages.seconds, 3600);
    CU_ASSERT_EQUAL(set->templates[0].set.rate_recipients.count, 1000);
    CU_ASSERT_STRING_EQUAL(set->templates[0].set.tags, "a,staff");
    CU_ASSERT_EQUAL(set->templates[1].set.services,
                    ACCOUNT_SMTP | ACCOUNT_IMAP);
    CU_ASSERT_EQUAL(set->templates[1].set.active, ACCOUNT_NOLOGIN);
    CU_ASSERT_TRUE(set->templates[1].set.tls_in);
    CU_ASSERT_EQUAL(set->auth.socket_count, 2);
    CU_ASSERT_EQUAL(set->auth.sockets[0].mode, 0666);
    CU_ASSERT_STRING_EQUAL(set->auth.sockets[0].allowed.items[0], "postfix");
    CU_ASSERT_FALSE(set->auth.sockets[0].canonical_only);
    CU_ASSERT_EQUAL(set->mail.uid, 150);
    CU_ASSERT_STRING_EQUAL(set->log_level, "debug");
    settings_free(&set);
}

static void an_unknown_key_is_refused_with_the_one_that_was_meant(void)
{
    static const struct fault_case cases[] = {
        {"top level", "\nstores = { };", ":2: stores: ", "\"store\"?"},
        {"unlike anything", "zoo = 1;", ":1: zoo: ", "no such option"},
        {"in a group", "store = {\n usr = \"x\"; };",
         ":2: store.usr: ", "no such option"},
        {"the reference's binddn", ONE_DIR("binddn = \"x\";"),
         ":2: directories.binddn: ", "\"bind_dn\"?"},
        {"the reference's bindpass", ONE_DIR("bindpass = \"x\";"),
         ":2: directories.bindpass: ", "\"bind_password_file\"?"},
        {"the reference's ignore_ssl_error",
         ONE_DIR("ignore_ssl_error = true;"),
         ":2: directories.ignore_ssl_error: ", "\"ignore_ssl_errors\"?"},
        {"another case", ONE_DIR("Filter = \"(a=b)\";"),
         ":2: directories.Filter: ", "\"filter\"?"},
        {"in a mapping",
         ONE_DIR("attribute_field = \"a\"; attribute_mapping = (\n"
                 "{ attribu = \"x\"; pattern = \"y\"; template = \"t\"; } );"),
         ":3: directories.attribute_mapping.attribu: ", "\"attribute\"?"},
    };

    FAULTS(cases);
}

static void a_wrong_type_is_refused_with_an_example(void)
{
    static const struct fault_case cases[] = {
        {"number in quotes", ONE_DIR("port = \"389\";"),
         ":2: directories.port: ", "without quotes"},
        {"switch in quotes", ONE_DIR("use_tls = \"yes\";"),
         ":2: directories.use_tls: ", "true or false"},
        {"switch as number", ONE_DIR("use_tls = 1;"),
         ":2: directories.use_tls: ", "true or false"},
        {"text as number", "store = { user = 5; };",
         ":1: store.user: ", "in quotes"},
        {"duration without unit", "auth = { deadline = 8; };",
         ":1: auth.deadline: ", "\"30s\""},
        {"size as number", "templates = ( { name = \"t\"; quota = 5; } );",
         ":1: templates.quota: ", "\"5G\""},
        {"mode as number", "auth = { sockets = ( { mode = 660; } ); };",
         ":1: auth.sockets.mode: ", "\"0660\""},
        {"fraction", ONE_DIR("port = 389.5;"),
         ":2: directories.port: ", "whole number"},
        {"list of numbers", "auth = { trusted_clients = [ 1 ]; };",
         ":1: auth.trusted_clients: ", "list of texts"},
        {"group as text", "store = \"x\";", ":1: store: ", "{ ... }"},
        {"list as group", "templates = { };",
         ":1: templates: ", "( { ... }, { ... } )"},
        {"text in a list of groups", "templates = ( \"x\" );",
         ":1: templates: ", "{ ... }"},
        {"text as group", ONE_DIR("filter = { };"),
         ":2: directories.filter: ", "in quotes"},
        {"word not known", ONE_DIR("schema = \"novell\";"),
         ":2: directories.schema: ", "\"openldap\""},
        {"log level", "log_level = \"loud\";",
         ":1: log_level: ", "\"warning\""},
    };

    FAULTS(cases);
}

static void a_value_out_of_range_is_refused_with_the_range(void)
{
    static const struct fault_case cases[] = {
        {"port 0", ONE_DIR("port = 0;"),
         ":2: directories.port: ", "1 to 65535"},
        {"port 65536", ONE_DIR("port = 65536;"),
         ":2: directories.port: ", "1 to 65535"},
        {"negative", ONE_DIR("port = -1;"), ":2: port: ", "negative"},
        {"one worker", "auth = { workers = 1; };",
         ":1: auth.workers: ", "2 to 1024"},
        {"deadline too short", "auth = { deadline = \"99ms\"; };",
         ":1: auth.deadline: ", "from 100ms to 1m"},
        {"deadline too long", "auth = { deadline = \"61s\"; };",
         ":1: auth.deadline: ", "from 100ms to 1m"},
        {"deadline beyond 64 bits",
         "auth = { deadline = \"99999999999999999999s\"; };",
         ":1: auth.deadline: ", "\"30s\""},
        {"mode", "auth = { sockets = ( { mode = \"0999\"; } ); };",
         ":1: auth.sockets.mode: ", "octal"},
        {"set-id mode", "auth = { sockets = ( { mode = \"4660\"; } ); };",
         ":1: auth.sockets.mode: ", "octal"},
        {"root owns the mail", "mail = { mail_uid = 0; };",
         ":1: mail.mail_uid: ", "1 to"},
        {"share", "auth = { workers = 4; directory_share = 4; };",
         ":1: auth.directory_share: ", "less than workers"},
        {"empty text", "store = { user = \"\"; };",
         ":1: store.user: ", "empty"},
        {"line break in a text", "store = { user = \"a\\nb\"; };",
         ":1: store.user: ", "line breaks"},
        {"relative socket", "store = { socket = \"mysqld.sock\"; };",
         ":1: store.socket: ", "whole path"},
        {"over-long socket",
         "store = { socket = \"/234567890123456789012345678901234567890123456"
         "7890123456789012345678901234567890123456789012345678901234567890\"; "
         "};",
         ":1: store.socket: ", "at most 107 bytes"},
        {"client", "auth = { trusted_clients = [ \"10.0.0.0/33\" ]; };",
         ":1: auth.trusted_clients: \"10.0.0.0/33\": ", "block"},
        {"attribute", ONE_DIR("username_field = \"mail)(x\";"),
         ":2: directories.username_field: ", "attribute"},
        {"two attributes in one", ONE_DIR("login_fields = \"mail, uid\";"),
         ":2: directories.login_fields: ", "[ \"mail\", \"uid\" ]"},
        {"domain", ONE_DIR("domains = [ \"a b\" ];"),
         ":2: directories.domains: \"a b\": ", ""},
        {"tag with a comma",
         "templates = ( { name = \"t\"; tags = [ \"a,b\" ]; } );",
         ":1: templates.tags: \"a,b\": ", "comma"},
        {"name", "templates = ( { name = \"t t\"; } );",
         ":1: templates.name: ", "letters"},
        {"path format", "mail = { mail_path_format = \"../%d/\"; };",
         ":1: mail.mail_path_format: ", ""},
        {"base that is no DN",
         "directories = ( { name = \"a\"; host = \"h\"; base_dn = \"org\"; } "
         ");",
         ":1: directories.base_dn: ", "not a DN"},
    };

    FAULTS(cases);
}

static void a_number_libconfig_would_corrupt_is_refused(void)
{
    static const struct fault_case cases[] = {
        {"2^31", "auth = {\n queue_max = 2147483648; };",
         ":2: queue_max: ", "9 digits"},
        {"2^32", "auth = { queue_max = 4294967296; };",
         ":1: queue_max: ", "9 digits"},
        {"64 bits", "auth = { queue_max = 5000000000L; };",
         ":1: queue_max: ", "\"5G\""},
        {"more", "auth = { queue_max = 99999999999999999999; };",
         ":1: queue_max: ", "9 digits"},
        {"ten digits", "auth = { queue_max = 1000000000; };",
         ":1: queue_max: ", "9 digits"},
        {"nine digits", "auth = { queue_max = 999999999; };",
         ":1: auth.queue_max: ", "1 to 100000"},
        {"octal", "auth = { queue_max = 010; };",
         ":1: queue_max: ", "begin with 0"},
        {"hexadecimal", "auth = { queue_max = 0x10; };",
         ":1: queue_max: ", "decimal"},
        {"behind comments",
         "/* \n * */ # x = 1\n// y\nauth = { queue_max = 12345678901; };",
         ":4: queue_max: ", "9 digits"},
    };

    FAULTS(cases);
}

static void numbers_in_texts_and_comments_are_left_alone(void)
{
    struct settings *set =
        load_text("# 99999999999\n// 99999999999\n/* 99999999999\n @x */\n"
                  "store = { user = \"99999999999 # \\\" 99999999999\"; };\n");

    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    CU_ASSERT_STRING_EQUAL(set->store.user, "99999999999 # \" 99999999999");
    settings_free(&set);
}

static void a_malformed_file_is_refused_with_its_line(void)
{
    static const struct fault_case cases[] = {
        {"missing quote", "store = { user = \"a; };\n", ":", "syntax error"},
        {"missing bracket", "\nstore = { user = \"a\";\n", ":", "syntax error"},
        {"yes", "auth = {\n  workers = yes; };",
         ":2: workers: ", "true or false"},
        {"key twice", "auth = { workers = 4;\n  workers = 5; };",
         ":2: workers: ", "twice"},
        {"include", "\n@include \"other.conf\"\n", ":2: @include: ", "conf.d"},
        {"hexadecimal byte", "store = { user = \"\\x41\"; };",
         ":1: user: ", "\\x"},
        {"not UTF-8", "store = {\n user = \"\xff\"; };",
         ":2: syntax: ", "UTF-8"},
        {"over-long UTF-8", "log_level = \"\xc0\xaf\";",
         ":1: syntax: ", "UTF-8"},
        {"mixed array", "auth = { trusted_clients = [ \"::1\", 5 ]; };",
         ":1: ", "one kind"},
        {"deep", "a = (((((((((((((((((((((((((((((((((((((((((((((((((",
         ":1: a: ", "32 deep"},
    };

    FAULTS(cases);
}

static void the_bounds_of_a_file_hold(void)
{
    static const struct {
        const char *name;
        size_t bytes;
        bool lines; /* of line breaks; else of blanks */
        bool good;
    } cases[] = {
        {"a byte below 1 MiB", (1U << 20) - 1, false, true},
        {"1 MiB", 1U << 20, false, true},
        {"a byte over 1 MiB", (1U << 20) + 1, false, false},
        {"65535 lines", 65534, true, true},
        {"65536 lines", 65535, true, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct folder folder;
        struct settings *set = NULL;
        struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
        char *text = malloc(cases[i].bytes);

        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        memset(text, cases[i].lines ? '\n' : ' ', cases[i].bytes);
        open_folder(&folder);
        write_bytes(&folder, "provost.conf", text, cases[i].bytes, 0600);
        CHECK_CASE(cases[i].name, (load_folder(&folder, &set, &faults) ==
                                   STATUS_OK) == cases[i].good);
        CHECK_CASE(cases[i].name, (faults.len == 0) == cases[i].good);
        free(text);
        strbuf_clear(&faults);
        settings_free(&set);
        close_folder(&folder);
    }
}

static void a_nul_byte_is_refused(void)
{
    struct folder folder;
    struct settings *set = NULL;
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);

    open_folder(&folder);
    write_bytes(&folder, "provost.conf", "#\n\0x", 4, 0600);
    CU_ASSERT_EQUAL(load_folder(&folder, &set, &faults), STATUS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(strbuf_text(&faults), ":2: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(strbuf_text(&faults), "NUL"));
    strbuf_clear(&faults);
    close_folder(&folder);
}

static void a_file_that_cannot_be_read_is_named(void)
{
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
    struct settings *set = NULL;

    CU_ASSERT_EQUAL(settings_load("/nonexistent/provost.conf", &set, &faults),
                    STATUS_INVALID);
    CU_ASSERT_STRING_EQUAL(
        strbuf_text(&faults),
        "/nonexistent/provost.conf: there is no such file\n");
    strbuf_truncate(&faults, 0);
    CU_ASSERT_EQUAL(settings_load("/tmp", &set, &faults), STATUS_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(strbuf_text(&faults), "regular"));
    strbuf_clear(&faults);
}

static void conf_d_adds_lists_and_sets_what_is_not_set(void)
{
    struct folder folder;
    struct settings *set = NULL;
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);

    open_folder(&folder);
    make_conf_d(&folder);
    write_file(&folder, "provost.conf",
               "auth = { workers = 4; trusted_clients = \"192.0.2.1\"; };\n"
               "templates = ( { name = \"a\"; } );\n");
    write_file(&folder, "conf.d/20.conf",
               "templates = ( { name = \"c\"; }, { name = \"d\"; } );\n");
    write_file(&folder, "conf.d/10.conf",
               "templates = ( { name = \"b\"; } );\n"
               "auth = { queue_max = 7; trusted_clients = [ \"::1\" ]; };\n"
               "store = { password_file = \"secret\"; };\n");
    write_file(&folder, "conf.d/30.conf.old", "nonsense");
    write_file(&folder, "conf.d/.40.conf", "nonsense");
    write_file(&folder, "secret", "pw\n");
    CU_ASSERT_EQUAL(load_folder(&folder, &set, &faults), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(strbuf_text(&faults), "");
    strbuf_clear(&faults);
    close_folder(&folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    CU_ASSERT_EQUAL(set->template_count, 4);
    CU_ASSERT_STRING_EQUAL(set->templates[1].name, "b");
    CU_ASSERT_STRING_EQUAL(set->templates[3].name, "d");
    CU_ASSERT_EQUAL(set->auth.workers, 4);
    CU_ASSERT_EQUAL(set->auth.queue_max, 7);
    CU_ASSERT_EQUAL(set->auth.trusted_clients.count, 2);
    CU_ASSERT_STRING_EQUAL(set->auth.trusted_clients.items[0], "192.0.2.1");
    CU_ASSERT_STRING_EQUAL(set->store.password, "pw");
    settings_free(&set);
}

static void a_value_set_in_two_files_names_both_places(void)
{
    struct folder folder;
    struct settings *set = NULL;
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
    char expected[512] = "";

    open_folder(&folder);
    make_conf_d(&folder);
    write_file(&folder, "provost.conf", "\nauth = {\n workers = 4; };\n");
    write_file(&folder, "conf.d/a.conf", "auth = { workers = 4; };\n");
    (void)snprintf(expected, sizeof(expected),
                   "%s/conf.d/a.conf:1: auth.workers: already set in "
                   "%s/provost.conf:3: remove one of the two\n",
                   folder.path, folder.path);
    CU_ASSERT_EQUAL(load_folder(&folder, &set, &faults), STATUS_INVALID);
    CU_ASSERT_STRING_EQUAL(strbuf_text(&faults), expected);
    strbuf_clear(&faults);
    close_folder(&folder);
}

static void all_faults_are_reported(void)
{
    struct folder folder;
    struct settings *set = NULL;
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);

    open_folder(&folder);
    make_conf_d(&folder);
    write_file(&folder, "provost.conf",
               ONE_DIR("port = 0; use_ssl = 5; filter = \"x\"; zoo = 1;"));
    write_file(&folder, "conf.d/a.conf", "mail = { mail_uid = 0; };");
    CU_ASSERT_EQUAL(load_folder(&folder, &set, &faults), STATUS_INVALID);
    CU_ASSERT_EQUAL(count_lines(strbuf_text(&faults)), 5);
    strbuf_clear(&faults);
    close_folder(&folder);
}

static void faults_that_do_not_fit_are_counted(void)
{
    struct folder folder;
    struct settings *set = NULL;
    struct strbuf faults = STRBUF_INIT(253);
    struct strbuf text = STRBUF_INIT(100000);

    for (int i = 0; i < 500; i++)
        strbuf_appendf(&text, "zoo%d = 1;\n", i);
    /* Short enough to fit again, but out of order. */
    strbuf_append(&text, "mail = 1;\n");
    open_folder(&folder);
    write_file(&folder, "provost.conf", strbuf_text(&text));
    CU_ASSERT_EQUAL(load_folder(&folder, &set, &faults), STATUS_INVALID);
    CU_ASSERT_FALSE(faults.failed);
    CU_ASSERT_PTR_NOT_NULL(strstr(strbuf_text(&faults), ":1: zoo0: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(strbuf_text(&faults), "\nand "));
    CU_ASSERT_PTR_NULL(strstr(strbuf_text(&faults), "mail"));
    strbuf_clear(&text);
    strbuf_clear(&faults);
    close_folder(&folder);
}

static void what_is_shown_can_be_loaded_again(void)
{
    struct folder folder;
    struct settings *set = load_whole(&folder);
    struct settings *again = NULL;
    struct strbuf first = STRBUF_INIT(100000);
    struct strbuf second = STRBUF_INIT(100000);
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);

    CU_ASSERT_PTR_NOT_NULL_FATAL(set);
    settings_show(set, false, &first);
    write_file(&folder, "provost.conf", strbuf_text(&first));
    CU_ASSERT_EQUAL(load_folder(&folder, &again, &faults), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(strbuf_text(&faults), "");
    if (again != NULL)
        settings_show(again, false, &second);
    CU_ASSERT_STRING_EQUAL(strbuf_text(&first), strbuf_text(&second));
    CU_ASSERT_PTR_NULL(strstr(strbuf_text(&first), "swordfish"));
    CU_ASSERT_PTR_NOT_NULL(strstr(strbuf_text(&first), "***"));
    strbuf_clear(&first);
    strbuf_clear(&second);
    strbuf_clear(&faults);
    settings_free(&set);
    settings_free(&again);
    close_folder(&folder);
}

static void only_what_differs_is_shown(void)
{
    static const struct {
        const char *name;
        const char *text;
        const char *shown;
    } cases[] = {
        {"nothing", "auth = { workers = 16; };", ""},
        {"one value", "auth = { workers = 17; };",
         "auth = {\n    workers = 17;\n};\n"},
        {"the default socket",
         "auth = { sockets = ( { mode = \"0660\"; } ); };", ""},
        {"a preset",
         "directories = ( { name = \"a\"; host = \"h\"; base_dn = \"dc=x\"; "
         "schema = \"freeipa\"; group_method = \"none\"; } );",
         "directories = (\n    {\n        name = \"a\";\n"
         "        schema = \"freeipa\";\n        host = [ \"h\" ];\n"
         "        base_dn = [ \"dc=x\" ];\n"
         "        disabled_filter = \"(nsAccountLock=TRUE)\"; # by schema\n"
         "        id_field = \"ipaUniqueID\"; # by schema\n"
         "        group_method = \"none\";\n    }\n);\n"},
        {"an empty list", "auth = { trusted_clients = [ ]; };",
         "auth = {\n    trusted_clients = [ ];\n};\n"},
        {"a preset set to the default",
         "directories = ( { name = \"a\"; host = \"h\"; base_dn = \"dc=x\"; "
         "schema = \"ad\"; group_method = \"none\"; id_field = \"auto\"; "
         "disabled_filter = \"\"; time_format = \"generalized\"; } );",
         "directories = (\n    {\n        name = \"a\";\n"
         "        schema = \"ad\";\n        host = [ \"h\" ];\n"
         "        base_dn = [ \"dc=x\" ];\n        disabled_filter = \"\";\n"
         "        id_field = \"auto\";\n        group_method = \"none\";\n"
         "        time_format = \"generalized\";\n    }\n);\n"},
        {"quotes", "store = { user = \"a\\\"b\\\\c\"; };",
         "store = {\n    user = \"a\\\"b\\\\c\";\n};\n"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct settings *set = load_text(cases[i].text);
        struct strbuf shown = STRBUF_INIT(100000);

        CHECK_CASE(cases[i].name, set != NULL);
        if (set != NULL)
            settings_show(set, true, &shown);
        CHECK_CASE(cases[i].name,
                   strcmp(strbuf_text(&shown), cases[i].shown) == 0);
        strbuf_clear(&shown);
        settings_free(&set);
    }
}

static void every_option_is_described_on_a_line(void)
{
    struct strbuf buf = STRBUF_INIT(100000);
    const char *text = NULL;

    settings_describe(&buf);
    text = strbuf_text(&buf);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "log_level\tword\t\"info\"\t"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\ndirectories.port\tnumber\t389\t1-65535\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\ndirectories.host\thosts\trequired\t-\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\nauth.deadline\tduration\t\"8s\"\t100ms-1m\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\nauth.on_provisioning_refused\tword\t\"temporary\"\t"
                     "temporary|refuse\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\ndirectories.attribute_mapping.match_case\tswitch\t"
                     "false\t-\n"));
    strbuf_clear(&buf);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"an empty file is the defaults", an_empty_file_is_the_defaults},
        {"a directory has the defaults of the reference",
         a_directory_has_the_defaults_of_the_reference},
        {"reads every kind of value", reads_every_kind_of_value},
        {"an unknown key is refused with the one that was meant",
         an_unknown_key_is_refused_with_the_one_that_was_meant},
        {"a wrong type is refused with an example",
         a_wrong_type_is_refused_with_an_example},
        {"a value out of range is refused with the range",
         a_value_out_of_range_is_refused_with_the_range},
        {"a number libconfig would corrupt is refused",
         a_number_libconfig_would_corrupt_is_refused},
        {"numbers in texts and comments are left alone",
         numbers_in_texts_and_comments_are_left_alone},
        {"a malformed file is refused with its line",
         a_malformed_file_is_refused_with_its_line},
        {"the bounds of a file hold", the_bounds_of_a_file_hold},
        {"a NUL byte is refused", a_nul_byte_is_refused},
        {"a file that cannot be read is named",
         a_file_that_cannot_be_read_is_named},
        {"conf.d adds to lists and sets what is not set",
         conf_d_adds_lists_and_sets_what_is_not_set},
        {"a value set in two files names both places",
         a_value_set_in_two_files_names_both_places},
        {"all faults are reported", all_faults_are_reported},
        {"faults that do not fit are counted",
         faults_that_do_not_fit_are_counted},
        {"what is shown can be loaded again",
         what_is_shown_can_be_loaded_again},
        {"only what differs is shown", only_what_differs_is_shown},
        {"every option is described on a line",
         every_option_is_described_on_a_line},
        CU_TEST_INFO_NULL,
    };

    return run_tests("settings", tests);
}
