/* command_doctor - provostctl doctor: is the host as Provost needs it? */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include <string.h>
#include <sysexits.h>

/* Each fault of the settings is a line: nothing else says as much. */
static void tell_faults(struct doctor *doctor, const char *faults)
{
    while (faults != NULL && *faults != '\0') {
        const char *end = strchr(faults, '\n');
        size_t len = end != NULL ? (size_t)(end - faults) : strlen(faults);

        findings_add(doctor->findings, FINDING_ERROR, "settings", -1,
                     "correct it, and try provostctl config check", "%.*s",
                     (int)len, faults);
        faults = end != NULL ? end + 1 : NULL;
    }
}

static void doctor_settings(struct doctor *doctor)
{
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
    const char *path = doctor->tool->settings_path;
    struct settings *settings = NULL;

    if (settings_load(path, &settings, &faults) != STATUS_OK) {
        tell_faults(doctor, strbuf_text(&faults));
    } else {
        findings_add(doctor->findings, FINDING_OK, "settings", -1, NULL,
                     "%s: %zu directories, %zu templates", path,
                     settings->directory_count, settings->template_count);
        /* The tool's own copy, whose store root may enter. */
        (void)tool_settings(doctor->tool);
    }
    settings_free(&settings);
    strbuf_clear(&faults);
}

/* What a check cannot do without. */
enum need {
    NOTHING,
    SETTINGS,
    STORE
};

/* One more check is one more row. */
static const struct {
    const char *name;
    enum need need;
    doctor_check *look;
} checks[] = {
    {"settings", NOTHING, doctor_settings},
    {"secrets", SETTINGS, doctor_secrets},
    {"sockets", SETTINGS, doctor_sockets},
    {"Postfix", SETTINGS, doctor_postfix},
    {"policy service", NOTHING, doctor_policy},
    {"maps", NOTHING, doctor_maps},
    {"daemons", SETTINGS, doctor_daemons},
    {"plugin", NOTHING, doctor_plugin},
    {"database", SETTINGS, doctor_store},
    {"grants", STORE, doctor_grants},
    {"InnoDB", STORE, doctor_engines},
    {"Galera", STORE, doctor_cluster},
    {"clock", STORE, doctor_clock},
    {"counters", STORE, doctor_counters},
    {"libldap", NOTHING, doctor_library},
    {"directories", SETTINGS, doctor_directories},
    {"fail2ban", NOTHING, doctor_fail2ban},
};

static void look_at_all(struct doctor *doctor)
{
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        const char *lacks = NULL;

        if (checks[i].need >= SETTINGS && doctor->tool->settings == NULL)
            lacks = "the settings could not be read";
        else if (checks[i].need == STORE && !doctor->has_store)
            lacks = "the database could not be used";
        if (lacks == NULL)
            checks[i].look(doctor);
        else
            findings_add(doctor->findings, FINDING_SKIPPED, checks[i].name, -1,
                         NULL, "not looked at: %s", lacks);
    }
}

int doctor_command(struct tool *tool, struct arguments *arguments)
{
    struct doctor doctor = {.tool = tool, .fail2ban_dir = "/etc/fail2ban"};
    const struct tool_option options[] = {
        {.name = "fix", .value = &doctor.fix},
        {.name = "postfix-config", .value = &doctor.postfix_dir},
        {.name = "fail2ban-config", .value = &doctor.fail2ban_dir},
        {.name = NULL}};

    if (!tool_arguments(arguments, options, 0, 0))
        return EX_USAGE;
    if (doctor.fix != NULL && strcmp(doctor.fix, "counters") != 0) {
        tool_error("--fix can mend counters, not \"%s\"", doctor.fix);
        return EX_USAGE;
    }
    doctor.findings = findings_begin(tool);
    if (doctor.findings == NULL) {
        tool_error("out of memory");
        return EX_TEMPFAIL;
    }
    doctor_mail_ask(&doctor);
    look_at_all(&doctor);
    doctor_mail_clear(&doctor.mail);
    return findings_end(&doctor.findings);
}
