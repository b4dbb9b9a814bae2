/* doctor_directory - the directories, as doctor sees them; see doctor.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include "clock.h"
#include "directory.h"
#include "directory_clock.h"
#include "look.h"

#include <stdlib.h>

#define CLOCK_SECONDS 60 /* Kerberos' and TLS' patience ends at minutes */

static void tell_clock(struct doctor *doctor, const char *name, int64_t theirs)
{
    int64_t apart = theirs - clock_wall_seconds();

    if (llabs(apart) <= CLOCK_SECONDS)
        findings_add(doctor->findings, FINDING_OK, "clock", -1, NULL,
                     "directory %s agrees with ours", name);
    else
        findings_add(doctor->findings, FINDING_WARNING, "clock", -1,
                     "run an NTP client on both hosts",
                     "directory %s is %lld s %s ours: expiry and last logins "
                     "are wrong",
                     name, llabs(apart), apart > 0 ? "ahead of" : "behind");
}

static void look_at_clock(struct doctor *doctor,
                          const struct directory_settings *set)
{
    struct directory *dir = NULL;
    struct errtext err = {{0}};
    int64_t theirs = 0;
    enum status status = directory_open(set, &dir, &err);

    if (status == STATUS_OK)
        status = directory_ask_clock(dir,
                                     clock_ms() + set->connect_timeout_ms +
                                         set->operation_timeout_ms,
                                     &theirs, &err);
    if (status == STATUS_OK)
        tell_clock(doctor, set->name, theirs);
    else if (status == STATUS_NOT_FOUND)
        findings_add(doctor->findings, FINDING_SKIPPED, "clock", -1, NULL,
                     "directory %s tells no time that we may read", set->name);
    else
        findings_add(doctor->findings, FINDING_ERROR, "directory", -1, NULL,
                     "%s: %s", set->name, err.text);
    directory_close(&dir);
}

void doctor_directories(struct doctor *doctor)
{
    const struct settings *settings = doctor->tool->settings;

    for (size_t i = 0; i < settings->directory_count; i++) {
        const struct directory_settings *set = &settings->directories[i];

        if (look_at_hosts(doctor->findings, set))
            look_at_clock(doctor, set);
        if (set->ignore_ssl_errors)
            findings_add(doctor->findings, FINDING_WARNING, "TLS", -1,
                         "set ca_file instead of ignore_ssl_errors",
                         "directory %s: whoever sits in between reads "
                         "passwords",
                         set->name);
        if (set->allow_cleartext && !set->use_ssl && !set->use_tls)
            findings_add(doctor->findings, FINDING_WARNING, "TLS", -1,
                         "use_tls = true",
                         "directory %s: passwords cross the network in clear",
                         set->name);
    }
}
