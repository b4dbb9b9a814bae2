/* doctor_policy - restrictions and maps of Postfix; see doctor.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include "doctor_words.h"

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

static void look_at_list(struct doctor *doctor,
                         const struct doctor_service *service, const char *name,
                         bool relay_closed, bool takes_auth)
{
    char *list = doctor_parameter_of(doctor, service->name, name);
    enum policy_place place =
        list != NULL ? doctor_policy_place(list, relay_closed, takes_auth)
                     : POLICY_ABSENT;

    if (place != POLICY_ABSENT)
        tell_place(doctor, service->name, name, place);
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
