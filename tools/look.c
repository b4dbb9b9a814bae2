/* look - see look.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "look.h"

#include "clock.h"
#include "directory_probe.h"

bool look_at_host(struct findings *findings,
                  const struct directory_settings *set, size_t index)
{
    int64_t time_ms =
        3 * set->connect_timeout_ms + 2 * set->operation_timeout_ms;
    struct directory_probed probed;
    struct errtext err = {{0}};
    bool usable = directory_probe(set, index, clock_ms() + time_ms, &probed,
                                  &err) == STATUS_OK;

    for (int i = 0; i < DIRECTORY_STEPS; i++) {
        const struct directory_step_seen *seen = &probed.steps[i];

        if (seen->reached)
            findings_add(findings, seen->ok ? FINDING_OK : FINDING_ERROR,
                         directory_step_name((enum directory_step)i),
                         seen->took_ms, seen->fix.text, "%s: %s",
                         set->hosts.items[index], seen->text.text);
    }
    if (probed.has_certificate && probed.days_left >= 0 &&
        probed.days_left < LOOK_CERTIFICATE_DAYS)
        findings_add(findings, FINDING_WARNING, "certificate", -1,
                     "renew the directory's certificate", "%s: %d days left",
                     set->hosts.items[index], probed.days_left);
    return usable;
}
