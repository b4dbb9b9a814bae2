/* doctor_postfix - Postfix's settings, as Postfix sees them; see doctor.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_BYTES_MAX 65536

/* What postconf prints for one question; owned, NULL: no Postfix. */
static char *postconf(const struct doctor *doctor, const char *option,
                      const char *name)
{
    char *argv[] = {
        strdup("postconf"), strdup("-c"), strdup(doctor->postfix_dir),
        strdup(option),     strdup(name), NULL};
    struct strbuf out = STRBUF_INIT(VALUE_BYTES_MAX);
    char *text = NULL;
    bool whole = true;

    for (size_t i = 0; i + 1 < ARRAY_SIZE(argv); i++)
        whole = whole && argv[i] != NULL;
    if (whole && name[0] == '\0') {
        free(argv[4]);
        argv[4] = NULL;
    }
    if (!whole || !doctor_run(argv, &out) ||
        strbuf_take(&out, &text, NULL) != STATUS_OK)
        text = NULL;
    strbuf_clear(&out);
    for (size_t i = 0; i + 1 < ARRAY_SIZE(argv); i++)
        free(argv[i]);
    return text;
}

static char *parameter(const struct doctor *doctor, const char *name)
{
    char *text = postconf(doctor, "-hx", name);

    if (text != NULL)
        text[strcspn(text, "\n")] = '\0';
    return text;
}

/* All of master.cf's -o overrides, one "service/type/parameter = value" each.
 */
static char *overrides(const struct doctor *doctor)
{
    char *text = postconf(doctor, "-Px", "");

    return text != NULL ? text : strdup("");
}

char *doctor_sasl_value(const char *text, const char *key)
{
    size_t len = strlen(key);

    for (const char *line = text; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');

        if (strncmp(line, key, len) == 0 && line[len] == ':') {
            const char *value = line + len + 1 + strspn(line + len + 1, " \t");
            size_t bytes = strcspn(value, "\r\n");

            while (bytes > 0 && strchr(" \t", value[bytes - 1]) != NULL)
                bytes--;
            return strndup(value, bytes);
        }
        line = end != NULL ? end + 1 : NULL;
    }
    return NULL;
}

static char *read_file(const char *path)
{
    char *text = calloc(1, VALUE_BYTES_MAX);
    FILE *file = fopen(path, "re");

    if (file == NULL || text == NULL) {
        free(text);
        if (file != NULL)
            (void)fclose(file);
        return NULL;
    }
    if (fread(text, 1, VALUE_BYTES_MAX - 1, file) == 0)
        text[0] = '\0';
    (void)fclose(file);
    return text;
}

/* The socket's path of smtpd.conf is one of ours, in or outside the chroot. */
static bool is_our_socket(const struct doctor *doctor, const char *path,
                          const char *queue_directory)
{
    const struct auth_settings *auth = &doctor->tool->settings->auth;
    size_t root = strlen(queue_directory);

    for (size_t i = 0; i < auth->socket_count; i++) {
        const char *ours = auth->sockets[i].path;

        if (strcmp(ours, path) == 0)
            return true;
        if (strncmp(ours, queue_directory, root) == 0 &&
            strcmp(ours + root, path) == 0)
            return true;
    }
    return false;
}

/* The way to authd that a SASL configuration names. */
static void look_at_door(struct doctor *doctor, const char *file,
                         const char *text, const char *queue_directory)
{
    char *plugin = doctor_sasl_value(text, "provost_path");
    char *method = doctor_sasl_value(text, "pwcheck_method");
    char *stock = doctor_sasl_value(text, "saslauthd_path");
    const char *path = plugin != NULL ? plugin : stock;

    if (plugin == NULL && (method == NULL || strcmp(method, "saslauthd") != 0))
        findings_add(doctor->findings, FINDING_ERROR, "smtpd.conf", -1,
                     "copy conf/postfix/sasl/plugin.conf over it",
                     "%s names neither provost_path nor pwcheck_method: "
                     "saslauthd%s%s",
                     file, method != NULL ? " alone, but " : "",
                     method != NULL ? method : "");
    else if (path == NULL)
        findings_add(doctor->findings, FINDING_ERROR, "smtpd.conf", -1,
                     "saslauthd_path: the socket itself, as seen by smtpd",
                     "%s has no saslauthd_path", file);
    else if (!is_our_socket(doctor, path, queue_directory))
        findings_add(doctor->findings, FINDING_ERROR, "smtpd.conf", -1,
                     "let it be the path of one of auth.sockets, without the "
                     "queue directory",
                     "%s: no socket of provost-authd is %s", file, path);
    else
        findings_add(doctor->findings, FINDING_OK, "smtpd.conf", -1, NULL,
                     "%s: %s is %s", file,
                     plugin != NULL ? "provost_path" : "saslauthd_path", path);
    free(plugin);
    free(method);
    free(stock);
}

static void look_at_mechanisms(struct doctor *doctor, const char *file,
                               const char *text)
{
    char *list = doctor_sasl_value(text, "mech_list");

    if (list == NULL)
        findings_add(doctor->findings, FINDING_WARNING, "mech_list", -1,
                     "mech_list: PLAIN LOGIN",
                     "%s has none: clients may choose what authd cannot check",
                     file);
    else if (strcasestr(list, "PLAIN") == NULL)
        findings_add(doctor->findings, FINDING_ERROR, "mech_list", -1,
                     "mech_list: PLAIN LOGIN", "%s lacks PLAIN: %s", file,
                     list);
    else if (strcasestr(list, "MD5") != NULL)
        findings_add(doctor->findings, FINDING_ERROR, "mech_list", -1,
                     "mech_list: PLAIN LOGIN",
                     "%s: a directory password cannot be checked by %s", file,
                     list);
    else
        findings_add(doctor->findings, FINDING_OK, "mech_list", -1, NULL, "%s",
                     list);
    free(list);
}

/* smtpd.conf, where Debian's Postfix looks, and others do. */
static void look_at_sasl(struct doctor *doctor, const char *name,
                         const char *queue_directory)
{
    char file[4096];
    char *text;

    (void)snprintf(file, sizeof(file), "%s/sasl/%s.conf", doctor->postfix_dir,
                   name);
    text = read_file(file);
    if (text == NULL) {
        (void)snprintf(file, sizeof(file), "/etc/sasl2/%s.conf", name);
        text = read_file(file);
    }
    if (text == NULL) {
        findings_add(doctor->findings, FINDING_ERROR, "smtpd.conf", -1,
                     "install -m 0644 conf/postfix/sasl/plugin.conf "
                     "/etc/postfix/sasl/smtpd.conf",
                     "there is no %s.conf", name);
        return;
    }
    look_at_door(doctor, file, text, queue_directory);
    look_at_mechanisms(doctor, file, text);
    free(text);
}

static void tell_auth(struct doctor *doctor, const char *enabled,
                      const char *services, const char *type)
{
    if (type != NULL && strcmp(type, "cyrus") != 0)
        findings_add(doctor->findings, FINDING_ERROR, "Postfix", -1,
                     "postconf smtpd_sasl_type=cyrus",
                     "smtpd_sasl_type is %s: Postfix asks another service",
                     type);
    if (strcmp(enabled, "yes") != 0 &&
        strstr(services, "/smtpd_sasl_auth_enable = yes") == NULL)
        findings_add(doctor->findings, FINDING_ERROR, "Postfix", -1,
                     "postconf -P submission/inet/smtpd_sasl_auth_enable=yes",
                     "no service has smtpd_sasl_auth_enable: nobody can log "
                     "in");
    else
        findings_add(doctor->findings, FINDING_OK, "Postfix", -1, NULL,
                     "takes AUTH");
}

/* The maps that let Postfix know the mailboxes. */
static void look_at_maps(struct doctor *doctor)
{
    static const char *const names[] = {"virtual_mailbox_domains",
                                        "virtual_mailbox_maps",
                                        "virtual_alias_maps"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char *value = parameter(doctor, names[i]);

        if (value != NULL && strstr(value, "mysql:") == NULL)
            findings_add(doctor->findings, FINDING_WARNING, names[i], -1,
                         "see conf/postfix/main.cf",
                         "\"%s\" reads no database: Postfix does not know the "
                         "mailboxes",
                         value);
        free(value);
    }
}

void doctor_postfix(struct doctor *doctor)
{
    char *enabled = parameter(doctor, "smtpd_sasl_auth_enable");
    char *type = parameter(doctor, "smtpd_sasl_type");
    char *path = parameter(doctor, "smtpd_sasl_path");
    char *queue = parameter(doctor, "queue_directory");
    char *services = overrides(doctor);

    if (enabled == NULL || path == NULL || queue == NULL || services == NULL) {
        findings_add(doctor->findings, FINDING_WARNING, "Postfix", -1,
                     "provostctl doctor --postfix-config DIR",
                     "%s has no configuration that postconf can read",
                     doctor->postfix_dir);
    } else {
        tell_auth(doctor, enabled, services, type);
        look_at_sasl(doctor, path, queue);
        look_at_maps(doctor);
    }
    free(enabled);
    free(type);
    free(path);
    free(queue);
    free(services);
}

/* Restrictions that end the list with "yes" for whoever comes so far. */
static bool permits_all(const char *word)
{
    return strcmp(word, "permit") == 0;
}

enum policy_place doctor_policy_place_in(const char *restrictions, bool relay)
{
    char *copy = strdup(restrictions);
    enum policy_place place = POLICY_ABSENT;
    bool guarded = relay;
    char *rest = copy;
    char *word;

    while ((word = strsep(&rest, ", \t\n")) != NULL) {
        if (permits_all(word))
            break;
        if (strcmp(word, "reject_unauth_destination") == 0)
            guarded = true;
        if (strcmp(word, "check_policy_service") == 0) {
            place = guarded ? POLICY_WELL : POLICY_EARLY;
            break;
        }
    }
    if (place == POLICY_ABSENT && rest != NULL &&
        strstr(rest, "check_policy_service") != NULL)
        place = POLICY_DEAD;
    free(copy);
    return place;
}

void doctor_policy_place(struct doctor *doctor)
{
    char *restrictions = parameter(doctor, "smtpd_recipient_restrictions");
    char *relay = parameter(doctor, "smtpd_relay_restrictions");

    if (restrictions == NULL || relay == NULL)
        goto out;
    switch (doctor_policy_place_in(
        restrictions, strstr(relay, "reject_unauth_destination") != NULL)) {
    case POLICY_ABSENT:
        findings_add(doctor->findings, FINDING_SKIPPED, "policy service", -1,
                     NULL, "smtpd_recipient_restrictions asks none");
        break;
    case POLICY_WELL:
        findings_add(doctor->findings, FINDING_OK, "policy service", -1, NULL,
                     "is asked behind reject_unauth_destination");
        break;
    case POLICY_EARLY:
        findings_add(doctor->findings, FINDING_ERROR, "policy service", -1,
                     "move check_policy_service behind "
                     "reject_unauth_destination",
                     "is asked ahead of reject_unauth_destination");
        break;
    case POLICY_DEAD:
        findings_add(doctor->findings, FINDING_ERROR, "policy service", -1,
                     "move check_policy_service ahead of permit",
                     "stands behind permit and is never asked");
        break;
    }
out:
    free(restrictions);
    free(relay);
}
