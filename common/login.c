/* login - see login.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "login.h"

#include "clock.h"
#include "login_private.h"
#include "secret.h"

#include <stdlib.h>
#include <string.h>

/* How long closing may take to write the last logins. */
#define CLOSING_MS 2000

/* A bit beside the service in the key of a remembered login. */
#define REMEMBERED_LOCAL 0x100U

void login_answer_clear(struct login_answer *answer)
{
    free(answer->address);
    free(answer->directory);
    secret_free(&answer->keys);
    memset(answer, 0, sizeof(*answer));
}

static void close_directories(struct login *login)
{
    for (size_t i = 0; i < login->directory_count; i++) {
        struct login_directory *row = &login->directories[i];

        directory_close(&row->dir);
        (void)pthread_cond_destroy(&row->left);
        (void)pthread_mutex_destroy(&row->lock);
    }
    free(login->directories);
    login->directories = NULL;
    login->directory_count = 0;
}

void login_close(struct login **login)
{
    enum status ignored = STATUS_OK;
    struct errtext err = {{0}};

    if (*login == NULL)
        return;
    /* What the store does not take now is lost: seconds of last logins. */
    if ((*login)->notes != NULL && (*login)->store != NULL)
        ignored = login_write_behind(*login, clock_ms() + CLOSING_MS, &err);
    (void)ignored;
    close_directories(*login);
    login_behind_free(&(*login)->behind);
    login_notes_free(&(*login)->notes);
    store_close(&(*login)->store);
    free(*login);
    *login = NULL;
}

/* Places in one directory: always fewer than workers, at least one. */
static unsigned places(const struct auth_settings *auth)
{
    if (auth->directory_share > 0)
        return auth->directory_share;
    return auth->workers > 1 ? auth->workers - 1 : 1;
}

static enum status open_directories(struct login *login, struct errtext *err)
{
    const struct settings *settings = login->settings;
    pthread_condattr_t monotonic;

    login->directories =
        calloc(settings->directory_count + 1, sizeof(*login->directories));
    if (login->directories == NULL)
        return status_no_memory(err);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    for (size_t i = 0; i < settings->directory_count; i++) {
        struct login_directory *row = &login->directories[i];
        enum status status =
            directory_open(&settings->directories[i], &row->dir, err);

        if (status != STATUS_OK) {
            (void)pthread_condattr_destroy(&monotonic);
            return status;
        }
        row->set = &settings->directories[i];
        row->in_flight_max = places(&settings->auth);
        (void)pthread_mutex_init(&row->lock, NULL);
        (void)pthread_cond_init(&row->left, &monotonic);
        login->directory_count++;
    }
    (void)pthread_condattr_destroy(&monotonic);
    return STATUS_OK;
}

enum status login_open(const struct settings *settings,
                       const struct login_shared *shared,
                       struct login **login_r, struct errtext *err)
{
    struct login *login = calloc(1, sizeof(*login));
    enum status status;

    if (login == NULL)
        return status_no_memory(err);
    login->settings = settings;
    login->shared = shared;
    status = login_behind_new(&login->behind, err);
    if (status == STATUS_OK)
        status = login_notes_new(&login->notes, err);
    if (status == STATUS_OK)
        status = store_open(&settings->store, &login->store, err);
    if (status == STATUS_OK)
        status = open_directories(login, err);
    if (status != STATUS_OK) {
        login_close(&login);
        return status;
    }
    *login_r = login;
    return STATUS_OK;
}

void attempt_decide(struct attempt *attempt, struct decision decision)
{
    attempt->answer->result = decision.result;
    attempt->answer->reason = decision.reason;
}

void attempt_no_answer(struct attempt *attempt, const char *reason,
                       const struct errtext *err)
{
    attempt_decide(attempt, (struct decision){LOGIN_TEMPORARY, reason});
    attempt->answer->text = *err;
}

void attempt_pass_gates(struct attempt *attempt, const struct account *account)
{
    const struct store_domain *domain = &attempt->found.domain;

    if (attempt->request->provision) {
        attempt_decide(attempt, decision_delivery(domain->name != NULL,
                                                  domain->active, account));
        return;
    }
    attempt_decide(attempt, decision_gates(domain->name != NULL, domain->active,
                                           account, attempt->service));
}

void attempt_tell_memory(struct attempt *attempt, enum memory_outcome outcome)
{
    if (!attempt->asking)
        return;
    attempt->asking = false;
    memory_answered(attempt->login->shared->memory, attempt->name.text,
                    attempt->request->password, outcome, clock_ms());
}

/* Sets answer->address; out of memory is no answer. */
static void set_address(struct attempt *attempt, const char *address)
{
    struct login_answer *answer = attempt->answer;

    if (answer->address != NULL && strcmp(answer->address, address) == 0)
        return;
    free(answer->address);
    answer->address = strdup(address);
    if (answer->address == NULL)
        attempt_decide(attempt,
                       (struct decision){LOGIN_TEMPORARY, "out_of_memory"});
}

/* Step 1 and 2: what can be said without asking anybody. */
static bool name_is_good(struct attempt *attempt)
{
    const struct login_request *request = attempt->request;
    struct decision wrong = {LOGIN_WRONG, "empty_user"};
    struct errtext err = {{0}};
    enum status status;

    if (request->user[0] == '\0') {
        attempt_decide(attempt, wrong);
        return false;
    }
    if (request->password != NULL && request->password[0] == '\0') {
        wrong.reason = "empty_password";
        attempt_decide(attempt, wrong);
        return false;
    }
    status = address_login(request->user, request->realm, &attempt->name, &err);
    if (status == STATUS_OK)
        return true;
    wrong.reason = "malformed_user";
    if (status == STATUS_TEMPFAIL)
        attempt_no_answer(attempt, "out_of_memory", &err);
    else
        attempt_decide(attempt, wrong);
    attempt->answer->text = err;
    return false;
}

static bool is_app_password(const struct attempt *attempt)
{
    return attempt->request->password != NULL &&
           password_is_app(attempt->request->password);
}

/*
 * The key of a remembered login tells what verified it, so that a mailbox whose
 * source was switched is not entered with the other source's password.
 */
static unsigned remembered_as(const struct attempt *attempt,
                              enum account_source source)
{
    return attempt->service | (source == ACCOUNT_LOCAL ? REMEMBERED_LOCAL : 0);
}

/* True, with the mailbox read, if it is there and entered by this source. */
static bool still_there(struct attempt *attempt, enum account_source source,
                        const char *address)
{
    const struct account *account = &attempt->found.account;

    if (account->address == NULL || strcmp(account->address, address) != 0)
        return false;
    return account->source == source;
}

/*
 * Step 3. True if the login is remembered and the mailbox is still there: then
 * the gates decide. Otherwise the whole sequence does.
 */
static bool remembered_by(struct attempt *attempt, enum account_source source)
{
    struct login *login = attempt->login;
    char address[ADDRESS_BYTES_MAX + 1];
    struct errtext err = {{0}};

    if (!memory_verified(login->shared->memory, attempt->name.text,
                         remembered_as(attempt, source),
                         attempt->request->password, clock_ms(), address))
        return false;
    attempt->answer->how = "remembered";
    if (store_find(login->store, address, attempt->request->deadline_ms,
                   &attempt->found, &err) != STATUS_OK) {
        attempt_no_answer(attempt, "store_no_answer", &err);
        return true;
    }
    if (!still_there(attempt, source, address)) {
        store_found_clear(&attempt->found);
        return false;
    }
    attempt_pass_gates(attempt, &attempt->found.account);
    if (attempt->answer->result == LOGIN_IN)
        set_address(attempt, address);
    return true;
}

/*
 * An app password is looked up each time: its hash is quick, one that was
 * revoked or has expired is dead at once, and each use is seen.
 */
static bool remembered(struct attempt *attempt)
{
    if (is_app_password(attempt))
        return false;
    return remembered_by(attempt, ACCOUNT_LDAP) ||
           remembered_by(attempt, ACCOUNT_LOCAL);
}

/* Step 4. What the directory lately said of this very pair. */
static void ask_memory(struct attempt *attempt)
{
    switch (memory_ask(attempt->login->shared->memory, attempt->name.text,
                       attempt->request->password,
                       attempt->request->deadline_ms)) {
    case MEMORY_WRONG:
        attempt->known_wrong = true;
        break;
    case MEMORY_RIGHT:
        attempt->bind_shared = true;
        break;
    case MEMORY_NO_OUTCOME:
        attempt->asking = true;
        break;
    }
}

/* Step 5. True, with the attempt decided, after too many wrong passwords. */
static bool throttled(struct attempt *attempt)
{
    struct decision closed = {LOGIN_TEMPORARY, "throttled"};

    if (attempt->request->rehearse ||
        throttle_open(attempt->login->shared->throttle, attempt->name.text,
                      attempt->client, clock_ms()))
        return false;
    attempt_decide(attempt, closed);
    errtext_set(&attempt->answer->text, "too many wrong passwords");
    return true;
}

/* Step 7: an app password is never sent to a directory. */
static void by_app_password(struct attempt *attempt)
{
    struct login *login = attempt->login;
    const char *address = attempt->found.account.address;
    struct store_app_password *list = NULL;
    enum status status = STATUS_DENIED;
    struct errtext err = {{0}};
    size_t count = 0;

    attempt_tell_memory(attempt, MEMORY_NO_OUTCOME);
    attempt->answer->how = "app_password";
    if (address != NULL &&
        store_app_passwords(login->store, address,
                            attempt->request->deadline_ms, &list, &count,
                            &err) != STATUS_OK) {
        attempt_no_answer(attempt, "store_no_answer", &err);
        return;
    }
    for (size_t i = 0; i < count && status != STATUS_OK; i++) {
        enum status one = password_verify(login->shared->gate, list[i].hash,
                                          attempt->request->password,
                                          attempt->request->deadline_ms, &err);

        if (one == STATUS_OK && (list[i].services & attempt->service) == 0)
            one = STATUS_DENIED;
        if (one == STATUS_OK)
            attempt->app_password = list[i].id;
        if (one != STATUS_DENIED)
            status = one;
    }
    store_app_passwords_free(&list, count);
    attempt_decide(attempt, decision_password(status, DIRECTORY_BAD_PASSWORD));
    if (status == STATUS_TEMPFAIL)
        attempt_no_answer(attempt, "hash_unverifiable", &err);
    if (status == STATUS_OK)
        attempt_pass_gates(attempt, &attempt->found.account);
}

/* Step 8, local: the directory is never asked. */
static void by_local_hash(struct attempt *attempt)
{
    const char *hash = attempt->found.account.password;
    struct decision none = {LOGIN_REFUSED, "no_local_password"};
    struct errtext err = {{0}};
    enum status status;

    attempt_tell_memory(attempt, MEMORY_NO_OUTCOME);
    attempt->answer->how = "local";
    if (hash == NULL) {
        attempt_decide(attempt, none);
        return;
    }
    if (attempt->request->password == NULL)
        status = STATUS_OK;
    else
        status = password_verify(attempt->login->shared->gate, hash,
                                 attempt->request->password,
                                 attempt->request->deadline_ms, &err);
    attempt_decide(attempt, decision_password(status, DIRECTORY_BAD_PASSWORD));
    if (status == STATUS_TEMPFAIL)
        attempt_no_answer(attempt, "hash_unverifiable", &err);
    if (status == STATUS_OK)
        attempt_pass_gates(attempt, &attempt->found.account);
}

/*
 * The directory called this pair wrong a moment ago, and is not asked again. A
 * mailbox that became local since is another matter: its hash decides.
 */
static void by_known_wrong(struct attempt *attempt)
{
    struct decision wrong = {LOGIN_WRONG, "wrong_password"};

    attempt->answer->how = "remembered";
    attempt_decide(attempt, wrong);
}

static bool is_local(const struct attempt *attempt)
{
    return attempt->found.account.address != NULL &&
           attempt->found.account.source == ACCOUNT_LOCAL;
}

/* Steps 5 to 10, which set result and reason. */
static void ask(struct attempt *attempt)
{
    struct errtext err = {{0}};

    if (!attempt->known_wrong && throttled(attempt))
        return;
    if (attempt->name.has_domain &&
        store_find(attempt->login->store, attempt->name.text,
                   attempt->request->deadline_ms, &attempt->found,
                   &err) != STATUS_OK) {
        attempt_no_answer(attempt, "store_no_answer", &err);
        return;
    }
    if (attempt->known_wrong && !is_local(attempt)) {
        by_known_wrong(attempt);
        return;
    }
    if (attempt->known_wrong && throttled(attempt))
        return;
    if (is_app_password(attempt))
        by_app_password(attempt);
    else if (is_local(attempt))
        by_local_hash(attempt);
    else
        login_by_directory(attempt);
    if (attempt->answer->result == LOGIN_IN)
        set_address(attempt, attempt->found.account.address);
    else if (attempt->answer->result == LOGIN_WRONG &&
             !attempt->request->rehearse)
        throttle_failure(attempt->login->shared->throttle, attempt->name.text,
                         attempt->client, clock_ms());
}

/*
 * A door whose client keeps the typed name lets in only who typed what the
 * mailbox is called, but for case and Unicode form.
 */
static void check_canonical(struct attempt *attempt)
{
    struct login_answer *answer = attempt->answer;
    struct decision other = {LOGIN_REFUSED, "not_canonical"};

    if (answer->result != LOGIN_IN || !attempt->request->canonical_only ||
        strcmp(attempt->name.text, answer->address) == 0)
        return;
    attempt_decide(attempt, other);
    errtext_set(&answer->text, "at this door the login name must be %.200s",
                answer->address);
}

/*
 * Who was not let in is worth a line of history, if it is known whom it was
 * about: a name that nobody has is guessed by the thousand.
 */
static void note_failure(struct attempt *attempt)
{
    const struct login_answer *answer = attempt->answer;
    struct login_failure failure = {
        .address =
            answer->address != NULL ? answer->address : attempt->name.text,
        .directory = answer->directory,
        .result = login_result_name(answer->result),
        .reason = answer->reason,
        .service = account_service_name(attempt->service),
        .client = attempt->client,
        .known = attempt->found.account.address != NULL ||
                 (strcmp(answer->reason, "no_answer") != 0 &&
                  strcmp(answer->reason, "store_no_answer") != 0),
        .told = attempt->told,
    };

    if (attempt->found.domain.name == NULL &&
        strcmp(answer->reason, "store_no_answer") != 0)
        return;
    if (strcmp(answer->reason, "unknown_user") == 0 ||
        strchr(failure.address, '@') == NULL)
        return;
    login_notes_add(attempt->login->notes, &failure);
}

/* What a finished attempt leaves behind: memories, buckets, last login. */
static void remember(struct attempt *attempt)
{
    const struct login_shared *shared = attempt->login->shared;
    const struct login_answer *answer = attempt->answer;
    struct store_login seen = {
        .address = answer->address,
        .service = attempt->service,
        .client = attempt->client,
        .at = clock_wall_seconds(),
        .app_password = attempt->app_password,
    };

    if (answer->result != LOGIN_IN) {
        note_failure(attempt);
        return;
    }
    throttle_success(shared->throttle, attempt->name.text, attempt->client);
    login_behind_add(attempt->login->behind, &seen);
}

/*
 * Mail for somebody who may be known to the directory alone. A mailbox that is
 * there already is left as it is: a login brings it up to date.
 */
static void provide(struct attempt *attempt)
{
    struct decision bare = {LOGIN_REFUSED, "malformed_user"};
    struct errtext err = {{0}};

    if (!attempt->name.has_domain) {
        attempt_decide(attempt, bare);
        return;
    }
    if (store_find(attempt->login->store, attempt->name.text,
                   attempt->request->deadline_ms, &attempt->found,
                   &err) != STATUS_OK) {
        attempt_no_answer(attempt, "store_no_answer", &err);
        return;
    }
    if (attempt->found.account.address != NULL)
        attempt_pass_gates(attempt, &attempt->found.account);
    else
        login_by_directory(attempt);
    if (attempt->answer->result == LOGIN_IN)
        set_address(attempt, attempt->found.account.address);
    /* Nobody showed a password, so none was wrong. */
    if (attempt->answer->result == LOGIN_WRONG)
        attempt->answer->result = LOGIN_REFUSED;
}

static void run(struct attempt *attempt)
{
    const struct login_shared *shared = attempt->login->shared;

    if (!name_is_good(attempt))
        return;
    if (attempt->request->provision) {
        provide(attempt);
        return;
    }
    if (attempt->request->keys) {
        login_by_keys(attempt);
        return;
    }
    if (attempt->request->rehearse) {
        ask(attempt);
        check_canonical(attempt);
        return;
    }
    attempt->epoch = memory_epoch(shared->memory);
    if (!remembered(attempt)) {
        ask_memory(attempt);
        ask(attempt);
        if (attempt->answer->result == LOGIN_IN && attempt->app_password == 0)
            memory_verify(shared->memory, attempt->name.text,
                          remembered_as(attempt, attempt->found.account.source),
                          attempt->request->password, attempt->answer->address,
                          clock_ms(), attempt->epoch);
    }
    check_canonical(attempt);
    remember(attempt);
}

void login_attempt(struct login *login, const struct login_request *request,
                   struct login_answer *answer_r)
{
    struct attempt attempt = {
        .login = login, .request = request, .answer = answer_r};

    *answer_r = (struct login_answer){
        .result = LOGIN_TEMPORARY, .reason = "internal", .made = "", .how = ""};
    attempt.service = account_service(request->service);
    throttle_client(request->client, attempt.client, sizeof(attempt.client));
    run(&attempt);
    attempt_tell_memory(&attempt, MEMORY_NO_OUTCOME);
    store_found_clear(&attempt.found);
    free(attempt.name.text);
}

size_t login_directory_count(const struct login *login)
{
    return login->directory_count;
}

struct directory *login_directory(struct login *login, size_t index)
{
    return login->directories[index].dir;
}

struct store *login_store(struct login *login)
{
    return login->store;
}

size_t login_flush(struct login *login, const char *user)
{
    size_t count = memory_flush(login->shared->memory, user) +
                   throttle_flush(login->shared->throttle, user);

    for (size_t i = 0; i < login->directory_count; i++)
        count += directory_forget(login->directories[i].dir, user);
    return count;
}

enum status login_write_behind(struct login *login, int64_t deadline_ms,
                               struct errtext *err)
{
    enum status status =
        login_behind_write(login->behind, login->store, deadline_ms, err);

    if (status == STATUS_OK)
        status =
            login_notes_write(login->notes, login->store, deadline_ms, err);
    return status;
}
