/*
 * importer - what an import finds is made here, or said
 *
 * One line for each thing: "+" it is made, "~" it is changed, "!" it is named
 * and left alone. With plan_only the same lines are printed and nothing is
 * written: the limits of domains are counted in memory then, by the same
 * function that names them otherwise.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_IMPORTER_H
#define TOOLS_IMPORTER_H

#include "account.h"
#include "status.h"
#include "store.h"
#include "tool.h"

#include <stdbool.h>
#include <stddef.h>

struct importer_domain;
struct importer_name;

struct importer {
    struct tool *tool;
    bool plan_only;
    struct importer_domain *domains; /* seen so far, by name */
    struct importer_name *mailboxes; /* made or planned by this run */
    unsigned long made;
    unsigned long changed;
    unsigned long left;
    unsigned long same;
};

/* Frees what was remembered. */
void importer_clear(struct importer *importer);

/* Prints and counts one line; sign is '+', '~' or '!'. */
void importer_say(struct importer *importer, char sign, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/*
 * Prints the summary. Returns EX_OK, or 2 for a plan that is not empty.
 */
int importer_end(const struct importer *importer);

/*
 * Every function below returns STATUS_OK, whether something was made, was
 * there, or was left alone with a line that says so; STATUS_TEMPFAIL with err
 * when nobody answered.
 */

/*
 * A domain; wanted has the limits it is to have. One that is new takes
 * everything until importer_limits, so that nobody who has a mailbox there is
 * left out.
 */
enum status importer_domain(struct importer *importer,
                            const struct store_domain *wanted,
                            struct errtext *err) MUST_CHECK;

/* Gives the new domains their limits, at the end. */
enum status importer_limits(struct importer *importer,
                            struct errtext *err) MUST_CHECK;

enum status importer_alias_domain(struct importer *importer, const char *name,
                                  const char *target,
                                  struct errtext *err) MUST_CHECK;

/* Says whether name is a domain here, or is to be one. STATUS_NOT_FOUND. */
enum status importer_has_domain(struct importer *importer, const char *name,
                                struct errtext *err) MUST_CHECK;

/* Likewise for a mailbox. */
enum status importer_has_mailbox(struct importer *importer, const char *address,
                                 struct errtext *err) MUST_CHECK;

/* Says whether this run made, or plans, the mailbox. */
bool importer_is_new(const struct importer *importer, const char *address);

/* A whole mailbox: identity, settings, mail_path; admin_state is a block. */
enum status importer_mailbox(struct importer *importer,
                             const struct account *wanted,
                             struct errtext *err) MUST_CHECK;

/* An alias, "@domain" for a catch-all. */
enum status importer_alias(struct importer *importer, const char *address,
                           const char *targets, bool active,
                           struct errtext *err) MUST_CHECK;

/* Where the mail of a mailbox goes, beside or instead of itself. */
enum status importer_forward(struct importer *importer, const char *address,
                             const char *targets,
                             struct errtext *err) MUST_CHECK;

enum status importer_sender(struct importer *importer, const char *login,
                            const char *sender, struct errtext *err) MUST_CHECK;

#endif
