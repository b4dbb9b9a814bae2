/* settings_check - see settings_check.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings_check.h"

#include "address.h"
#include "filter.h"
#include "removal.h"
#include "settings_host.h"
#include "settings_secret.h"
#include "settings_value.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LDAP_PORT 389
#define LDAPS_PORT 636
#define LDAPS_CATALOG_PORT 3269

/* One directory, where it is written and where faults go. */
struct dir_check {
    const struct settings_node *node;
    struct directory_settings *dir;
    const struct settings *settings;
    struct settings_faults *faults;
};

static bool is_set(const struct settings_node *node, const char *key)
{
    return settings_node_entry(node, key) != NULL;
}

/* True for a value that stands for one with a fault: nothing follows of it. */
static bool is_faulty(const struct settings_node *node, const char *key)
{
    const struct settings_entry *entry = settings_node_entry(node, key);

    return entry != NULL && entry->faulty;
}

static const struct settings_group *top_group(const char *key)
{
    return settings_child_named(&settings_root, key);
}

/* Returns the node of the n-th group of a list at the top level. */
static const struct settings_node *top_node(const struct settings_tree *tree,
                                            const char *key, size_t n)
{
    return settings_node_child(&tree->root, top_group(key), n);
}

/* True if the hosts are sockets of this host. */
static bool is_local(const struct directory_settings *dir)
{
    return dir->hosts.count > 0 && dir->hosts.items[0][0] == '/';
}

/* Sets what the schema says and nobody else did. */
static bool apply_presets(const struct settings_node *node,
                          struct directory_settings *dir)
{
    for (size_t i = 0; i < settings_preset_count; i++) {
        const struct settings_preset *preset = &settings_presets[i];
        const struct settings_option *option =
            settings_option_named(node->group, preset->key);
        void *field = (char *)dir + option->offset;

        if (preset->schema != dir->schema || is_set(node, preset->key))
            continue;
        settings_value_clear(option, field);
        if (settings_value_read(option, preset->text, "", field, NULL) !=
            STATUS_OK)
            return false;
    }
    return true;
}

static bool derive_directory(const struct settings_node *node,
                             struct directory_settings *dir)
{
    if (!is_set(node, "use_tls") && (dir->use_ssl || is_local(dir)))
        dir->use_tls = false;
    if (dir->use_ssl && dir->port == LDAP_PORT)
        dir->port = LDAPS_PORT;
    if (dir->login_fields.count == 0 &&
        text_list_add(&dir->login_fields, dir->username_field, NULL) !=
            STATUS_OK)
        return false;
    return apply_presets(node, dir);
}

bool settings_derive(const struct settings_tree *tree,
                     struct settings *settings)
{
    struct store_settings *store = &settings->store;

    if (store->hosts.count > 0 && !is_set(top_node(tree, "store", 0), "socket"))
        store->socket[0] = '\0';
    for (size_t i = 0; i < settings->directory_count; i++) {
        if (!derive_directory(top_node(tree, "directories", i),
                              &settings->directories[i]))
            return false;
    }
    return true;
}

/* A text that must be there once, and where it is written. */
struct unique {
    const char *text;
    const struct settings_node *node;
    const char *key;
    size_t order;
};

struct unique_list {
    struct unique *items;
    size_t count;
    struct settings_faults *faults;
};

static void add_unique(struct unique_list *list, const char *text,
                       const struct settings_node *node, const char *key)
{
    struct unique *items =
        reallocarray(list->items, list->count + 1, sizeof(*items));

    if (items == NULL) {
        list->faults->no_memory = true;
        return;
    }
    list->items = items;
    items[list->count] = (struct unique){text, node, key, list->count};
    list->count++;
}

static int by_text(const void *a, const void *b)
{
    const struct unique *left = a;
    const struct unique *right = b;
    int order = strcmp(left->text, right->text);

    if (order != 0)
        return order;
    return left->order < right->order ? -1 : 1;
}

/* Adds a fault for every text that is there again, and empties the list. */
static void check_unique(struct unique_list *list, const char *sentence)
{
    if (list->count > 0)
        qsort(list->items, list->count, sizeof(*list->items), by_text);
    for (size_t i = 1; i < list->count; i++) {
        const struct unique *first = &list->items[i - 1];
        const struct unique *again = &list->items[i];
        const struct settings_entry *entry =
            settings_node_entry(first->node, first->key);
        struct settings_place place =
            entry != NULL ? entry->place : first->node->place;

        if (strcmp(first->text, again->text) == 0 && again->text[0] != '\0')
            settings_node_fault(list->faults, again->node, again->key,
                                "\"%s\" is in %s:%u already: %s", again->text,
                                place.file, place.line, sentence);
    }
    free(list->items);
    list->items = NULL;
    list->count = 0;
}

/* Reads a secret; a fault about the option that names its file. */
static void read_secret(const struct settings_node *node, const char *key,
                        const char *path, char **secret_r,
                        struct settings_faults *faults)
{
    struct errtext err = {{0}};
    enum status status = STATUS_OK;

    if (path[0] == '\0')
        return;
    status = settings_secret_read(path, secret_r, &err);
    if (status == STATUS_INVALID)
        settings_node_fault(faults, node, key, "%s", err.text);
    else if (status != STATUS_OK)
        faults->no_memory = true;
}

static void check_ca_file(const struct settings_node *node, const char *path,
                          struct settings_faults *faults)
{
    if (path[0] != '\0' && access(path, R_OK) != 0)
        settings_node_fault(faults, node, "ca_file",
                            "%s cannot be read: name a file of trusted "
                            "certificates",
                            path);
}

static void check_store_host(const struct settings_node *node, const char *host,
                             const struct store_settings *store,
                             struct settings_faults *faults)
{
    if (strcmp(host, "localhost") == 0 || host[0] == '/') {
        settings_node_fault(faults, node, "host",
                            "MariaDB takes this for its socket: write "
                            "\"127.0.0.1\", or socket instead of host");
        return;
    }
    if (store->ca_file[0] == '\0' && !is_faulty(node, "ca_file") &&
        !settings_host_is_loopback(host))
        settings_node_fault(faults, node, "ca_file",
                            "a store on another host needs ca_file, the "
                            "certificate that it is known by");
}

static void check_store_hosts(const struct settings_node *node,
                              const struct store_settings *store,
                              struct settings_faults *faults)
{
    if (is_set(node, "socket"))
        settings_node_fault(faults, node, "host",
                            "host and socket exclude each other: remove one");
    if (store->hosts.count > STORE_HOSTS_MAX)
        settings_node_fault(faults, node, "host",
                            "a store has at most %d hosts", STORE_HOSTS_MAX);
    if (store->password_file[0] == '\0' && !is_faulty(node, "password_file"))
        settings_node_fault(faults, node, "password_file",
                            "a store that is reached by host needs a "
                            "password_file");
    for (size_t i = 0; i < store->hosts.count; i++)
        check_store_host(node, store->hosts.items[i], store, faults);
}

static void check_store(const struct settings_tree *tree,
                        struct settings *settings,
                        struct settings_faults *faults)
{
    const struct settings_node *node = top_node(tree, "store", 0);
    struct store_settings *store = &settings->store;

    if (store->hosts.count > 0)
        check_store_hosts(node, store, faults);
    check_ca_file(node, store->ca_file, faults);
    read_secret(node, "password_file", store->password_file, &store->password,
                faults);
}

static void check_hosts(const struct dir_check *check)
{
    const struct directory_settings *dir = check->dir;
    bool local = is_local(dir);

    for (size_t i = 1; i < dir->hosts.count; i++) {
        if ((dir->hosts.items[i][0] == '/') != local) {
            settings_node_fault(check->faults, check->node, "host",
                                "local sockets and hosts of the network need "
                                "a directory each: TLS is for hosts only");
            return;
        }
    }
    if (local && (dir->use_ssl || dir->use_tls))
        settings_node_fault(check->faults, check->node,
                            dir->use_ssl ? "use_ssl" : "use_tls",
                            "a local socket needs no TLS: remove this");
}

static void check_tls(const struct dir_check *check)
{
    const struct directory_settings *dir = check->dir;
    bool tls_port = dir->port == LDAPS_PORT || dir->port == LDAPS_CATALOG_PORT;

    if (is_local(dir) || dir->hosts.count == 0 ||
        is_faulty(check->node, "use_ssl") || is_faulty(check->node, "use_tls"))
        return;
    if (dir->use_ssl && dir->use_tls)
        settings_node_fault(check->faults, check->node, "use_tls",
                            "use_ssl and use_tls exclude each other: use_tls "
                            "alone (port 389) is the better one");
    else if (dir->use_tls && tls_port)
        settings_node_fault(check->faults, check->node, "port",
                            "port %u is for use_ssl: write port = 389, or "
                            "use_ssl = true instead of use_tls",
                            dir->port);
    else if (!dir->use_ssl && !dir->use_tls && !dir->allow_cleartext)
        settings_node_fault(check->faults, check->node, "use_tls",
                            "passwords would cross the network in clear text: "
                            "set use_tls or use_ssl, or allow_cleartext = true "
                            "if you mean it");
}

static void check_bind(const struct dir_check *check)
{
    struct directory_settings *dir = check->dir;

    /* An empty password would be no bind at all on many servers. */
    if (dir->bind_dn[0] != '\0' && dir->bind_password_file[0] == '\0' &&
        !is_faulty(check->node, "bind_password_file"))
        settings_node_fault(check->faults, check->node, "bind_password_file",
                            "bind_dn needs a bind_password_file");
    if (dir->bind_dn[0] == '\0' && dir->bind_password_file[0] != '\0' &&
        !is_faulty(check->node, "bind_dn"))
        settings_node_fault(check->faults, check->node, "bind_dn",
                            "bind_password_file needs the bind_dn it is for");
    read_secret(check->node, "bind_password_file", dir->bind_password_file,
                &dir->bind_password, check->faults);
    for (size_t i = 0; i < dir->base_dns.count; i++) {
        if (strchr(dir->base_dns.items[i], '=') == NULL)
            settings_node_fault(check->faults, check->node, "base_dn",
                                "\"%s\" is not a DN, such as "
                                "\"ou=people,dc=example,dc=org\"",
                                dir->base_dns.items[i]);
    }
}

static void check_filter(const struct dir_check *check, const char *key,
                         const char *text)
{
    struct errtext err = {{0}};

    if (text[0] != '\0' && filter_check(text, &err) != STATUS_OK)
        settings_node_fault(check->faults, check->node, key, "%s", err.text);
}

static void check_template_name(const struct dir_check *check,
                                const struct settings_node *node,
                                const char *key, const char *name)
{
    if (name[0] != '\0' && settings_template(check->settings, name) == NULL)
        settings_node_fault(check->faults, node, key,
                            "there is no template \"%s\": add it to templates, "
                            "or write the name of one that is there",
                            name);
}

static void check_mapping(const struct dir_check *check)
{
    const struct directory_settings *dir = check->dir;
    const struct settings_group *group =
        settings_child_named(check->node->group, "attribute_mapping");

    for (size_t i = 0; i < dir->mapping_count; i++) {
        const struct mapping_row *row = &dir->mapping[i];
        const struct settings_node *node =
            settings_node_child(check->node, group, i);

        if ((row->attribute[0] != '\0') == (row->pattern[0] != '\0'))
            settings_node_fault(check->faults, node, "attribute",
                                "a row has either attribute, which is compared "
                                "as it is, or pattern");
        check_template_name(check, node, "template", row->template_name);
    }
    if (dir->mapping_count > 0 && dir->attribute_field[0] == '\0' &&
        !is_faulty(check->node, "attribute_field"))
        settings_node_fault(check->faults, check->node, "attribute_field",
                            "attribute_mapping needs attribute_field, the "
                            "attribute whose values it compares");
    check_template_name(check, check->node, "default_template",
                        dir->default_template);
}

static void check_directory(const struct dir_check *check)
{
    check_hosts(check);
    check_tls(check);
    check_bind(check);
    check_ca_file(check->node, check->dir->ca_file, check->faults);
    check_filter(check, "filter", check->dir->filter);
    check_filter(check, "disabled_filter", check->dir->disabled_filter);
    check_mapping(check);
}

/* Every domain belongs to one directory, and the rest to one at most. */
static void check_domains(const struct settings_tree *tree,
                          const struct settings *settings,
                          struct settings_faults *faults)
{
    struct unique_list list = {.faults = faults};
    const struct settings_node *rest = NULL;

    for (size_t i = 0; i < settings->directory_count; i++) {
        const struct directory_settings *dir = &settings->directories[i];
        const struct settings_node *node = top_node(tree, "directories", i);

        for (size_t n = 0; n < dir->domains.count; n++)
            add_unique(&list, dir->domains.items[n], node, "domains");
        for (size_t n = 0; n < dir->login_domains.count; n++)
            add_unique(&list, dir->login_domains.items[n], node,
                       "login_domains");
        if (dir->domains.count > 0 || is_faulty(node, "domains"))
            continue;
        if (rest != NULL)
            settings_node_fault(faults, node, "domains",
                                "the directory in %s:%u has no domains either: "
                                "only one may serve all that the others do not "
                                "claim",
                                rest->place.file, rest->place.line);
        rest = node;
    }
    check_unique(&list, "a domain belongs to one directory");
}

static void check_names(const struct settings_tree *tree,
                        const struct settings *settings,
                        struct settings_faults *faults)
{
    struct unique_list list = {.faults = faults};

    for (size_t i = 0; i < settings->directory_count; i++)
        add_unique(&list, settings->directories[i].name,
                   top_node(tree, "directories", i), "name");
    check_unique(&list, "give each directory a name of its own");
    for (size_t i = 0; i < settings->template_count; i++)
        add_unique(&list, settings->templates[i].name,
                   top_node(tree, "templates", i), "name");
    check_unique(&list, "give each template a name of its own");
}

/* Keys let in whoever has them: only who is named gets them. */
static void check_keys_socket(const struct settings_node *auth_node,
                              const struct settings_node *node,
                              const struct auth_settings *auth,
                              const struct socket_settings *set,
                              struct settings_faults *faults)
{
    if (set->kind != SOCKET_KEYS)
        return;
    if (set->allowed.count == 0)
        settings_node_fault(faults, node, "allowed",
                            "a socket of kind keys has to name who may have "
                            "them: allowed = [ \"postfix\" ]");
    if (auth->keys_secret_file[0] == '\0' &&
        !is_faulty(auth_node, "keys_secret_file"))
        settings_node_fault(faults, auth_node, "keys_secret_file",
                            "a socket of kind keys needs auth.keys_secret_file,"
                            " a file of random letters, the same on all hosts");
}

static void check_auth(const struct settings_tree *tree,
                       struct settings *settings,
                       struct settings_faults *faults)
{
    const struct settings_node *node = top_node(tree, "auth", 0);
    const struct settings_group *group =
        settings_child_named(node->group, "sockets");
    struct auth_settings *auth = &settings->auth;
    struct unique_list list = {.faults = faults};

    for (size_t i = 0; i < auth->socket_count; i++) {
        const struct settings_node *child = settings_node_child(node, group, i);

        add_unique(&list, auth->sockets[i].path, child, "path");
        check_keys_socket(node, child, auth, &auth->sockets[i], faults);
    }
    read_secret(node, "keys_secret_file", auth->keys_secret_file,
                &auth->keys_secret, faults);
    add_unique(&list, auth->control_path, node, "control_path");
    check_unique(&list, "each socket needs a path of its own");
    if (auth->directory_share >= auth->workers)
        settings_node_fault(faults, node, "directory_share",
                            "one directory must not take all %u workers: "
                            "write less than workers, or 0",
                            auth->workers);
}

static void check_sync(const struct settings_tree *tree,
                       const struct settings *settings,
                       struct settings_faults *faults)
{
    const struct settings_node *node = top_node(tree, "sync", 0);
    const struct sync_settings *sync = &settings->sync;
    struct removal_limit limit;
    struct errtext err = {{0}};
    char *canonical = NULL;

    if (removal_limit_read(sync->max_removals, &limit, &err) != STATUS_OK)
        settings_node_fault(faults, node, "max_removals", "%s", err.text);
    if (sync->canary[0] == '\0')
        return;
    if (address_canonical(sync->canary, &canonical, &err) != STATUS_OK)
        settings_node_fault(faults, node, "canary",
                            "the canary is somebody's mail address: %s",
                            err.text);
    free(canonical);
}

static void check_mail(const struct settings_tree *tree,
                       const struct settings *settings,
                       struct settings_faults *faults)
{
    struct errtext err = {{0}};

    if (address_path_check(settings->mail.path_format, &err) != STATUS_OK)
        settings_node_fault(faults, top_node(tree, "mail", 0),
                            "mail_path_format", "%s", err.text);
}

void settings_check(const struct settings_tree *tree, struct settings *settings,
                    struct settings_faults *faults)
{
    check_store(tree, settings, faults);
    check_names(tree, settings, faults);
    for (size_t i = 0; i < settings->directory_count; i++)
        check_directory(&(struct dir_check){
            .node = top_node(tree, "directories", i),
            .dir = &settings->directories[i],
            .settings = settings,
            .faults = faults,
        });
    check_domains(tree, settings, faults);
    check_auth(tree, settings, faults);
    check_sync(tree, settings, faults);
    check_mail(tree, settings, faults);
}
