/*
 * directory_probe - looks at one host of a directory, step by step
 *
 * For people who ask why: name, connection, certificate and service bind, each
 * with its time and a sentence. It uses none of the pool's connections and
 * changes no host's health. The certificate is read and judged by OpenSSL,
 * which says what is wrong with it where libldap has only "Connect error"; what
 * libldap's own TLS library then makes of it is the last step's result.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_PROBE_H
#define COMMON_DIRECTORY_PROBE_H

#include "settings.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum directory_step {
    DIRECTORY_STEP_NAME,    /* the name has addresses */
    DIRECTORY_STEP_CONNECT, /* TCP, or the unix socket */
    DIRECTORY_STEP_TLS,     /* StartTLS and handshake, the certificate */
    DIRECTORY_STEP_BIND,    /* libldap connects and binds as bind_dn */
    DIRECTORY_STEPS
};

/* Constant words for people ("name resolution", "connection", ...). */
const char *directory_step_name(enum directory_step step);

struct directory_step_seen {
    bool reached; /* false: an earlier step failed, or there is nothing to do */
    bool ok;
    int64_t took_ms;
    struct errtext text; /* what was seen, or what is wrong */
    struct errtext fix;  /* what to do about it; "" if nothing is known */
};

struct directory_probed {
    struct directory_step_seen steps[DIRECTORY_STEPS];
    bool has_certificate;
    int days_left; /* of the certificate; negative: over */
};

/*
 * Probes the host at index of set, each step at most by its own time limit of
 * the settings and all by deadline_ms (but for the system's resolver, which
 * has limits of its own).
 *
 * Returns STATUS_OK if all steps that there are were ok; STATUS_DENIED if one
 * was not; *out is set in either case. STATUS_TEMPFAIL without memory.
 */
enum status directory_probe(const struct directory_settings *set, size_t index,
                            int64_t deadline_ms, struct directory_probed *out,
                            struct errtext *err) MUST_CHECK;

/*
 * Describes libldap: its version and TLS library, in words. Returns true if it
 * is one that never returns from a silent LDAPS server by itself (2.5 with
 * GnuTLS; mended in 2.6.9).
 */
bool directory_library_describe(char *text, size_t size);

#endif
