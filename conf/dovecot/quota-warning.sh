#!/bin/sh
# quota-warning.sh - tells somebody that a mailbox is nearly full
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: quota-warning.sh PERCENT MAILBOX (see quota-warning.conf)
# The warning itself is delivered over the quota; what goes wrong is in Dovecot's
# log, whose file vmail may not write.
exec /usr/lib/dovecot/dovecot-lda -d "$2" -o log_path=/dev/stderr \
    -o plugin/quota='dict:User quota::noenforcing:proxy::sqlquota' <<MESSAGE
From: Mailbox quota <$2>
To: <$2>
Subject: Your mailbox is $1% full
Auto-Submitted: auto-generated
Content-Type: text/plain; charset=utf-8

Your mailbox $2 is more than $1% full. When nothing
fits into it any more, new mail is refused. Please delete what you no longer
need, and empty the trash.
MESSAGE
