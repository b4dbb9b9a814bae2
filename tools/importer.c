/* importer - see importer.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "importer.h"

#include "importer_private.h"

#include "address.h"
#include "quantity.h"
#include "store_domain.h"
#include "store_forward.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistr.h>

#define LINE_BYTES_MAX 65536
#define PLAN_NOT_EMPTY 2
#define LIMITS                                                                 \
    (STORE_DOMAIN_MAX_MAILBOXES | STORE_DOMAIN_QUOTA |                         \
     STORE_DOMAIN_MAX_QUOTA | STORE_DOMAIN_MAX_ALIASES)

void importer_clear(struct importer *importer)
{
    struct importer_domain *domain;
    struct importer_domain *next;
    struct importer_name *name;
    struct importer_name *next_name;

    HASH_ITER(hh, importer->domains, domain, next)
    {
        HASH_DEL(importer->domains, domain);
        store_domain_clear(&domain->row);
        store_domain_clear(&domain->wanted);
        free(domain);
    }
    HASH_ITER(hh, importer->mailboxes, name, next_name)
    {
        HASH_DEL(importer->mailboxes, name);
        free(name->name);
        free(name);
    }
}

/*
 * Names of a disk or a database need not be UTF-8; a terminal and a file of
 * lines are.
 */
static void print_text(const char *text)
{
    bool whole = u8_check((const uint8_t *)text, strlen(text)) == NULL;
    char byte[2] = "";

    if (whole)
        output_escaped(stdout, text);
    for (; !whole && *text != '\0'; text++) {
        byte[0] = *text;
        if ((unsigned char)*text >= 0x80)
            (void)printf("\\x%02x", (unsigned char)*text);
        else
            output_escaped(stdout, byte);
    }
}

void importer_say(struct importer *importer, char sign, const char *fmt, ...)
{
    struct strbuf line = STRBUF_INIT(LINE_BYTES_MAX);
    va_list args;

    va_start(args, fmt);
    strbuf_vappendf(&line, fmt, args);
    va_end(args);
    (void)printf("%c ", sign);
    print_text(line.failed ? "(a line too long to show)" : strbuf_text(&line));
    (void)putchar('\n');
    strbuf_clear(&line);
    if (sign == '+')
        importer->made++;
    else if (sign == '~')
        importer->changed++;
    else
        importer->left++;
}

int importer_end(const struct importer *importer)
{
    bool empty = importer->made == 0 && importer->changed == 0;

    (void)printf("%s: %lu %s, %lu %s, %lu left alone, %lu as they are\n",
                 importer->plan_only ? "plan" : "import", importer->made,
                 importer->plan_only ? "to make" : "made", importer->changed,
                 importer->plan_only ? "to change" : "changed", importer->left,
                 importer->same);
    if (fflush(stdout) != 0)
        return EX_IOERR;
    return importer->plan_only && !empty ? PLAN_NOT_EMPTY : EX_OK;
}

bool importer_remember(struct importer *importer, const char *address)
{
    struct importer_name *name = calloc(1, sizeof(*name));

    if (name != NULL)
        name->name = strdup(address);
    if (name == NULL || name->name == NULL) {
        free(name);
        return false;
    }
    HASH_ADD_KEYPTR(hh, importer->mailboxes, name->name, strlen(name->name),
                    name);
    return true;
}

bool importer_is_new(const struct importer *importer, const char *address)
{
    struct importer_name *name = NULL;

    HASH_FIND(hh, importer->mailboxes, address, strlen(address), name);
    return name != NULL;
}

static struct importer_domain *add_domain(struct importer *importer,
                                          const char *name)
{
    struct importer_domain *domain = calloc(1, sizeof(*domain));

    if (domain == NULL)
        return NULL;
    domain->row.name = strdup(name);
    if (domain->row.name == NULL) {
        free(domain);
        return NULL;
    }
    domain->row.active = true;
    HASH_ADD_KEYPTR(hh, importer->domains, domain->row.name,
                    strlen(domain->row.name), domain);
    return domain;
}

enum status importer_find_domain(struct importer *importer, const char *name,
                                 struct importer_domain **domain_r,
                                 struct errtext *err)
{
    struct importer_domain *domain = NULL;
    struct store_domain row = {0};
    enum status status;

    HASH_FIND(hh, importer->domains, name, strlen(name), domain);
    if (domain == NULL) {
        status = store_domain_find(importer->tool->store, name,
                                   tool_deadline(importer->tool), &row, err);
        if (status != STATUS_OK)
            return status;
        domain = add_domain(importer, name);
        if (domain == NULL) {
            store_domain_clear(&row);
            return status_no_memory(err);
        }
        free(row.name);
        row.name = domain->row.name;
        domain->row = row;
    }
    *domain_r = domain;
    return STATUS_OK;
}

enum status importer_has_domain(struct importer *importer, const char *name,
                                struct errtext *err)
{
    struct importer_domain *domain = NULL;

    return importer_find_domain(importer, name, &domain, err);
}

enum apply_limit importer_charge(struct importer_domain *domain,
                                 const struct store_charge *charge,
                                 struct errtext *reason)
{
    enum apply_limit limit = apply_limit_of(&domain->row, charge, reason);

    if (limit != LIMIT_NONE)
        return limit;
    domain->row.mailboxes_used += (uint64_t)charge->mailboxes;
    domain->row.quota_allotted += (uint64_t)charge->quota_bytes;
    domain->row.aliases_used += (uint64_t)charge->aliases;
    return LIMIT_NONE;
}

static bool same_limits(const struct store_domain *a,
                        const struct store_domain *b)
{
    return a->max_mailboxes == b->max_mailboxes &&
           a->quota_bytes == b->quota_bytes &&
           a->max_quota_bytes == b->max_quota_bytes &&
           a->max_aliases == b->max_aliases;
}

/* "max-mailboxes 5, quota 10G, off" or "no limits". */
static void describe(struct strbuf *text, const struct store_domain *domain)
{
    const struct {
        const char *name;
        uint64_t value;
        bool size;
    } limits[] = {
        {"max-mailboxes", domain->max_mailboxes, false},
        {"quota", domain->quota_bytes, true},
        {"max-quota", domain->max_quota_bytes, true},
        {"max-aliases", domain->max_aliases, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        if (limits[i].value == 0)
            continue;
        strbuf_appendf(text, "%s%s ", text->len > 0 ? ", " : "",
                       limits[i].name);
        if (limits[i].size)
            quantity_append_size(text, limits[i].value);
        else
            strbuf_appendf(text, "%" PRIu64, limits[i].value);
    }
    if (text->len == 0)
        strbuf_append(text, "no limits");
    if (!domain->active)
        strbuf_append(text, ", off");
}

static void say_domain(struct importer *importer, char sign,
                       const struct store_domain *there,
                       const struct store_domain *here)
{
    struct strbuf wanted = STRBUF_INIT(1024);
    struct strbuf found = STRBUF_INIT(1024);

    describe(&wanted, there);
    if (here != NULL)
        describe(&found, here);
    if (sign == '!')
        importer_say(importer, sign, "domain %s: %s there, %s here",
                     there->name, strbuf_text(&wanted), strbuf_text(&found));
    else
        importer_say(importer, sign, "domain %s: %s", there->name,
                     strbuf_text(&wanted));
    strbuf_clear(&wanted);
    strbuf_clear(&found);
}

/* Keeps the limits that a domain gets when all is in it. */
static enum status keep_wanted(struct importer_domain *domain,
                               const struct store_domain *wanted,
                               struct errtext *err)
{
    store_domain_clear(&domain->wanted);
    domain->wanted = *wanted;
    domain->wanted.name_unicode = NULL;
    domain->wanted.name = strdup(wanted->name);
    domain->limits_wait = domain->wanted.name != NULL;
    return domain->limits_wait ? STATUS_OK : status_no_memory(err);
}

static enum status meet_domain(struct importer *importer,
                               struct importer_domain *domain,
                               const struct store_domain *wanted,
                               struct errtext *err)
{
    static const struct store_domain none = {.active = true};
    const struct store_domain *row = &domain->row;

    if (domain->limits_wait) {
        importer_say(importer, '!', "domain %s: it stands there twice",
                     wanted->name);
        return STATUS_OK;
    }
    if (same_limits(row, wanted) && row->active == wanted->active) {
        importer->same++;
        return STATUS_OK;
    }
    /* An import that was cut short has left it without. */
    if (same_limits(row, &none) && row->active) {
        say_domain(importer, '~', wanted, NULL);
        return keep_wanted(domain, wanted, err);
    }
    say_domain(importer, '!', wanted, row);
    return STATUS_OK;
}

/* Says and returns true if an alias domain has the name. */
static enum status check_name(struct importer *importer, const char *name,
                              struct errtext *err)
{
    char *target = NULL;
    enum status status =
        store_alias_domain_find(importer->tool->store, name,
                                tool_deadline(importer->tool), &target, err);

    if (status == STATUS_OK && target != NULL) {
        importer_say(importer, '!',
                     "domain %s: it is an alias domain of %s "
                     "here",
                     name, target);
        status = STATUS_DENIED;
    }
    free(target);
    return status;
}

static enum status make_domain(struct importer *importer,
                               const struct store_domain *wanted,
                               struct errtext *err)
{
    struct store_domain row = {.name = wanted->name,
                               .name_unicode = wanted->name_unicode,
                               .active = true};
    struct importer_domain *domain;
    enum status status = check_name(importer, wanted->name, err);

    if (status == STATUS_OK && !importer->plan_only)
        status =
            store_domain_add(importer->tool->store, &row, importer->tool->who,
                             tool_deadline(importer->tool), err);
    if (status == STATUS_DENIED)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    say_domain(importer, '+', wanted, NULL);
    domain = add_domain(importer, wanted->name);
    return domain != NULL ? keep_wanted(domain, wanted, err)
                          : status_no_memory(err);
}

enum status importer_domain(struct importer *importer,
                            const struct store_domain *wanted,
                            struct errtext *err)
{
    struct importer_domain *domain = NULL;
    enum status status =
        importer_find_domain(importer, wanted->name, &domain, err);

    if (status == STATUS_OK)
        return meet_domain(importer, domain, wanted, err);
    return status == STATUS_NOT_FOUND ? make_domain(importer, wanted, err)
                                      : status;
}

enum status importer_limits(struct importer *importer, struct errtext *err)
{
    enum status status = STATUS_OK;

    if (importer->plan_only)
        return STATUS_OK;
    for (struct importer_domain *domain = importer->domains;
         status == STATUS_OK && domain != NULL; domain = domain->hh.next) {
        static const struct store_domain none = {.active = true};

        if (!domain->limits_wait ||
            (same_limits(&domain->wanted, &none) && domain->wanted.active))
            continue;
        status =
            store_domain_edit(importer->tool->store, &domain->wanted,
                              LIMITS | STORE_DOMAIN_ACTIVE, importer->tool->who,
                              tool_deadline(importer->tool), err);
    }
    return status;
}

/* Makes it, or leaves it to the plan. STATUS_DENIED: the name is taken. */
static enum status make_alias_domain(struct importer *importer,
                                     const char *name, const char *target,
                                     struct errtext *err)
{
    char *name_unicode = NULL;
    enum status status = address_domain_unicode(name, &name_unicode, err);

    if (status == STATUS_OK && !importer->plan_only)
        status = store_alias_domain_add(
            importer->tool->store, name, name_unicode, target,
            importer->tool->who, tool_deadline(importer->tool), err);
    if (status == STATUS_OK)
        importer_say(importer, '+', "alias domain %s -> %s", name, target);
    free(name_unicode);
    return status;
}

enum status importer_alias_domain(struct importer *importer, const char *name,
                                  const char *target, struct errtext *err)
{
    char *found = NULL;
    enum status status = importer_has_domain(importer, name, err);

    if (status == STATUS_OK) {
        importer_say(importer, '!', "alias domain %s: it is a domain here",
                     name);
        return STATUS_OK;
    }
    if (status == STATUS_NOT_FOUND)
        status = importer_has_domain(importer, target, err);
    if (status == STATUS_NOT_FOUND) {
        importer_say(importer, '!',
                     "alias domain %s: its target %s is no domain here", name,
                     target);
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        status =
            store_alias_domain_find(importer->tool->store, name,
                                    tool_deadline(importer->tool), &found, err);
    if (status == STATUS_OK && found == NULL)
        status = make_alias_domain(importer, name, target, err);
    else if (status == STATUS_OK && strcmp(found, target) == 0)
        importer->same++;
    else if (status == STATUS_OK)
        importer_say(importer, '!', "alias domain %s: it leads to %s here",
                     name, found);
    free(found);
    return status == STATUS_DENIED || status == STATUS_NOT_FOUND
               ? STATUS_TEMPFAIL
               : status;
}
