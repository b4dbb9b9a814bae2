/* main - provost-policyd, the policy service */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "daemon.h"
#include "policyd.h"

static enum status make(const char *path, struct log *log, bool fixed_level,
                        void **service_r, struct strbuf *faults)
{
    struct policyd *policyd = NULL;
    enum status status = policyd_new(path, log, fixed_level, &policyd, faults);

    *service_r = policyd;
    return status;
}

static enum status start(void *service, struct listen_inherited *inherited,
                         struct errtext *err)
{
    return policyd_start(service, inherited, err);
}

static enum status reload(void *service, struct strbuf *faults)
{
    return policyd_reload(service, faults);
}

static bool alive(void *service)
{
    return policyd_alive(service);
}

static enum status stop(void *service, int64_t deadline_ms, struct errtext *err)
{
    return policyd_stop(service, deadline_ms, err);
}

static void release(void **service)
{
    struct policyd *policyd = *service;

    policyd_free(&policyd);
    *service = NULL;
}

int main(int argc, char **argv)
{
    static const struct daemon_hooks hooks = {
        .name = "provost-policyd",
        .path = PROVOST_SYSCONFDIR "/provost/provost.conf",
        .make = make,
        .start = start,
        .reload = reload,
        .alive = alive,
        .stop = stop,
        .release = release,
    };

    return daemon_run(&hooks, argc, argv);
}
