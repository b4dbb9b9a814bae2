/*
 * options - the values of provost_path, provost_timeout and provost_auxprop
 *
 * Pure. The values come from the configuration of whatever program loaded
 * the plugin, and are read once, while that program starts.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SASLPLUGIN_OPTIONS_H
#define SASLPLUGIN_OPTIONS_H

#include "status.h"

#include <stdbool.h>

#define OPTIONS_PATH_SIZE 108 /* of a unix socket's address, NUL included */

/* The login service answers in 8 s whatever happens; more is a dead one. */
#define OPTIONS_TIMEOUT_SECONDS_DEFAULT 10
#define OPTIONS_TIMEOUT_SECONDS_MAX 60

struct options {
    char path[OPTIONS_PATH_SIZE];      /* "": set, but unusable */
    int timeout_seconds;               /* of one whole login */
    char keys_path[OPTIONS_PATH_SIZE]; /* likewise */
};

/*
 * Reads the path called name; text is NULL where the program does not set it.
 *
 * Returns STATUS_OK and path_r, terminated; STATUS_NOT_FOUND when the option
 * is not set, or to nothing; STATUS_INVALID when it is no socket's path.
 */
enum status options_path(const char *name, const char *text,
                         char path_r[OPTIONS_PATH_SIZE],
                         struct errtext *err) MUST_CHECK;

/*
 * Reads provost_auxprop, a switch as libsasl2 has them; NULL is off. Returns
 * whether it is on.
 */
bool options_switch(const char *text);

/*
 * Reads provost_timeout; text is NULL where the program does not set it.
 *
 * Returns STATUS_OK and *seconds_r (the default when not set), or
 * STATUS_INVALID when it is not a number from 1 to the maximum.
 */
enum status options_timeout(const char *text, int *seconds_r,
                            struct errtext *err) MUST_CHECK;

#endif
