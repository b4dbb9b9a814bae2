/* login_keys - see login_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "login_private.h"

#include "clock.h"
#include "secret.h"

#include <stdlib.h>
#include <string.h>

/* Whose keys they are: a mailbox of source local, by the name it has. */
static bool is_local_person(struct attempt *attempt)
{
    const struct account *account = &attempt->found.account;
    struct decision none = {LOGIN_REFUSED, "no_mailbox"};

    if (account->address == NULL) {
        attempt_decide(attempt, none);
        return false;
    }
    if (account->source != ACCOUNT_LOCAL || account->password == NULL)
        none.reason = "no_local_password";
    /* The program goes on with the name as typed. */
    else if (strcmp(account->address, attempt->name.text) != 0)
        none.reason = "not_canonical";
    else
        return true;
    attempt_decide(attempt, none);
    return false;
}

/* Decides whether the person has keys, and writes them. */
static void take_keys(struct attempt *attempt, char keys[PASSWORD_KEYS_BYTES])
{
    struct decision none = {LOGIN_REFUSED, "no_keys"};

    if (!is_local_person(attempt))
        return;
    if (password_scram_keys(attempt->found.account.password, keys) !=
        STATUS_OK) {
        attempt_decide(attempt, none);
        return;
    }
    attempt_pass_gates(attempt, &attempt->found.account);
}

/* Too many wrong passwords close this way in, too. */
static bool throttled(struct attempt *attempt)
{
    struct decision closed = {LOGIN_TEMPORARY, "throttled"};

    if (throttle_open(attempt->login->shared->throttle, attempt->name.text,
                      attempt->client, clock_ms()))
        return false;
    attempt_decide(attempt, closed);
    return true;
}

void login_by_keys(struct attempt *attempt)
{
    struct login_answer *answer = attempt->answer;
    const char *secret = attempt->login->settings->auth.keys_secret;
    char decoy[PASSWORD_KEYS_BYTES] = "";
    char keys[PASSWORD_KEYS_BYTES] = "";
    struct errtext err = {{0}};

    answer->how = "keys";
    if (throttled(attempt))
        return;
    /* Made for everybody, so that it takes no longer for those who need it. */
    if (secret == NULL || password_scram_decoy(secret, attempt->name.text,
                                               decoy, &err) != STATUS_OK) {
        attempt_no_answer(attempt, "no_answer", &err);
        return;
    }
    if (attempt->name.has_domain &&
        store_find(attempt->login->store, attempt->name.text,
                   attempt->request->deadline_ms, &attempt->found,
                   &err) != STATUS_OK) {
        attempt_no_answer(attempt, "store_no_answer", &err);
        goto out;
    }
    take_keys(attempt, keys);
    answer->address = strdup(attempt->name.text);
    answer->keys = strdup(answer->result == LOGIN_IN ? keys : decoy);
    if (answer->address == NULL || answer->keys == NULL) {
        secret_free(&answer->keys);
        attempt_decide(attempt,
                       (struct decision){LOGIN_TEMPORARY, "out_of_memory"});
    }
out:
    secret_wipe(keys, sizeof(keys));
    secret_wipe(decoy, sizeof(decoy));
}
