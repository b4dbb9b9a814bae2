/* main - provost-authd, the login service */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "authd.h"
#include "daemon.h"

static enum status make(const char *path, struct log *log, bool fixed_level,
                        void **service_r, struct strbuf *faults)
{
    struct authd *authd = NULL;
    enum status status = authd_new(path, log, fixed_level, &authd, faults);

    *service_r = authd;
    return status;
}

static enum status start(void *service, struct listen_inherited *inherited,
                         struct errtext *err)
{
    return authd_start(service, inherited, err);
}

static enum status reload(void *service, struct strbuf *faults)
{
    return authd_reload(service, faults);
}

static bool alive(void *service)
{
    return authd_alive(service);
}

static enum status stop(void *service, int64_t deadline_ms, struct errtext *err)
{
    return authd_stop(service, deadline_ms, err);
}

static void release(void **service)
{
    struct authd *authd = *service;

    authd_free(&authd);
    *service = NULL;
}

int main(int argc, char **argv)
{
    static const struct daemon_hooks hooks = {
        .name = "provost-authd",
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
