/*
 * import_config - a directories block from another program's settings
 *
 * Reads saslauthd.conf (auth_ldap) or dovecot-ldap.conf.ext (Dovecot 2.3) and
 * writes what it means as a block for provost.conf. Every option of both is
 * known by name; what cannot be carried over is told in a comment with its
 * line. A password goes nowhere but into *secret_r. Pure: no I/O. The text is
 * not trusted.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_IMPORT_CONFIG_H
#define TOOLS_IMPORT_CONFIG_H

#include "status.h"
#include "strbuf.h"

#include <stddef.h>

#define IMPORT_CONFIG_BYTES_MAX 65536 /* of a file; longer ones are refused */
#define IMPORT_CONFIG_BLOCK_MAX (1 << 20)

enum import_config_format {
    IMPORT_SASLAUTHD,
    IMPORT_DOVECOT
};

/* What the block is to say of itself; borrowed. */
struct import_config_names {
    const char *directory;   /* a name as provost.conf takes it */
    const char *secret_file; /* path for bind_password_file */
};

/*
 * Appends the block to block (a strbuf of IMPORT_CONFIG_BLOCK_MAX).
 *
 * Returns STATUS_OK, with *secret_r the bind password (secret_free), or NULL
 * if there is none; STATUS_INVALID with the line and the reason for what that
 * program would refuse to read too; STATUS_TEMPFAIL without memory.
 */
enum status import_config(enum import_config_format format, const char *text,
                          size_t len, const struct import_config_names *names,
                          struct strbuf *block, char **secret_r,
                          struct errtext *err) MUST_CHECK;

#endif
