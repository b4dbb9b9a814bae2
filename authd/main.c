/* main - provost-authd, the login service */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "authd.h"

int main(int argc, char **argv)
{
    return daemon_run(&authd_hooks, argc, argv);
}
