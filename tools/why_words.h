/*
 * why_words - what the codes of a decision mean, and what to do about them
 *
 * Pure. A code is a login_answer's `reason`: of a gate, a plan's refusal, a
 * limit or the directory.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_WHY_WORDS_H
#define TOOLS_WHY_WORDS_H

#include "decision.h"

/* Which gate a reason closes. */
enum why_gate {
    WHY_NO_GATE, /* none ("ok"), or one that is no line of its own */
    WHY_ACCOUNT, /* the directory's own word about the person */
    WHY_LIMIT,
    WHY_PROTOCOL,
    WHY_PASSWORD
};

/* What to do; "" if nothing is known. Constant. */
const char *why_fix(const char *reason);

/* The reason in words; "" where its code says as much. Constant. */
const char *why_meaning(const char *reason);

enum why_gate why_gate_of(const char *reason);

/* What the client of Postfix is told. Constant. */
const char *why_reply(enum login_result result);

#endif
