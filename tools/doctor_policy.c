/* doctor_policy - restrictions and maps of Postfix; see doctor.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include "doctor_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell_place(struct doctor *doctor, const char *service,
                       const char *list, enum policy_place place)
{
    static const struct {
        enum finding_level level;
        const char *text;
        const char *fix;
    } words[] = {
        [POLICY_ABSENT] = {FINDING_SKIPPED, "asks none", NULL},
        [POLICY_WELL] = {FINDING_OK, "is asked where it should be", NULL},
        [POLICY_EARLY] = {FINDING_ERROR,
                          "is asked ahead of reject_unauth_destination: its "
                          "\"OK\" would make an open relay",
                          "move check_policy_service behind "
                          "reject_unauth_destination"},
        [POLICY_LATE] = {FINDING_WARNING,
                         "stands behind permit_sasl_authenticated: it is not "
                         "asked about people who have logged in",
                         "move check_policy_service ahead of it, and "
                         "reject_unauth_destination to "
                         "smtpd_relay_restrictions"},
        [POLICY_DEAD] = {FINDING_ERROR,
                         "stands behind permit or reject and is never asked",
                         "move check_policy_service ahead of it"},
    };

    findings_add(doctor->findings, words[place].level, "policy service", -1,
                 words[place].fix, "%s: %s %s", service, list,
                 words[place].text);
    if (place != POLICY_ABSENT)
        doctor->mail.asks_policy = true;
}

/* Is the endpoint one of provost-policyd's? */
static bool is_ours(const struct doctor *doctor, const char *endpoint)
{
    const struct policy_settings *set = &doctor->tool->settings->policy;

    for (size_t i = 0; i < set->listen_count; i++) {
        const struct policy_listen_settings *listen = &set->listens[i];
        char text[512];

        if (listen->host != NULL && listen->host[0] != '\0') {
            bool v6 = strchr(listen->host, ':') != NULL;

            (void)snprintf(text, sizeof(text), "inet:%s%s%s:%u", v6 ? "[" : "",
                           listen->host, v6 ? "]" : "", listen->port);
            if (strcmp(text, endpoint) == 0)
                return true;
        } else if (strncmp(endpoint, "unix:", 5) == 0) {
            const char *inside = doctor_inside_queue(doctor, listen->path);

            /* Relative to the queue directory, or as seen from the jail. */
            if (strcmp(listen->path, endpoint + 5) == 0 ||
                (inside != NULL &&
                 strcmp(inside + (endpoint[5] != '/'), endpoint + 5) == 0))
                return true;
        }
    }
    return false;
}

/* Tries the endpoint, with the eyes of the smtpd that asks there. */
static void look_at_endpoint(struct doctor *doctor,
                             const struct doctor_service *service,
                             const char *endpoint)
{
    struct doctor_opened opened;
    char path[512];

    if (doctor->tool->settings == NULL)
        return;
    if (!is_ours(doctor, endpoint)) {
        findings_add(doctor->findings, FINDING_SKIPPED, "policy service", -1,
                     NULL, "%s: %s is no socket of provost-policyd",
                     service->name, endpoint);
        return;
    }
    doctor->mail.asks_ours = true;
    if (strncmp(endpoint, "unix:", 5) != 0)
        return;
    /* smtpd stands in the queue directory, which is the root of its jail. */
    (void)snprintf(path, sizeof(path), "%s%s%s",
                   endpoint[5] == '/'  ? ""
                   : service->chrooted ? ""
                                       : doctor->mail.queue_directory,
                   endpoint[5] == '/' ? "" : "/", endpoint + 5);
    doctor_open_socket(service->chrooted ? doctor->mail.queue_directory : NULL,
                       doctor->mail.owner, path, &opened);
    if (opened.number == 0)
        findings_add(doctor->findings, FINDING_OK, "policy service", -1, NULL,
                     "%s: %s answers", service->name, endpoint);
    else if (opened.tried)
        findings_add(doctor->findings, FINDING_ERROR, "policy service", -1,
                     "systemctl start provost-policyd; mode and group of "
                     "policy.listen",
                     "%s: %s: %s", service->name, endpoint, opened.text.text);
}

static void look_at_list(struct doctor *doctor,
                         const struct doctor_service *service, const char *name,
                         bool relay_closed, bool takes_auth)
{
    char *list = doctor_parameter_of(doctor, service->name, name);
    char endpoint[512];
    enum policy_place place =
        list != NULL ? doctor_policy_place(list, relay_closed, takes_auth)
                     : POLICY_ABSENT;

    if (place != POLICY_ABSENT)
        tell_place(doctor, service->name, name, place);
    if (place != POLICY_ABSENT &&
        doctor_policy_endpoint(list, endpoint, sizeof(endpoint)))
        look_at_endpoint(doctor, service, endpoint);
    free(list);
}

static void look_at_service(struct doctor *doctor,
                            const struct doctor_service *service,
                            bool takes_auth)
{
    static const char relay[] = "smtpd_relay_restrictions";
    char *list = doctor_parameter_of(doctor, service->name, relay);
    bool closed = list != NULL && doctor_closes_relay(list);

    look_at_list(doctor, service, relay, false, takes_auth);
    look_at_list(doctor, service, "smtpd_recipient_restrictions", closed,
                 takes_auth);
    look_at_list(doctor, service, "smtpd_data_restrictions", true, takes_auth);
    look_at_list(doctor, service, "smtpd_end_of_data_restrictions", true,
                 takes_auth);
    free(list);
}

void doctor_policy(struct doctor *doctor)
{
    if (doctor->mail.parameters == NULL)
        return;
    doctor_each_smtpd(doctor, look_at_service);
    if (!doctor->mail.asks_policy)
        findings_add(doctor->findings, FINDING_SKIPPED, "policy service", -1,
                     NULL, "no smtpd asks one");
}

/* The maps that let Postfix know the mailboxes. */
void doctor_maps(struct doctor *doctor)
{
    static const char *const names[] = {
        "virtual_mailbox_domains", "virtual_mailbox_maps", "virtual_alias_maps",
        "smtpd_sender_login_maps"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char *value = doctor_parameter(doctor, names[i]);

        if (value != NULL && strstr(value, "mysql:") != NULL)
            findings_add(doctor->findings, FINDING_OK, names[i], -1, NULL, "%s",
                         value);
        else if (value != NULL)
            findings_add(doctor->findings, FINDING_WARNING, names[i], -1,
                         "see conf/postfix/main.cf",
                         "\"%s\" reads no database: Postfix does not know what "
                         "is in it",
                         value);
        free(value);
    }
}
