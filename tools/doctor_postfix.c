/* doctor_postfix - how Postfix logs people in; see doctor.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include "doctor_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* The SASL configuration of one service. */
struct sasl {
    const struct doctor_service *service;
    char file[PATH_BYTES];
    char *text;
};

static void tell(const struct doctor *doctor, const struct sasl *sasl,
                 enum finding_level level, const char *what, const char *fix,
                 const char *text)
{
    findings_add(doctor->findings, level, what, -1, fix, "%s: %s: %s",
                 sasl->service->name, sasl->file, text);
}

/* ------------------------------------------------- the door that is named --
 */

/* The socket for logins that smtpd reaches by that path; or NULL. */
static const struct socket_settings *socket_at(const struct doctor *doctor,
                                               const char *path, bool chrooted)
{
    const struct auth_settings *auth = &doctor->tool->settings->auth;

    for (size_t i = 0; i < auth->socket_count; i++) {
        const char *ours = auth->sockets[i].path;
        const char *seen = chrooted ? doctor_inside_queue(doctor, ours) : ours;

        if (seen != NULL && strcmp(seen, path) == 0 &&
            auth->sockets[i].kind == SOCKET_LOGIN)
            return &auth->sockets[i];
    }
    return NULL;
}

/* No socket of ours is where this smtpd looks. */
static void explain_path(const struct doctor *doctor, const struct sasl *sasl,
                         const char *key, const char *path)
{
    bool chrooted = sasl->service->chrooted;
    const struct socket_settings *other = socket_at(doctor, path, !chrooted);
    struct errtext text = {{0}};
    struct errtext fix = {{0}};

    if (other != NULL && chrooted)
        errtext_set(&fix,
                    "%s: the path below the queue directory, and a socket of "
                    "auth.sockets there",
                    key);
    else if (other != NULL)
        errtext_set(&fix, "%s: %s", key, other->path);
    else
        errtext_set(&fix, "let auth.sockets have %s%s",
                    chrooted ? doctor->mail.queue_directory : "", path);
    errtext_set(&text,
                "%s %s is no socket of provost-authd, as seen by smtpd, "
                "which runs %s",
                key, path, chrooted ? "chrooted" : "outside the chroot");
    tell(doctor, sasl, FINDING_ERROR, "smtpd.conf", fix.text, text.text);
}

static void look_at_path(const struct doctor *doctor, const struct sasl *sasl,
                         const char *key, const char *path)
{
    bool chrooted = sasl->service->chrooted;
    bool by_plugin = strcmp(key, "provost_path") == 0;
    const struct socket_settings *door = socket_at(doctor, path, chrooted);
    struct doctor_opened opened;
    struct errtext text = {{0}};

    if (door == NULL) {
        explain_path(doctor, sasl, key, path);
        return;
    }
    doctor_open_socket(chrooted ? doctor->mail.queue_directory : NULL,
                       doctor->mail.owner, path, &opened);
    errtext_set(&text, "%s %s: %s", key, path,
                opened.number == 0 ? "answers" : opened.text.text);
    if (opened.number == 0 || !opened.tried)
        tell(doctor, sasl, opened.tried ? FINDING_OK : FINDING_SKIPPED,
             "smtpd.conf", NULL, text.text);
    else
        tell(doctor, sasl, FINDING_ERROR, "smtpd.conf",
             doctor_socket_advice(&opened), text.text);
    if (!by_plugin && !door->canonical_only)
        tell(doctor, sasl, FINDING_WARNING, "smtpd.conf",
             "canonical_only = true for this socket",
             "Postfix keeps the name that was typed, which need not be the "
             "mailbox's");
    if (by_plugin && door->canonical_only)
        tell(doctor, sasl, FINDING_WARNING, "smtpd.conf",
             "canonical_only = false for this socket",
             "names other than the mailbox's own are refused for nothing");
}

/* The way to authd that a SASL configuration names. */
static void look_at_door(struct doctor *doctor, const struct sasl *sasl)
{
    char *plugin = doctor_sasl_value(sasl->text, "provost_path");
    char *method = doctor_sasl_value(sasl->text, "pwcheck_method");
    char *stock = doctor_sasl_value(sasl->text, "saslauthd_path");

    if (plugin != NULL) {
        doctor->wants_plugin = true;
        look_at_path(doctor, sasl, "provost_path", plugin);
    } else if (method == NULL || !doctor_has_word(method, "saslauthd")) {
        tell(doctor, sasl, FINDING_ERROR, "smtpd.conf",
             "install conf/postfix/sasl/plugin.conf there",
             "it names neither provost_path nor pwcheck_method: saslauthd, so "
             "that provost-authd is not asked");
    } else if (strcspn(method, " \t,") < strlen(method)) {
        tell(doctor, sasl, FINDING_ERROR, "smtpd.conf",
             "pwcheck_method: saslauthd",
             "pwcheck_method has a second word: the last verdict counts, and a "
             "missing database refuses everybody");
    } else if (stock == NULL) {
        tell(doctor, sasl, FINDING_ERROR, "smtpd.conf",
             "saslauthd_path: the socket itself, as seen by smtpd",
             "it has no saslauthd_path");
    } else {
        look_at_path(doctor, sasl, "saslauthd_path", stock);
    }
    free(plugin);
    free(method);
    free(stock);
}

static void look_at_mechanisms(const struct doctor *doctor,
                               const struct sasl *sasl)
{
    static const char advice[] = "mech_list: PLAIN LOGIN";
    char *list = doctor_sasl_value(sasl->text, "mech_list");
    struct errtext text = {{0}};
    char word[64];

    if (list == NULL) {
        tell(doctor, sasl, FINDING_WARNING, "mech_list", advice,
             "there is none: clients see mechanisms twice, and choose what "
             "authd cannot check");
    } else if (doctor_foreign_mechanism(list, word, sizeof(word))) {
        errtext_set(&text, "no daemon of ours can check %s", word);
        tell(doctor, sasl, FINDING_ERROR, "mech_list", advice, text.text);
    } else if (!doctor_has_word(list, "PLAIN")) {
        tell(doctor, sasl, FINDING_WARNING, "mech_list", advice,
             "PLAIN is not in it, and many clients know nothing else");
    } else {
        tell(doctor, sasl, FINDING_OK, "mech_list", NULL, list);
    }
    free(list);
}

static void look_at_other_keys(const struct doctor *doctor,
                               const struct sasl *sasl)
{
    char *aux = doctor_sasl_value(sasl->text, "auxprop_plugin");
    char *list = doctor_sasl_value(sasl->text, "plugin_list");

    if (aux == NULL)
        tell(doctor, sasl, FINDING_WARNING, "auxprop_plugin",
             "auxprop_plugin: none",
             "there is none: libsasl2 looks each person up in its own "
             "databases first");
    if (list != NULL)
        tell(doctor, sasl, FINDING_ERROR, "plugin_list",
             "take plugin_list out, and keep mech_list",
             "a chrooted smtpd cannot load what it names, and answers 454");
    free(aux);
    free(list);
}

/* --------------------------------------------------- where libsasl2 looks --
 */

/* Where smtpd looks for NAME.conf: directories with colons between; owned. */
static char *search_path(const struct doctor *doctor)
{
    struct strbuf path = STRBUF_INIT(PATH_BYTES);
    char *set = doctor_parameter(doctor, "cyrus_sasl_config_path");
    char *text = NULL;

    /* Debian's Postfix does not heed cyrus_sasl_config_path. */
    if (access("/etc/debian_version", F_OK) == 0)
        strbuf_appendf(&path, "%s/sasl:/usr/lib/sasl",
                       doctor->mail.config_directory);
    else if (set != NULL && set[0] != '\0')
        strbuf_append(&path, set);
    else
        strbuf_append(&path, "/etc/sasl2:/usr/lib64/sasl2:/usr/lib/sasl2");
    if (strbuf_take(&path, &text, NULL) != STATUS_OK)
        text = NULL;
    strbuf_clear(&path);
    free(set);
    return text;
}

/* Reads the first NAME.conf of the path; without one, file is where it goes. */
static void find_file(struct sasl *sasl, const char *path, const char *name)
{
    char first[PATH_BYTES] = "";

    while (sasl->text == NULL && *path != '\0') {
        size_t len = strcspn(path, ":");

        (void)snprintf(sasl->file, sizeof(sasl->file), "%.*s/%s.conf", (int)len,
                       path, name);
        if (first[0] == '\0')
            memcpy(first, sasl->file, sizeof(first));
        sasl->text = doctor_read_file(sasl->file);
        path += len + strspn(path + len, ":");
    }
    if (sasl->text == NULL)
        memcpy(sasl->file, first, sizeof(sasl->file));
}

static void explain_no_file(const struct doctor *doctor,
                            const struct sasl *sasl, const char *name)
{
    char elsewhere[PATH_BYTES];
    struct errtext text = {{0}};
    struct errtext fix = {{0}};

    (void)snprintf(elsewhere, sizeof(elsewhere), "/etc/sasl2/%s.conf", name);
    if (access(elsewhere, F_OK) == 0)
        errtext_set(&text, "there is none; Postfix does not look at %s",
                    elsewhere);
    else
        errtext_set(&text, "there is none: libsasl2 takes its own defaults, "
                           "and nobody can log in");
    errtext_set(&fix, "install -D -m 0644 conf/postfix/sasl/plugin.conf %s",
                sasl->file);
    tell(doctor, sasl, FINDING_ERROR, "smtpd.conf", fix.text, text.text);
}

static void look_at_sasl(struct doctor *doctor,
                         const struct doctor_service *service)
{
    struct sasl sasl = {.service = service};
    char *name = doctor_parameter_of(doctor, service->name, "smtpd_sasl_path");
    char *path = search_path(doctor);
    unsigned fault;

    if (name == NULL || path == NULL)
        goto out;
    find_file(&sasl, path, name);
    if (sasl.text == NULL) {
        explain_no_file(doctor, &sasl, name);
        goto out;
    }
    fault = doctor_sasl_fault(sasl.text);
    if (fault > 0) {
        struct errtext text = {{0}};

        errtext_set(&text, "line %u is no \"key: value\": smtpd ends there",
                    fault);
        tell(doctor, &sasl, FINDING_ERROR, "smtpd.conf",
             "correct it, or take it out", text.text);
    }
    look_at_door(doctor, &sasl);
    look_at_mechanisms(doctor, &sasl);
    look_at_other_keys(doctor, &sasl);
out:
    free(sasl.text);
    free(name);
    free(path);
}

/* -------------------------------------------------------------- a service --
 */

/* A parameter of the service is not as it should be. */
static void tell_parameter(struct doctor *doctor,
                           const struct doctor_service *service,
                           enum finding_level level, const char *name,
                           const char *wanted, const char *meaning)
{
    char *value = doctor_parameter_of(doctor, service->name, name);
    struct errtext fix = {{0}};

    errtext_set(&fix, "postconf -P %s/%s=%s", service->name, name, wanted);
    findings_add(doctor->findings, level, name, -1, fix.text, "%s: \"%s\": %s",
                 service->name, value != NULL ? value : "", meaning);
    free(value);
}

/* True if the parameter has the word (as a word of its own). */
static bool has(const struct doctor *doctor,
                const struct doctor_service *service, const char *name,
                const char *word)
{
    char *value = doctor_parameter_of(doctor, service->name, name);
    bool found = value != NULL && doctor_has_word(value, word);

    free(value);
    return found;
}

static void look_at_tls(struct doctor *doctor,
                        const struct doctor_service *service)
{
    static const char options[] = "smtpd_sasl_tls_security_options";

    if (has(doctor, service, options, "noplaintext"))
        tell_parameter(doctor, service, FINDING_ERROR, options, "noanonymous",
                       "PLAIN and LOGIN are not offered");
    if (!has(doctor, service, "smtpd_tls_security_level", "encrypt") &&
        !has(doctor, service, "smtpd_tls_wrappermode", "yes") &&
        !has(doctor, service, "smtpd_tls_auth_only", "yes"))
        tell_parameter(doctor, service, FINDING_WARNING, "smtpd_tls_auth_only",
                       "yes", "passwords may cross the network in clear");
}

static void look_at_service(struct doctor *doctor,
                            const struct doctor_service *service,
                            bool takes_auth)
{
    if (!takes_auth)
        return;
    if (!has(doctor, service, "smtpd_sasl_type", "cyrus")) {
        bool dovecot = has(doctor, service, "smtpd_sasl_type", "dovecot");

        tell_parameter(doctor, service,
                       dovecot ? FINDING_WARNING : FINDING_ERROR,
                       "smtpd_sasl_type", "cyrus",
                       dovecot ? "Postfix asks Dovecot, whose outages it takes "
                                 "for wrong passwords (535)"
                               : "Postfix does not ask libsasl2");
        return;
    }
    findings_add(doctor->findings, FINDING_OK, "Postfix", -1, NULL,
                 "%s takes AUTH%s", service->name,
                 service->chrooted ? ", chrooted" : "");
    look_at_tls(doctor, service);
    look_at_sasl(doctor, service);
}

/* Knows whether any service lets people log in. */
static void note_auth(struct doctor *doctor,
                      const struct doctor_service *service, bool takes_auth)
{
    (void)service;
    doctor->mail.takes_auth = doctor->mail.takes_auth || takes_auth;
}

void doctor_postfix(struct doctor *doctor)
{
    if (doctor->mail.parameters == NULL) {
        findings_add(doctor->findings, FINDING_WARNING, "Postfix", -1,
                     "provostctl doctor --postfix-config DIR",
                     "%s has no configuration that postconf can read",
                     doctor->postfix_dir != NULL ? doctor->postfix_dir
                                                 : "this host");
        return;
    }
    doctor_each_smtpd(doctor, note_auth);
    if (!doctor->mail.takes_auth)
        findings_add(doctor->findings, FINDING_ERROR, "Postfix", -1,
                     "postconf -P submission/inet/smtpd_sasl_auth_enable=yes",
                     "no smtpd of %s/master.cf has smtpd_sasl_auth_enable: "
                     "nobody can log in",
                     doctor->mail.config_directory);
    doctor_each_smtpd(doctor, look_at_service);
}
