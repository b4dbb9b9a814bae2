/*
 * address - mail addresses and login names in their one canonical form
 *
 * Canonical: Unicode NFC, lower-case, the domain as A-label (RFC 5890) without
 * a trailing dot. Everything Provost stores or compares is canonical; what a
 * client or a directory wrote passes through here first and is not trusted.
 * A name is never stripped of a "+tag". Pure: no I/O.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include "status.h"

#include <stdbool.h>

#define ADDRESS_LOCAL_BYTES_MAX 64   /* RFC 5321 4.5.3.1.1 */
#define ADDRESS_DOMAIN_BYTES_MAX 253 /* RFC 1035, without the last dot */
#define ADDRESS_BYTES_MAX                                                      \
    (ADDRESS_LOCAL_BYTES_MAX + 1 + ADDRESS_DOMAIN_BYTES_MAX)

/*
 * Makes the canonical form of a whole address, as mailboxes are named.
 *
 * The local part must be safe in a path and in a Postfix table: a dot-atom
 * (RFC 5321 Dot-string, RFC 6531 UTF-8 allowed), so no quotes, blanks,
 * control characters, '/', '\\', ',' or a leading, trailing or double dot.
 *
 * Returns STATUS_OK and an owned *address_r; STATUS_INVALID with a sentence in
 * err for anything else, UTF-8 faults and over-long parts included;
 * STATUS_TEMPFAIL without memory.
 */
enum status address_canonical(const char *address, char **address_r,
                              struct errtext *err) MUST_CHECK;

/* A login name; starts as {0}; text is owned (free it). */
struct address_login {
    char *text;      /* canonical; an address if has_domain */
    bool has_domain; /* false: a bare name for login_fields ("anna") */
};

/*
 * Makes the canonical form of what a client typed. A realm is a domain for a
 * user without '@' and may be "". A user with '@' beside a realm is refused,
 * because the two doors would read it differently. Surrounding blanks are
 * refused (LDAP matching would ignore them). A bare name is NFC and
 * lower-case; it may hold '\\' ("DOMAIN\\name").
 *
 * Returns STATUS_OK and *login_r; STATUS_INVALID; STATUS_TEMPFAIL without
 * memory.
 */
enum status address_login(const char *user, const char *realm,
                          struct address_login *login_r,
                          struct errtext *err) MUST_CHECK;

/* Likewise for a domain alone, in A- or U-label form: owned A-label form. */
enum status address_domain(const char *domain, char **ascii_r,
                           struct errtext *err) MUST_CHECK;

/* The U-label form of a canonical domain, owned; same text if it is ASCII. */
enum status address_domain_unicode(const char *ascii, char **unicode_r,
                                   struct errtext *err) MUST_CHECK;

/* Returns the part after the last '@' of a canonical address, never NULL. */
const char *address_domain_of(const char *address);

/*
 * Checks a mail_path_format: a relative path with a '/' at its end (maildir),
 * of ordinary characters and %d (domain), %n (local part), %u (address), %%.
 * Returns STATUS_OK or STATUS_INVALID.
 */
enum status address_path_check(const char *format,
                               struct errtext *err) MUST_CHECK;

/* Expands a checked format for a canonical address into an owned *path_r. */
enum status address_path(const char *format, const char *address, char **path_r,
                         struct errtext *err) MUST_CHECK;

#endif
