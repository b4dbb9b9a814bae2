/* command_doctor - provostctl doctor: is the host as Provost needs it? */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include <string.h>
#include <sysexits.h>

static doctor_check *const checks[] = {
    doctor_settings, doctor_secrets,      doctor_sockets,  doctor_plugin,
    doctor_postfix,  doctor_policy_place, doctor_store,    doctor_grants,
    doctor_engines,  doctor_cluster,      doctor_clock,    doctor_counters,
    doctor_library,  doctor_directories,  doctor_fail2ban,
};

int doctor_command(struct tool *tool, struct arguments *arguments)
{
    struct doctor doctor = {
        .tool = tool,
        .postfix_dir = "/etc/postfix",
        .fail2ban_dir = "/etc/fail2ban",
    };
    const struct tool_option options[] = {
        {.name = "fix", .value = &doctor.fix},
        {.name = "postfix-config", .value = &doctor.postfix_dir},
        {.name = "fail2ban-config", .value = &doctor.fail2ban_dir},
        {.name = NULL}};
    int code;

    if (!tool_arguments(arguments, options, 0, 0))
        return EX_USAGE;
    if (doctor.fix != NULL && strcmp(doctor.fix, "counters") != 0) {
        tool_error("--fix can mend counters, not \"%s\"", doctor.fix);
        return EX_USAGE;
    }
    code = tool_settings(tool);
    if (code != EX_OK)
        return code;
    doctor.findings = findings_begin(tool);
    if (doctor.findings == NULL)
        return EX_TEMPFAIL;
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
        checks[i](&doctor);
    return findings_end(&doctor.findings);
}
