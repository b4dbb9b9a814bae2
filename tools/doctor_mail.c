/* doctor_mail - what Postfix says of itself; see doctor.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include "child.h"
#include "clock.h"
#include "doctor_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES_MAX ((size_t)1 << 20)

/* What postconf prints; owned, NULL: there is no Postfix, or it is broken. */
static char *postconf(const struct doctor *doctor, const char *option)
{
    const char *argv[] = {"postconf", option, NULL, NULL, NULL};
    struct strbuf out = STRBUF_INIT(ANSWER_BYTES_MAX);
    char *text = NULL;

    if (doctor->postfix_dir != NULL) {
        argv[2] = "-c";
        argv[3] = doctor->postfix_dir;
    }
    if (child_run(argv, clock_ms() + DOCTOR_PROGRAM_MS, &out) != 0 ||
        out.len == 0 || strbuf_take(&out, &text, NULL) != STATUS_OK)
        text = NULL;
    strbuf_clear(&out);
    return text;
}

void doctor_mail_ask(struct doctor *doctor)
{
    struct doctor_mail *mail = &doctor->mail;

    mail->parameters = postconf(doctor, "-x");
    if (mail->parameters == NULL)
        return;
    mail->services = postconf(doctor, "-M");
    mail->overrides = postconf(doctor, "-Px");
    mail->config_directory = doctor_parameter(doctor, "config_directory");
    mail->queue_directory = doctor_parameter(doctor, "queue_directory");
    mail->owner = doctor_parameter(doctor, "mail_owner");
}

void doctor_mail_clear(struct doctor_mail *mail)
{
    free(mail->parameters);
    free(mail->services);
    free(mail->overrides);
    free(mail->config_directory);
    free(mail->queue_directory);
    free(mail->owner);
    *mail = (struct doctor_mail){.parameters = NULL};
}

char *doctor_parameter(const struct doctor *doctor, const char *name)
{
    if (doctor->mail.parameters == NULL)
        return NULL;
    return doctor_postconf_value(doctor->mail.parameters, name);
}

char *doctor_parameter_of(const struct doctor *doctor, const char *service,
                          const char *name)
{
    char *value = NULL;
    char full[256];

    (void)snprintf(full, sizeof(full), "%s/%s", service, name);
    if (doctor->mail.overrides != NULL)
        value = doctor_postconf_value(doctor->mail.overrides, full);
    return value != NULL ? value : doctor_parameter(doctor, name);
}

/* "-" in the column of chroot: yes until compatibility_level is 1. */
static bool chroot_default(const struct doctor *doctor)
{
    char *level = doctor_parameter(doctor, "compatibility_level");
    bool chrooted = level == NULL || strtoul(level, NULL, 10) < 1;

    free(level);
    return chrooted;
}

static bool is_yes(char *value)
{
    bool yes = value != NULL && strcmp(value, "yes") == 0;

    free(value);
    return yes;
}

void doctor_each_smtpd(struct doctor *doctor, doctor_see_smtpd *see)
{
    bool chrooted = chroot_default(doctor);
    const char *line = doctor->mail.services;
    struct doctor_service service;

    while (line != NULL && *line != '\0') {
        const char *end = strchr(line, '\n');

        if (doctor_service_read(line, chrooted, &service) &&
            strcmp(service.program, "smtpd") == 0)
            see(doctor, &service,
                is_yes(doctor_parameter_of(doctor, service.name,
                                           "smtpd_sasl_auth_enable")));
        line = end != NULL ? end + 1 : NULL;
    }
}

char *doctor_read_file(const char *path)
{
    struct strbuf out = STRBUF_INIT(ANSWER_BYTES_MAX);
    FILE *file = fopen(path, "re");
    char *text = NULL;
    char bytes[4096];
    size_t got;

    if (file == NULL)
        return NULL;
    while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0)
        strbuf_append_len(&out, bytes, got);
    if (ferror(file) != 0 || strbuf_take(&out, &text, NULL) != STATUS_OK)
        text = NULL;
    (void)fclose(file);
    strbuf_clear(&out);
    return text;
}
