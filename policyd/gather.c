/* gather - see gather.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "gather.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gathering_init(struct gathering *gathering)
{
    gathering->facts =
        (struct verdict_facts){.recipient = "", .login = "", .sender = ""};
    gathering->login_domain = NULL;
    gathering->last_domain = NULL;
    gathering->recipient_ours = false;
    gathering->err.text[0] = '\0';
    gathering->open = false;
    gathering->held = gathering->few_held;
    gathering->held_count = 0;
    gathering->targets = gathering->few_targets;
    gathering->domain_count = 0;
}

void gathering_clear(struct gathering *gathering)
{
    for (size_t i = 0; i < gathering->held_count; i++)
        fact_release(&gathering->held[i]);
    if (gathering->held != gathering->few_held)
        free(gathering->held);
    if (gathering->targets != gathering->few_targets)
        free(gathering->targets);
    gathering_init(gathering);
}

/*
 * Makes room for one more in an array that starts as few and is then owned; it
 * grows when count is a power of two. False without memory.
 */
static bool grow(void **array, void *few, size_t count, size_t size)
{
    void *grown;

    if (count < GATHER_HELD_FEW || (count & (count - 1)) != 0)
        return true;
    grown = *array == few ? malloc(2 * count * size)
                          : realloc(*array, 2 * count * size);
    if (grown == NULL)
        return false;
    if (*array == few)
        memcpy(grown, few, count * size);
    *array = grown;
    return true;
}

/* Keeps a fact until the end; without memory it is let go: false. */
static bool hold(struct gathering *gathering, struct fact *fact)
{
    void *array = gathering->held;

    if (!grow(&array, gathering->few_held, gathering->held_count,
              sizeof(struct fact *))) {
        fact_release(&fact);
        errtext_set(&gathering->err, "out of memory");
        return false;
    }
    gathering->held = array;
    gathering->held[gathering->held_count++] = fact;
    return true;
}

/* Notes how a look-up went; true if there is a fact. */
static bool told(struct gathering *gathering, enum status status,
                 unsigned needs)
{
    if (status == STATUS_OK)
        return true;
    if (status == STATUS_NOT_FOUND)
        gathering->open = true;
    else
        gathering->facts.missing |= needs;
    return false;
}

/*
 * The domain of a name; NULL: nobody told. Held by the gathering. Login, sender
 * and recipient are often of one domain, which is then looked up once.
 */
static const struct store_policy_domain *
domain_of(struct gathering *gathering, const char *name, unsigned needs)
{
    struct domain_fact *fact = NULL;
    size_t len = strlen(name);
    enum status status;

    if (gathering->last_domain != NULL &&
        strcmp(gathering->last_domain_name, name) == 0)
        return gathering->last_domain;
    status = lookup_domain(gathering->world->lookup, name, &gathering->when,
                           &fact, &gathering->err);
    if (!told(gathering, status, needs))
        return NULL;
    if (!hold(gathering, &fact->head)) {
        gathering->facts.missing |= needs;
        return NULL;
    }
    if (len <= ADDRESS_DOMAIN_BYTES_MAX) {
        memcpy(gathering->last_domain_name, name, len + 1);
        gathering->last_domain = &fact->domain;
    }
    return &fact->domain;
}

/* A login that is no address is taken as it is, and has no mailbox. */
static void take_login_as_it_is(struct gathering *gathering)
{
    const char *typed = gathering->request->sasl_username;
    size_t len = 0;

    while (len < ADDRESS_BYTES_MAX && typed[len] != '\0') {
        gathering->login[len] = typed[len];
        len++;
    }
    gathering->login[len] = '\0';
}

/* The mailbox of the login, under its own name. */
static void gather_login(struct gathering *gathering)
{
    const unsigned needs = VERDICT_LOGIN | VERDICT_SENDER;
    const struct store_policy_domain *domain;
    struct login_fact *fact = NULL;
    struct errtext ignored;
    struct name name;
    struct name moved;
    enum status status =
        name_read(gathering->request->sasl_username, &name, &ignored);

    gathering->facts.login = gathering->login;
    take_login_as_it_is(gathering);
    if (status == STATUS_TEMPFAIL)
        gathering->facts.missing |= needs;
    if (status != STATUS_OK || !name.fit)
        return;
    memcpy(gathering->login, name.text, strlen(name.text) + 1);
    domain = domain_of(gathering, name_domain(&name), needs);
    if (domain == NULL || domain->name == NULL ||
        !name_in_domain(&name, domain->name, &moved))
        return;
    gathering->login_domain = domain;
    memcpy(gathering->login, moved.text, strlen(moved.text) + 1);
    status = lookup_login(gathering->world->lookup, gathering->login,
                          &gathering->when, &fact, &gathering->err);
    if (!told(gathering, status, VERDICT_LOGIN))
        return;
    if (!hold(gathering, &fact->head))
        gathering->facts.missing |= VERDICT_LOGIN;
    else if (fact->mailbox.address != NULL)
        gathering->facts.login_mailbox = &fact->mailbox;
}

/* Whether the sender address is the login's. */
static void gather_sender(struct gathering *gathering)
{
    const struct store_policy_domain *domain;
    struct sender_fact *fact = NULL;
    struct errtext ignored;
    struct name name;
    struct name moved;
    enum status status = name_read(gathering->request->sender, &name, &ignored);

    gathering->facts.sender = gathering->request->sender;
    if (status == STATUS_TEMPFAIL)
        gathering->facts.missing |= VERDICT_SENDER;
    /* What is no address is nobody's. */
    if (status != STATUS_OK || gathering->facts.sender[0] == '\0')
        return;
    /* Most people send as themselves: there is nothing to look up. */
    if (name.fit && strcmp(name.text, gathering->login) == 0) {
        gathering->facts.sender_own = true;
        return;
    }
    domain = domain_of(gathering, name_domain(&name), VERDICT_SENDER);
    if (domain == NULL)
        return;
    if (domain->name != NULL && name_in_domain(&name, domain->name, &moved))
        name = moved;
    status = lookup_sender(gathering->world->lookup, gathering->login, &name,
                           &gathering->when, &fact, &gathering->err);
    if (!told(gathering, status, VERDICT_SENDER))
        return;
    gathering->facts.sender_own = fact->own;
    if (!hold(gathering, &fact->head))
        gathering->facts.missing |= VERDICT_SENDER;
}

/* How much a domain holds and may hold; NULL: no limit, or nobody told. */
static const struct verdict_domain *
measure(struct gathering *gathering, const struct store_policy_domain *domain)
{
    struct verdict_domain *row;
    uint64_t bytes = 0;
    enum status status = STATUS_OK;

    if (domain == NULL || domain->name == NULL || domain->max_usage_bytes == 0)
        return NULL;
    for (size_t i = 0; i < gathering->domain_count; i++) {
        if (strcmp(gathering->few_domains[i].name, domain->name) == 0)
            return &gathering->few_domains[i];
    }
    if (gathering->domain_count == GATHER_HELD_FEW) {
        gathering->facts.incomplete = true;
        return NULL;
    }
    if (gathering->when.may_wait)
        status =
            usage_get(gathering->world->usage, domain->name,
                      gathering->when.deadline_ms, &bytes, &gathering->err);
    else if (!usage_peek(gathering->world->usage, domain->name,
                         gathering->when.now_ms, &bytes))
        status = STATUS_NOT_FOUND;
    if (!told(gathering, status, VERDICT_USAGE))
        return NULL;
    row = &gathering->few_domains[gathering->domain_count++];
    *row = (struct verdict_domain){.name = domain->name,
                                   .limit_bytes = domain->max_usage_bytes,
                                   .used_bytes = bytes};
    return row;
}

/* The domain a mailbox is in; home is that of the recipient. */
static const struct store_policy_domain *
domain_of_mailbox(struct gathering *gathering,
                  const struct store_policy_mailbox *mailbox,
                  const struct store_policy_domain *home)
{
    const char *name = address_domain_of(mailbox->address);

    return strcmp(name, home->name) == 0
               ? home
               : domain_of(gathering, name, VERDICT_USAGE);
}

/* Adds one mailbox, which is at home unless the expansion leads elsewhere. */
static void add_target(struct gathering *gathering,
                       const struct store_policy_mailbox *mailbox,
                       bool elsewhere, const struct store_policy_domain *home)
{
    struct verdict_facts *facts = &gathering->facts;
    const struct store_policy_domain *domain = home;
    void *array = gathering->targets;

    if (!grow(&array, gathering->few_targets, facts->target_count,
              sizeof(struct verdict_target))) {
        facts->missing |= VERDICT_RECIPIENT;
        return;
    }
    gathering->targets = array;
    facts->targets = gathering->targets;
    if ((gathering->needs & VERDICT_USAGE) == 0)
        domain = NULL;
    else if (elsewhere)
        domain = domain_of_mailbox(gathering, mailbox, home);
    gathering->targets[facts->target_count++] = (struct verdict_target){
        .mailbox = mailbox, .domain = measure(gathering, domain)};
}

/* Where one recipient in a domain of ours ends; NULL: nobody told. */
static const struct recipient_fact *
gather_expansion(struct gathering *gathering, const struct name *name)
{
    struct recipient_fact *fact = NULL;
    enum status status =
        lookup_recipient(gathering->world->lookup, name, &gathering->when,
                         &fact, &gathering->err);

    if (!told(gathering, status, VERDICT_RECIPIENT))
        return NULL;
    if (hold(gathering, &fact->head))
        return fact;
    gathering->facts.missing |= VERDICT_RECIPIENT;
    return NULL;
}

static void add_targets(struct gathering *gathering,
                        const struct expansion *expansion,
                        const struct store_policy_domain *home)
{
    for (size_t i = 0; i < expansion->count; i++)
        add_target(gathering, &expansion->mailboxes[i], expansion->elsewhere,
                   home);
    if (expansion->incomplete)
        gathering->facts.incomplete = true;
}

static void clear_nothing(struct fact *fact)
{
    (void)fact;
}

/* authd's no is the same fact for everybody. */
static struct fact said_no = {.holders = 1, .clear = clear_nothing};

/* Asks authd about somebody whom the tables do not know. */
static enum verdict_provision ask_authd(struct gathering *gathering,
                                        const struct name *name)
{
    const struct gather_world *world = gathering->world;
    enum verdict_provision answer;
    struct fact *no = fact_table_find(world->unknown, ACCOUNTS_RECIPIENT,
                                      name->text, gathering->when.now_ms);

    if (no != NULL) {
        fact_release(&no);
        return PROVISION_UNKNOWN;
    }
    if (gathering->rehearse)
        return PROVISION_NOT_ASKED;
    if (!gathering->when.may_wait) {
        gathering->open = true;
        return PROVISION_NOT_ASKED;
    }
    answer = world->provision(world->context, name->text,
                              gathering->when.deadline_ms);
    if (answer == PROVISION_UNKNOWN)
        fact_table_add(world->unknown, ACCOUNTS_RECIPIENT, name->text, &said_no,
                       clock_ms());
    return answer;
}

/* Lets somebody unknown be made; returns where their mail ends then. */
static const struct recipient_fact *provide(struct gathering *gathering,
                                            const struct recipient_fact *fact)
{
    struct name name = gathering->recipient;
    struct name base;

    if (fact == NULL || fact->expansion.known ||
        (gathering->needs & VERDICT_PROVISION) == 0)
        return fact;
    if (name_without_extension(&name, gathering->world->delimiters, &base))
        name = base;
    if (!name.fit)
        return fact;
    gathering->facts.provision = ask_authd(gathering, &name);
    if (gathering->facts.provision == PROVISION_NO_ANSWER)
        gathering->facts.missing |= VERDICT_PROVISION;
    if (gathering->facts.provision != PROVISION_MADE)
        return fact;
    lookup_forget(gathering->world->lookup, &gathering->recipient);
    lookup_forget(gathering->world->lookup, &name);
    return gather_expansion(gathering, &gathering->recipient);
}

/* One recipient as the client wrote it, at RCPT or alone at the end. */
static void gather_recipient(struct gathering *gathering, const char *typed)
{
    const unsigned needs =
        VERDICT_RECIPIENT | VERDICT_USAGE | VERDICT_PROVISION;
    const struct store_policy_domain *domain;
    const struct recipient_fact *fact;
    struct errtext ignored;
    struct name name;
    enum status status = name_read(typed, &name, &ignored);

    if (status == STATUS_TEMPFAIL)
        gathering->facts.missing |= needs;
    if (status != STATUS_OK)
        return;
    domain = domain_of(gathering, name_domain(&name), needs);
    if (domain == NULL || domain->name == NULL ||
        !name_in_domain(&name, domain->name, &gathering->recipient))
        return;
    gathering->recipient_ours = true;
    gathering->facts.recipient = gathering->recipient.text;
    if (!domain->active) {
        gathering->facts.domain_off = domain->name;
        return;
    }
    fact = gather_expansion(gathering, &gathering->recipient);
    if (gathering->facts.state == VERDICT_RCPT)
        fact = provide(gathering, fact);
    if (fact != NULL)
        add_targets(gathering, &fact->expansion, domain);
}

/* One recipient that was canonical at RCPT already. */
static void gather_remembered(struct gathering *gathering, const char *text)
{
    const struct store_policy_domain *domain;
    const struct recipient_fact *fact;
    struct name name = {.fit = text[0] != ' '};

    (void)snprintf(name.text, sizeof(name.text), "%s",
                   name.fit ? text : text + 1);
    name.local_len = (size_t)(address_domain_of(name.text) - name.text) - 1;
    domain = domain_of(gathering, name_domain(&name),
                       VERDICT_RECIPIENT | VERDICT_USAGE);
    if (domain == NULL || domain->name == NULL)
        return;
    fact = gather_expansion(gathering, &name);
    if (fact != NULL)
        add_targets(gathering, &fact->expansion, domain);
}

/* All recipients of the message that were let in at RCPT. */
static void gather_instance(struct gathering *gathering)
{
    struct instance_recipients known;
    const char *text;

    instance_find(gathering->world->instances, gathering->request->instance,
                  gathering->when.now_ms, &known);
    text = known.text;
    for (size_t i = 0; i < known.count && !gathering->open; i++) {
        gather_remembered(gathering, text);
        text += strlen(text) + 1;
    }
    /* Also after a restart between two recipients, or one without an answer. */
    if (known.incomplete || known.seen < gathering->request->recipient_count)
        gathering->facts.incomplete = true;
    instance_recipients_clear(&known);
}

bool gather(struct gathering *gathering)
{
    const struct policy_request *request = gathering->request;
    unsigned needs = gathering->needs;

    gathering->facts.state = verdict_state_from(request->state);
    gathering->facts.size = request->size;
    gathering->facts.tls = request->tls;
    if (gathering->facts.state == VERDICT_RCPT &&
        (needs & VERDICT_RECIPIENT) != 0)
        lookup_expect(gathering->world->lookup, request->sasl_username,
                      request->recipient);
    if (request->sasl_username[0] != '\0' &&
        (needs & (VERDICT_LOGIN | VERDICT_SENDER)) != 0) {
        gather_login(gathering);
        if ((needs & VERDICT_SENDER) != 0 && !gathering->open)
            gather_sender(gathering);
    }
    if (gathering->open || (needs & VERDICT_RECIPIENT) == 0)
        return !gathering->open;
    if (request->recipient[0] != '\0')
        gather_recipient(gathering, request->recipient);
    else if (gathering->facts.state == VERDICT_END)
        gather_instance(gathering);
    return !gathering->open;
}
