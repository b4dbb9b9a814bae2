/* doctor_directory - the directories, as doctor sees them; see doctor.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include "clock.h"
#include "directory.h"
#include "directory_walk.h"
#include "look.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CLOCK_SECONDS 60 /* Kerberos' and TLS' patience ends at minutes */

/* "20261124063000.0Z" as seconds, or -1. */
static int64_t from_generalized(const char *text)
{
    struct tm when = {.tm_isdst = 0};

    if (strptime(text, "%Y%m%d%H%M%S", &when) == NULL)
        return -1;
    return timegm(&when);
}

static void look_at_clock(struct doctor *doctor, const char *name,
                          const char *text)
{
    int64_t theirs = from_generalized(text);
    int64_t apart;

    if (theirs < 0) {
        findings_add(doctor->findings, FINDING_SKIPPED, "clock", -1, NULL,
                     "directory %s tells no time", name);
        return;
    }
    apart = llabs(theirs - clock_wall_seconds());
    if (apart <= CLOCK_SECONDS)
        findings_add(doctor->findings, FINDING_OK, "clock", -1, NULL,
                     "directory %s agrees with ours", name);
    else
        findings_add(doctor->findings, FINDING_WARNING, "clock", -1,
                     "run an NTP client on both hosts",
                     "directory %s is %lld s from ours", name,
                     (long long)apart);
}

static void look_at_root(struct doctor *doctor,
                         const struct directory_settings *set)
{
    struct directory *dir = NULL;
    struct directory_abilities found;
    struct errtext err = {{0}};

    if (directory_open(set, &dir, &err) != STATUS_OK) {
        findings_add(doctor->findings, FINDING_ERROR, "directory", -1, NULL,
                     "%s: %s", set->name, err.text);
        return;
    }
    if (directory_ask_abilities(dir, clock_ms() + set->operation_timeout_ms,
                                &found, &err) == STATUS_OK)
        look_at_clock(doctor, set->name, found.clock);
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
        bool reached = false;

        for (size_t j = 0; j < set->hosts.count; j++)
            reached = look_at_host(doctor->findings, set, j) || reached;
        if (reached)
            look_at_root(doctor, set);
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
