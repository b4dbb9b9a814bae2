/* look - see look.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "look.h"

#include "clock.h"
#include "directory_probe.h"

#include <stdlib.h>

static void tell_host(struct findings *findings, const char *host,
                      const struct directory_probed *probed,
                      enum finding_level bad)
{
    for (int i = 0; i < DIRECTORY_STEPS; i++) {
        const struct directory_step_seen *seen = &probed->steps[i];

        if (seen->reached)
            findings_add(findings, seen->ok ? FINDING_OK : bad,
                         directory_step_name((enum directory_step)i),
                         seen->took_ms, seen->fix.text, "%s: %s", host,
                         seen->text.text);
    }
    if (probed->has_certificate && probed->days_left >= 0 &&
        probed->days_left < LOOK_CERTIFICATE_DAYS)
        findings_add(findings, FINDING_WARNING, "certificate", -1,
                     "renew the directory's certificate", "%s: %d days left",
                     host, probed->days_left);
}

bool look_at_hosts(struct findings *findings,
                   const struct directory_settings *set)
{
    int64_t time_ms =
        3 * set->connect_timeout_ms + 2 * set->operation_timeout_ms;
    struct directory_probed *probed =
        calloc(set->hosts.count + 1, sizeof(*probed));
    struct errtext err = {{0}};
    bool usable = false;

    if (probed == NULL)
        return false;
    for (size_t i = 0; i < set->hosts.count; i++)
        usable = directory_probe(set, i, clock_ms() + time_ms, &probed[i],
                                 &err) == STATUS_OK ||
                 usable;
    for (size_t i = 0; i < set->hosts.count; i++)
        tell_host(findings, set->hosts.items[i], &probed[i],
                  usable ? FINDING_WARNING : FINDING_ERROR);
    free(probed);
    return usable;
}
