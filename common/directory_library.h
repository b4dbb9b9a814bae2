/*
 * directory_library - libldap as we need it, set up once in a process
 *
 * libldap keeps state for the whole process and reads the host's ldap.conf into
 * it, which we do not let it do (LDAPNOINIT). Nothing of ours is in that state:
 * TLS and all limits are set handle by handle.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_LIBRARY_H
#define COMMON_DIRECTORY_LIBRARY_H

#include "status.h"

#include <ldap.h>

struct directory_settings;

/*
 * Sets libldap up, the first time it is called. It sets an environment
 * variable: a program opens its first directory before it starts threads.
 */
void directory_library_init(void);

/*
 * Sets what every handle needs and what ldap.conf could have changed: LDAPv3,
 * no referrals, no aliases, no limits of its own, no waiting in libldap.
 * Returns an LDAP result code.
 */
int directory_library_prepare(LDAP *ld) MUST_CHECK;

/* One TLS context of a directory, shared by its handles; thread-safe. */
struct directory_tls;

/*
 * Loads the CA file ("": the system's bundle) unless nothing is verified.
 * Returns STATUS_OK and an owned *tls_r, or STATUS_INVALID.
 */
enum status directory_tls_open(const struct directory_settings *set,
                               struct directory_tls **tls_r,
                               struct errtext *err) MUST_CHECK;

/* Frees *tls and sets it to NULL; it may be NULL. No handle may use it. */
void directory_tls_close(struct directory_tls **tls);

/* Makes ld use this context. Returns an LDAP result code. */
int directory_tls_apply(const struct directory_tls *tls, LDAP *ld) MUST_CHECK;

#endif
