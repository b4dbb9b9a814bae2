/* main - provost-policyd, the policy service */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "policyd.h"

int main(int argc, char **argv)
{
    return daemon_run(&policyd_hooks, argc, argv);
}
