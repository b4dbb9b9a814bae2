/* import_config - see import_config.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "import_config.h"

#include "import_config_lines.h"
#include "import_filter.h"

#include "filter.h"
#include "quantity.h"
#include "secret.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOSTS_BYTES_MAX 8192
#define PLAIN_PORT 389
#define TLS_PORT 636

/* What becomes of an option. */
enum fate {
    FATE_USED,  /* in the block, see write_block */
    FATE_SAME,  /* only the value `text` is what Provost does */
    FATE_NOTED, /* not carried over, for the reason in `text` */
};

struct fate_row {
    const char *key;
    enum fate fate;
    const char *same; /* FATE_SAME: values that need no word, with commas */
    const char *text;
};

#define NO_SASL "Provost binds with a DN and a password, not by SASL"
#define NO_GROUP                                                               \
    "no group is asked; put (memberOf=...) into filter where the directory "   \
    "has it"
#define NO_CLIENT_CERT "Provost shows no client certificate"
#define NO_CA_DIR "put the certificates into one file and name it in ca_file"
#define NO_USERDB "Dovecot reads the mailboxes from MariaDB: view dovecot_user"
#define BY_BIND "the password is checked by a bind as the person"

static const struct fate_row saslauthd_rows[] = {
    {"ldap_auth_method", FATE_SAME, "bind",
     "the entry is searched for, then " BY_BIND},
    {"ldap_authz_id", FATE_NOTED, NULL, NO_SASL},
    {"ldap_bind_dn", FATE_USED, NULL, NULL},
    {"ldap_bind_pw", FATE_USED, NULL, NULL},
    {"ldap_cache_mem", FATE_NOTED, NULL, "see entry_ttl and auth.cache_ttl"},
    {"ldap_cache_ttl", FATE_NOTED, NULL, "see entry_ttl and auth.cache_ttl"},
    {"ldap_debug", FATE_NOTED, NULL, "see log_level"},
    {"ldap_default_domain", FATE_NOTED, NULL,
     "a login without a domain is found by login_fields"},
    {"ldap_default_realm", FATE_NOTED, NULL,
     "a login without a domain is found by login_fields"},
    {"ldap_deref", FATE_SAME, "never",
     "aliases in the directory are not followed"},
    {"ldap_filter", FATE_USED, NULL, NULL},
    {"ldap_group_attr", FATE_NOTED, NULL, NO_GROUP},
    {"ldap_group_dn", FATE_NOTED, NULL, NO_GROUP},
    {"ldap_group_filter", FATE_NOTED, NULL, NO_GROUP},
    {"ldap_group_match_method", FATE_NOTED, NULL, NO_GROUP},
    {"ldap_group_scope", FATE_NOTED, NULL, NO_GROUP},
    {"ldap_group_search_base", FATE_NOTED, NULL, NO_GROUP},
    {"ldap_id", FATE_NOTED, NULL, NO_SASL},
    {"ldap_mech", FATE_NOTED, NULL, NO_SASL},
    {"ldap_password", FATE_USED, NULL, NULL},
    {"ldap_password_attr", FATE_NOTED, NULL, BY_BIND},
    {"ldap_realm", FATE_NOTED, NULL, NO_SASL},
    {"ldap_referrals", FATE_SAME, "no,n,off,false,0",
     "referrals are not followed"},
    {"ldap_restart", FATE_SAME, "yes,y,on,true,1",
     "an interrupted call goes on"},
    {"ldap_scope", FATE_SAME, "sub",
     "the whole subtree below base_dn is searched"},
    {"ldap_search_base", FATE_USED, NULL, NULL},
    {"ldap_servers", FATE_USED, NULL, NULL},
    {"ldap_size_limit", FATE_NOTED, NULL,
     "two entries for one login are refused, both named"},
    {"ldap_start_tls", FATE_USED, NULL, NULL},
    {"ldap_time_limit", FATE_USED, NULL, NULL},
    {"ldap_timeout", FATE_USED, NULL, NULL},
    {"ldap_tls_cacert_dir", FATE_NOTED, NULL, NO_CA_DIR},
    {"ldap_tls_cacert_file", FATE_USED, NULL, NULL},
    {"ldap_tls_cert", FATE_NOTED, NULL, NO_CLIENT_CERT},
    {"ldap_tls_check_peer", FATE_SAME, "yes,y,on,true,1",
     "certificates are checked here, unless ignore_ssl_errors says no"},
    {"ldap_tls_ciphers", FATE_NOTED, NULL,
     "the TLS library's own choice is used"},
    {"ldap_tls_key", FATE_NOTED, NULL, NO_CLIENT_CERT},
    {"ldap_use_sasl", FATE_SAME, "no,n,off,false,0", NO_SASL},
    {"ldap_verbose", FATE_NOTED, NULL, "see log_level"},
    {"ldap_version", FATE_SAME, "3", "LDAP version 3 is spoken"},
};

static const struct fate_row dovecot_rows[] = {
    {"auth_bind", FATE_SAME, "yes",
     BY_BIND ", Dovecot compared the hash itself"},
    {"auth_bind_userdn", FATE_NOTED, NULL,
     "the entry is searched for; no DN is made of a login"},
    {"base", FATE_USED, NULL, NULL},
    {"blocking", FATE_NOTED, NULL, "see auth.workers"},
    {"debug_level", FATE_NOTED, NULL, "see log_level"},
    {"default_pass_scheme", FATE_NOTED, NULL, BY_BIND},
    {"deref", FATE_SAME, "never", "aliases in the directory are not followed"},
    {"dn", FATE_USED, NULL, NULL},
    {"dnpass", FATE_USED, NULL, NULL},
    {"hosts", FATE_USED, NULL, NULL},
    {"iterate_attrs", FATE_NOTED, NULL, NO_USERDB},
    {"iterate_filter", FATE_NOTED, NULL, NO_USERDB},
    {"ldap_version", FATE_SAME, "3", "LDAP version 3 is spoken"},
    {"ldaprc_path", FATE_NOTED, NULL, "no file of OpenLDAP's library is read"},
    {"pass_attrs", FATE_USED, NULL, NULL},
    {"pass_filter", FATE_USED, NULL, NULL},
    {"sasl_authz_id", FATE_NOTED, NULL, NO_SASL},
    {"sasl_bind", FATE_SAME, "no", NO_SASL},
    {"sasl_mech", FATE_NOTED, NULL, NO_SASL},
    {"sasl_realm", FATE_NOTED, NULL, NO_SASL},
    {"scope", FATE_SAME, "subtree",
     "the whole subtree below base_dn is searched"},
    {"tls", FATE_USED, NULL, NULL},
    {"tls_ca_cert_dir", FATE_NOTED, NULL, NO_CA_DIR},
    {"tls_ca_cert_file", FATE_USED, NULL, NULL},
    {"tls_cert_file", FATE_NOTED, NULL, NO_CLIENT_CERT},
    {"tls_cipher_suite", FATE_NOTED, NULL,
     "the TLS library's own choice is used"},
    {"tls_key_file", FATE_NOTED, NULL, NO_CLIENT_CERT},
    {"tls_require_cert", FATE_SAME, "demand,hard",
     "certificates are checked here, unless ignore_ssl_errors says no"},
    {"uris", FATE_USED, NULL, NULL},
    {"user_attrs", FATE_NOTED, NULL, NO_USERDB},
    {"user_filter", FATE_NOTED, NULL, NO_USERDB},
    {"userdb_warning_disable", FATE_NOTED, NULL, NO_USERDB},
};

/* Which option of each format says what. */
struct words {
    const struct fate_row *rows;
    size_t row_count;
    const char *hosts[2]; /* URIs, and bare hosts */
    const char *base;
    const char *bind_dn;
    const char *password[2];
    const char *filter;
    const char *default_filter;
    const char *start_tls;
    const char *ca_file;
    const char *check;
    const char *checked; /* its default: are certificates checked? */
    const char *time[2];
};

static const struct words formats[] = {
    [IMPORT_SASLAUTHD] = {saslauthd_rows,
                          ARRAY_SIZE(saslauthd_rows),
                          {"ldap_servers", NULL},
                          "ldap_search_base",
                          "ldap_bind_dn",
                          {"ldap_password", "ldap_bind_pw"},
                          "ldap_filter",
                          "uid=%u",
                          "ldap_start_tls",
                          "ldap_tls_cacert_file",
                          "ldap_tls_check_peer",
                          NULL,
                          {"ldap_timeout", "ldap_time_limit"}},
    [IMPORT_DOVECOT] = {dovecot_rows,
                        ARRAY_SIZE(dovecot_rows),
                        {"uris", "hosts"},
                        "base",
                        "dn",
                        {"dnpass", NULL},
                        "pass_filter",
                        "(&(objectClass=posixAccount)(uid=%u))",
                        "tls",
                        "tls_ca_cert_file",
                        "tls_require_cert",
                        "demand",
                        {NULL, NULL}},
};

/* The hosts as they were read. */
struct servers {
    struct strbuf hosts; /* as provost.conf takes them, with commas */
    unsigned port;
    bool ssl;
    bool socket;
    size_t count;
};

struct work {
    enum import_config_format format;
    const struct words *words;
    const struct import_config_names *names;
    struct import_lines lines;
    struct strbuf notes;
    struct strbuf *block;
    struct servers servers;
};

/* Adds a comment; line 0: of no line. */
static void note(struct work *work, unsigned line, const char *key,
                 const char *text)
{
    strbuf_append(&work->notes, "    # ");
    if (line > 0)
        strbuf_appendf(&work->notes, "line %u, ", line);
    strbuf_appendf(&work->notes, "%.40s: %s.\n", key, text);
}

static const struct import_line *find(const struct work *work, const char *key)
{
    return key != NULL ? import_lines_find(&work->lines, key) : NULL;
}

static unsigned line_of(const struct work *work, const char *key)
{
    const struct import_line *line = find(work, key);

    return line != NULL ? line->line : 0;
}

/* Returns the value of the first of two options that is there, or NULL. */
static const struct import_line *find_either(const struct work *work,
                                             const char *const keys[2])
{
    const struct import_line *line = find(work, keys[0]);

    return line != NULL ? line : find(work, keys[1]);
}

/* Appends text as a string of libconfig. */
static void quote(struct strbuf *buf, const char *text)
{
    strbuf_append_char(buf, '"');
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte == '"' || byte == '\\')
            strbuf_appendf(buf, "\\%c", byte);
        else if (byte == '\t')
            strbuf_append(buf, "\\t");
        else
            strbuf_append_char(buf, (char)byte);
    }
    strbuf_append_char(buf, '"');
}

static void set_text(struct work *work, const char *key, const char *text)
{
    strbuf_appendf(work->block, "    %s = ", key);
    quote(work->block, text);
    strbuf_append(work->block, ";\n");
}

static void set_word(struct work *work, const char *key, const char *word)
{
    strbuf_appendf(work->block, "    %s = %s;\n", key, word);
}

/* Says whether value is one of the words in list, which has commas. */
static bool is_among(const char *value, const char *list)
{
    size_t len = strlen(value);

    while (*list != '\0') {
        size_t word = strcspn(list, ",");

        if (word == len && strncasecmp(list, value, len) == 0)
            return true;
        list += word + (list[word] == ',');
    }
    return false;
}

static bool is_yes(const struct import_line *line)
{
    return line != NULL && is_among(line->value, "yes,y,on,true,t,1");
}

static const struct fate_row *find_row(const struct words *words,
                                       const char *key)
{
    for (size_t i = 0; i < words->row_count; i++) {
        if (strcmp(words->rows[i].key, key) == 0)
            return &words->rows[i];
    }
    return NULL;
}

/* Tells of each option that has no place in the block. */
static void note_rows(struct work *work)
{
    for (size_t i = 0; i < work->lines.count; i++) {
        const struct import_line *line = &work->lines.items[i];
        const struct fate_row *row = find_row(work->words, line->key);

        if (row == NULL)
            note(work, line->line, line->key, "unknown, not carried over");
        else if (!line->counts)
            note(work, line->line, line->key,
                 "another line of this name counts");
        else if (row->fate == FATE_NOTED ||
                 (row->fate == FATE_SAME && !is_among(line->value, row->same)))
            note(work, line->line, line->key, row->text);
    }
}

/* "%2Frun%2Fldapi" with its bytes; false if that is none. */
static bool decode_path(const char *text, size_t len, struct strbuf *path)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '%' && i + 2 < len) {
            const char *high = strchr(digits, text[i + 1] | 0x20);
            const char *low = strchr(digits, text[i + 2] | 0x20);

            long byte;

            if (high == NULL || low == NULL || *high == '\0' || *low == '\0')
                return false;
            byte = (high - digits) * 16 + (low - digits);
            if (byte <= ' ' || byte >= 0x7f)
                return false;
            strbuf_append_char(path, (char)byte);
            i += 2;
        } else {
            strbuf_append_char(path, text[i]);
        }
    }
    return path->len > 0 && strbuf_text(path)[0] == '/' &&
           strpbrk(strbuf_text(path), ", \t") == NULL;
}

/* "host", "host:port", "[::1]:port": the host's length and the port. */
static bool split_port(const char *text, size_t len, size_t *host_len_r,
                       unsigned *port_r)
{
    struct errtext err = {{0}};
    const char *colon = memrchr(text, ':', len);
    char digits[8] = "";
    size_t digits_len;
    uint64_t port = 0;

    *host_len_r = len;
    if (colon == NULL ||
        (text[0] == '[' &&
         memchr(colon, ']', (size_t)(text + len - colon)) != NULL) ||
        (text[0] != '[' && memchr(text, ':', len) != colon))
        return true;
    *host_len_r = (size_t)(colon - text);
    digits_len = len - *host_len_r - 1;
    if (digits_len == 0 || digits_len >= sizeof(digits))
        return false;
    memcpy(digits, colon + 1, digits_len);
    if (quantity_number(digits, 1, 65535, &port, &err) != STATUS_OK)
        return false;
    *port_r = (unsigned)port;
    return true;
}

/* One server; returns NULL or why it cannot be had. */
static const char *add_server(struct servers *servers, const char *text,
                              size_t len)
{
    struct strbuf host = STRBUF_INIT(1024);
    bool ssl = len > 8 && strncasecmp(text, "ldaps://", 8) == 0;
    bool socket = len > 8 && strncasecmp(text, "ldapi://", 8) == 0;
    unsigned port = ssl ? TLS_PORT : PLAIN_PORT;
    const char *fault = NULL;
    size_t host_len = 0;

    if (ssl || socket || (len > 7 && strncasecmp(text, "ldap://", 7) == 0)) {
        size_t prefix = ssl || socket ? 8 : 7;

        text += prefix;
        len -= prefix;
    }
    while (len > 0 && text[len - 1] == '/')
        len--;
    if (socket ? !decode_path(text, len, &host)
               : !split_port(text, len, &host_len, &port) || host_len == 0 ||
                     memchr(text, '/', len) != NULL)
        fault = "a server of it is not understood and left out";
    else if (servers->count > 0 &&
             (servers->ssl != ssl || servers->socket != socket ||
              servers->port != port))
        fault = "all hosts have one port and one way to connect; another one "
                "is left out (a directory of its own can have it)";
    if (fault == NULL) {
        if (!socket)
            strbuf_append_len(&host, text, host_len);
        if (servers->count > 0)
            strbuf_append(&servers->hosts, ", ");
        strbuf_append(&servers->hosts, strbuf_text(&host));
        servers->port = port;
        servers->ssl = ssl;
        servers->socket = socket;
        servers->count++;
    }
    strbuf_clear(&host);
    return fault;
}

static void read_servers(struct work *work)
{
    const struct import_line *line = find_either(work, work->words->hosts);
    const char *at = line != NULL ? line->value : "";

    if (line == NULL && work->format == IMPORT_SASLAUTHD)
        at = "ldap://localhost/";
    while (*at != '\0') {
        size_t len = strcspn(at, " \t,");
        const char *fault =
            len > 0 ? add_server(&work->servers, at, len) : NULL;

        if (fault != NULL)
            note(work, line != NULL ? line->line : 0,
                 line != NULL ? line->key : "server", fault);
        at += len;
        at += strspn(at, " \t,");
    }
}

static void write_servers(struct work *work)
{
    const struct servers *servers = &work->servers;

    if (servers->count == 0) {
        note(work, 0, "host", "no server was found: set it");
        strbuf_append(work->block, "    #host = \"\";\n");
        return;
    }
    set_text(work, "host", strbuf_text(&servers->hosts));
    if (servers->socket)
        return;
    strbuf_appendf(work->block, "    port = %u;\n", servers->port);
    if (servers->ssl)
        set_word(work, "use_ssl", "true");
}

/* What encrypts the connection, and whose certificate is believed. */
static void write_tls(struct work *work)
{
    const struct import_line *start = find(work, work->words->start_tls);
    const struct import_line *ca = find(work, work->words->ca_file);

    if (work->servers.socket)
        return;
    if (!work->servers.ssl) {
        set_word(work, "use_tls", "true");
        if (!is_yes(start))
            note(work, start != NULL ? start->line : 0, work->words->start_tls,
                 "passwords went in clear there; here StartTLS is asked for, "
                 "or say use_tls = false and allow_cleartext = true");
    }
    if (find(work, work->words->check) == NULL && work->words->checked == NULL)
        note(work, 0, work->words->check,
             "certificates were not checked there, and are here");
    if (ca != NULL)
        set_text(work, "ca_file", ca->value);
}

static void write_base(struct work *work)
{
    const struct import_line *base = find(work, work->words->base);

    if (base != NULL && strchr(base->value, '%') == NULL) {
        set_text(work, "base_dn", base->value);
        return;
    }
    note(work, base != NULL ? base->line : 0, work->words->base,
         base != NULL ? "a base with variables: set base_dn to what all have "
                        "in common"
                      : "it is not set: set base_dn");
    strbuf_append(work->block, "    #base_dn = \"\";\n");
}

static void write_bind(struct work *work)
{
    const struct import_line *dn = find(work, work->words->bind_dn);
    const struct import_line *password =
        find_either(work, work->words->password);

    if (dn != NULL && dn->value[0] != '\0')
        set_text(work, "bind_dn", dn->value);
    if (password == NULL || password->value[0] == '\0')
        return;
    set_text(work, "bind_password_file", work->names->secret_file);
    note(work, password->line, password->key,
         "the password is not shown; it goes alone into the file of "
         "bind_password_file, mode 0640 and group provost");
}

/* Dovecot: the attribute that names the user, "mail" in "mail=user". */
static void find_user_field(struct work *work, char *field, size_t size)
{
    const struct import_line *line = find(work, "pass_attrs");
    const char *at = line != NULL ? line->value : "";
    bool others = false;

    field[0] = '\0';
    while (*at != '\0') {
        size_t len = strcspn(at, ",");
        const char *sign = memchr(at, '=', len);
        size_t name = sign != NULL ? (size_t)(sign - at) : 0;
        size_t target = sign != NULL ? len - name - 1 : 0;

        if (target == 4 && name < size && memcmp(sign + 1, "user", 4) == 0) {
            memcpy(field, at, name);
            field[name] = '\0';
        } else if (target != 8 || memcmp(sign + 1, "password", 8) != 0) {
            others = true;
        }
        at += len + (at[len] == ',');
        at += strspn(at, " \t");
    }
    if (others)
        note(work, line->line, line->key,
             "only the attribute of \"user\" is carried over");
    if (!filter_attribute_ok(field))
        field[0] = '\0';
}

/* An attribute that holds addresses, by its name. */
static bool is_address_field(const char *field)
{
    return strcasestr(field, "mail") != NULL ||
           strcasecmp(field, "userPrincipalName") == 0;
}

static void write_fields(struct work *work, const struct import_filter *filter)
{
    char user[IMPORT_FILTER_FIELD_BYTES + 1] = "";
    const char *address = "mail";

    if (work->format == IMPORT_DOVECOT)
        find_user_field(work, user, sizeof(user));
    for (size_t i = filter->field_count; i-- > 0;) {
        if (is_address_field(filter->fields[i]))
            address = filter->fields[i];
    }
    if (is_address_field(user))
        address = user;
    set_text(work, "username_field", address);
    strbuf_append(work->block, "    login_fields = [ ");
    quote(work->block, address);
    for (size_t i = 0; i < filter->field_count; i++) {
        if (strcasecmp(filter->fields[i], address) == 0)
            continue;
        strbuf_append(work->block, ", ");
        quote(work->block, filter->fields[i]);
    }
    strbuf_append(work->block, " ];\n");
    note(work, 0, "username_field",
         "the mailbox is named by this attribute, an address");
}

static void write_filter(struct work *work)
{
    const struct import_line *line = find(work, work->words->filter);
    const char *text = line != NULL ? line->value : work->words->default_filter;
    struct import_filter filter = {{{0}}, 0, false};
    struct strbuf rest = STRBUF_INIT(FILTER_BYTES_MAX);
    struct errtext err = {{0}};
    enum status status = import_filter(text, &filter, &rest, &err);

    if (status != STATUS_OK)
        note(work, line_of(work, work->words->filter), work->words->filter,
             err.text);
    if (filter.local_part)
        note(work, line_of(work, work->words->filter), work->words->filter,
             "it looked for the part before '@'; here a login with '@' is "
             "compared whole, and the address finds it");
    write_fields(work, &filter);
    if (rest.len > 0)
        set_text(work, "filter", strbuf_text(&rest));
    if (rest.failed)
        work->block->failed = true;
    strbuf_clear(&rest);
}

static void write_time(struct work *work)
{
    const struct import_line *line = find_either(work, work->words->time);
    struct errtext err = {{0}};
    uint64_t seconds = 0;

    if (line == NULL)
        return;
    if (quantity_number(line->value, 1, 60, &seconds, &err) == STATUS_OK)
        strbuf_appendf(work->block, "    operation_timeout = \"%us\";\n",
                       (unsigned)seconds);
    else
        note(work, line->line, line->key,
             "operation_timeout is from 100ms to 60s");
}

static void write_block(struct work *work)
{
    strbuf_append(work->block, "directories = (\n  {\n");
    set_text(work, "name", work->names->directory);
    write_servers(work);
    write_tls(work);
    write_base(work);
    write_bind(work);
    write_filter(work);
    write_time(work);
    set_text(work, "default_template", "default");
    note(work, 0, "default_template",
         "everybody who is found gets a mailbox of it; see attribute_field "
         "and attribute_mapping");
    note_rows(work);
    strbuf_append(work->block, strbuf_text(&work->notes));
    strbuf_append(work->block, "  }\n);\n");
}

/* Hands the password out, or none. */
static enum status take_secret(const struct work *work, char **secret_r,
                               struct errtext *err)
{
    const struct import_line *line = find_either(work, work->words->password);

    *secret_r = NULL;
    if (line == NULL || line->value[0] == '\0')
        return STATUS_OK;
    *secret_r = strdup(line->value);
    return *secret_r != NULL ? STATUS_OK : status_no_memory(err);
}

enum status import_config(enum import_config_format format, const char *text,
                          size_t len, const struct import_config_names *names,
                          struct strbuf *block, char **secret_r,
                          struct errtext *err)
{
    struct work *work = calloc(1, sizeof(*work));
    enum status status;

    if (work == NULL)
        return status_no_memory(err);
    work->format = format;
    work->words = &formats[format];
    work->names = names;
    work->notes = (struct strbuf)STRBUF_INIT(IMPORT_CONFIG_BLOCK_MAX / 2);
    work->servers.hosts = (struct strbuf)STRBUF_INIT(HOSTS_BYTES_MAX);
    work->block = block;
    status = import_lines_read(format, text, len, &work->lines, err);
    if (status == STATUS_OK) {
        read_servers(work);
        write_block(work);
        if (block->failed || work->notes.failed || work->servers.hosts.failed)
            status = status_no_memory(err);
    }
    if (status == STATUS_OK)
        status = take_secret(work, secret_r, err);
    strbuf_clear(&work->servers.hosts);
    strbuf_clear(&work->notes);
    import_lines_clear(&work->lines);
    free(work);
    return status;
}
