/* sync_run - the sequence of a run; see sync.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync.h"

#include "address.h"
#include "clock.h"
#include "tool.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define PLAN_BYTES_MAX ((size_t)256 * 1024) /* of what is withheld */
#define PLAN_LINE_BYTES_MAX 1024
#define WITHHELD_EVENT_SECONDS 86400 /* the same reason is told once a day */
#define RENEW_MS (STORE_LEASE_SECONDS * 1000 / 4)

static volatile sig_atomic_t stopped;

static void note_signal(int number)
{
    (void)number;
    stopped = 1;
}

bool sync_is_stopped(void)
{
    return stopped != 0;
}

void sync_stop_on_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal};

    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
}

int64_t sync_deadline(const struct sync *sync)
{
    return clock_ms() + sync->settings->store.timeout_ms;
}

enum status sync_tick(struct sync *sync, struct errtext *err)
{
    int64_t now_ms = clock_ms();

    if (sync_is_stopped()) {
        errtext_set(err, "stopped by a signal; the next run goes on");
        return STATUS_TEMPFAIL;
    }
    /* A batch has just renewed it. */
    if (sync->renewed_ms == 0)
        sync->renewed_ms = now_ms;
    if (sync->options->plan || now_ms - sync->renewed_ms < RENEW_MS)
        return STATUS_OK;
    sync->renewed_ms = now_ms;
    return store_lease_renew(sync->store, &sync->lease, sync_deadline(sync),
                             err);
}

/* A name for who has no id that can be used. */
static void name_of(const struct sync_refusal *refusal, char *out, size_t size)
{
    uint64_t digest = 14695981039346656037ULL;

    /* FNV-1a: it is to be the same in each run, and keeps nothing apart that
     * matters. */
    for (const char *p = refusal->dn; *p != '\0'; p++)
        digest = (digest ^ (unsigned char)*p) * 1099511628211ULL;
    (void)snprintf(out, size, "dn/%016" PRIx64, digest);
}

enum status sync_refuse(struct sync *sync, const struct sync_refusal *refusal,
                        struct errtext *err)
{
    char name[32];
    char reason[ERRTEXT_SIZE + SYNC_PROBLEM_BYTES] = "";
    struct store_event event = {
        .kind = refusal->update ? "update_refused" : "refused",
        .address = refusal->address,
        .reason = reason,
    };
    const char *id = refusal->id;

    sync->counts.refused++;
    sync_report_refusal(
        sync->report, refusal->address != NULL ? refusal->address : refusal->dn,
        refusal->code, refusal->sentence);
    if (sync->options->plan)
        return STATUS_OK;
    if (id == NULL) {
        name_of(refusal, name, sizeof(name));
        id = name;
    }
    if (!sync_people_problem(sync->people, id, refusal->print, refusal->code))
        return STATUS_OK;
    if (refusal->address != NULL)
        event.domain = address_domain_of(refusal->address);
    (void)snprintf(reason, sizeof(reason), "%s: %s", refusal->code,
                   refusal->sentence);
    return sync_tell(sync, &event, err);
}

void sync_withhold(struct sync *sync, const char *address, const char *what)
{
    sync->counts.withheld++;
    sync_report_withheld(sync->report, address, what);
    if (sync->plan.len < PLAN_BYTES_MAX - PLAN_LINE_BYTES_MAX)
        strbuf_appendf(&sync->plan, "- %.500s  %s\n", address, what);
}

/* Takes the lease and begins the run's row; a plan does neither. */
static enum status begin(struct sync *sync, struct errtext *err)
{
    char name[161];
    char holder[256];
    struct store_sync_run row = {
        .directory = sync->set->name, .kind = sync->kind, .host = sync->host};
    struct store_sync_note note = {.directory = sync->set->name,
                                   .started = strcmp(sync->kind, "full") == 0};
    enum status status = STATUS_OK;

    (void)snprintf(name, sizeof(name), "sync/%s", sync->set->name);
    (void)snprintf(holder, sizeof(holder), "%s process %ld", sync->host,
                   (long)getpid());
    if (!sync->options->plan)
        status = store_lease_take(sync->store, name, holder,
                                  sync_deadline(sync), &sync->lease, err);
    if (status == STATUS_OK)
        status = store_sync_state_read(sync->store, sync->set->name,
                                       sync_deadline(sync), &sync->state, err);
    if (status != STATUS_OK || sync->options->plan)
        return status;
    if (note.started)
        status = store_sync_note(sync->store, &sync->lease, &note,
                                 sync_deadline(sync), err);
    if (status == STATUS_OK)
        status = store_sync_run_begin(sync->store, &sync->lease, &row,
                                      sync_deadline(sync), &sync->run, err);
    return status;
}

void sync_find_settings(const struct directory_settings *set,
                        struct directory_settings *out)
{
    *out = *set;
    out->login_fields = (struct text_list){&out->username_field, 1};
    out->entry_ttl_ms = 0;
}

/* What is owned, and whose canary it is. */
static enum status prepare(struct sync *sync, struct errtext *err)
{
    const char *canary = sync->settings->sync.canary;
    enum status status;

    sync_find_settings(sync->set, &sync->find_set);
    status = directory_open(&sync->find_set, &sync->dir, err);
    if (status == STATUS_OK)
        status = sync_print_new(sync->settings, sync->set, &sync->print, err);
    if (status == STATUS_OK)
        status = roster_new(&sync->roster, err);
    if (status == STATUS_OK)
        status = sync_people_new(&sync->people, err);
    if (status == STATUS_OK)
        status = sync_spool_new(&sync->spool, err);
    if (status != STATUS_OK || canary[0] == '\0')
        return status;
    status = address_canonical(canary, &sync->canary, err);
    if (status == STATUS_OK)
        sync->has_canary =
            settings_directory_for(
                sync->settings, address_domain_of(sync->canary)) == sync->set;
    return status;
}

static void release(struct sync *sync)
{
    free(sync->canary);
    free(sync->cookie);
    free(sync->ones);
    sync_tell_free(sync);
    strbuf_clear(&sync->plan);
    sync_spool_free(&sync->spool);
    sync_domains_free(&sync->domains);
    sync_people_free(&sync->people);
    roster_free(&sync->roster);
    sync_print_free(&sync->print);
    store_sync_state_clear(&sync->state);
    directory_close(&sync->dir);
}

/* An event that removals were withheld, with the reason. */
enum status sync_tell_withheld(struct sync *sync, struct errtext *err)
{
    struct store_event event = {
        .kind = "withheld",
        .who = "sync",
        .run = sync->run,
        .directory = sync->set->name,
        .reason = sync->withheld.text,
    };

    if (sync->options->plan || sync->withheld.text[0] == '\0')
        return STATUS_OK;
    return store_sync_events_write(sync->store, &sync->lease, &event, 1,
                                   WITHHELD_EVENT_SECONDS, sync_deadline(sync),
                                   err);
}

/* All of a full run between its beginning and its end. */
static enum status run_full(struct sync *sync, struct errtext *err)
{
    enum status status = sync_load(sync, err);

    if (status == STATUS_OK)
        status = sync_cookie_now(sync, err);
    if (status == STATUS_OK)
        status = sync_read_all(sync, err);
    if (status == STATUS_OK)
        status = sync_judge(sync, err);
    if (status == STATUS_OK)
        status = sync_write_all(sync, err);
    if (status == STATUS_OK)
        status = sync_close_all(sync, err);
    if (status == STATUS_OK)
        status = sync_tell_withheld(sync, err);
    if (status == STATUS_OK)
        status = sync_remember(sync, err);
    if (status == STATUS_OK && sync->complete)
        status = sync_cookie_keep(sync, err);
    return status;
}

/* The exit code of a run that came to its end. */
static int code_of(const struct sync *sync)
{
    const struct sync_counts *counts = &sync->counts;

    if (counts->withheld > 0 || !sync->complete)
        return SYNC_EXIT_WITHHELD;
    if (sync->options->plan && counts->created + counts->changed +
                                       counts->renamed + counts->suspended >
                                   0)
        return SYNC_EXIT_CHANGES;
    return counts->refused > 0 ? SYNC_EXIT_REFUSED : EX_OK;
}

/*
 * Writes how it ended; what cannot be written any more is told on the spot.
 * false: the store does not answer.
 */
static bool end_row(struct sync *sync, int code, int64_t took_ms,
                    const char *reason)
{
    const struct sync_counts *counts = &sync->counts;
    struct errtext err = {{0}};
    struct store_sync_run row = {
        .id = sync->run,
        .exit_code = code,
        .seen = counts->seen,
        .created = counts->created,
        .changed = counts->changed,
        .renamed = counts->renamed,
        .suspended = counts->suspended,
        .refused = counts->refused,
        .unchanged = counts->unchanged,
        .skipped = counts->skipped,
        .withheld = counts->withheld,
        .ms = (uint64_t)took_ms,
        .reason = reason[0] != '\0' ? reason : NULL,
        .plan = sync->plan.len > 0 ? strbuf_text(&sync->plan) : NULL,
    };

    if (sync->run == 0 ||
        store_sync_run_end(sync->store, &row, sync_deadline(sync), &err) ==
            STATUS_OK)
        return true;
    tool_error("%s", err.text);
    return false;
}

/* What a status that ended the run stands for, with a message. */
static int fail(const struct sync *sync, enum status status,
                const struct errtext *err)
{
    tool_error("%s: %s", sync->set->name, err->text);
    return status == STATUS_INVALID && sync->run == 0 ? EX_CONFIG : EX_TEMPFAIL;
}

enum status sync_open(struct sync_frame *frame, const struct sync_call *call,
                      const char *kind)
{
    struct sync *sync = &frame->sync;
    enum status status;

    memset(frame, 0, sizeof(*frame));
    frame->began_ms = clock_ms();
    if (gethostname(frame->host, sizeof(frame->host) - 1) != 0)
        (void)snprintf(frame->host, sizeof(frame->host), "unknown");
    *sync = (struct sync){
        .store = call->store,
        .settings = call->settings,
        .set = call->set,
        .options = call->options,
        .report = call->report,
        .host = frame->host,
        .kind = kind,
        .plan = STRBUF_INIT(PLAN_BYTES_MAX),
    };
    sync_report_begin(sync->report, sync->set->name);
    status = prepare(sync, &frame->err);
    return status == STATUS_OK ? begin(sync, &frame->err) : status;
}

int sync_close(struct sync_frame *frame, enum status status)
{
    struct sync *sync = &frame->sync;
    int64_t took_ms = clock_ms() - frame->began_ms;
    const char *reason = "";
    int code =
        status == STATUS_OK ? code_of(sync) : fail(sync, status, &frame->err);

    if (status != STATUS_OK)
        reason = frame->err.text;
    else if (code == SYNC_EXIT_WITHHELD)
        reason = sync->withheld.text;
    if (end_row(sync, code, took_ms, reason) && sync->lease.epoch > 0)
        store_lease_release(sync->store, &sync->lease, sync_deadline(sync));
    sync_report_end(sync->report, &sync->counts, took_ms, code, reason);
    release(sync);
    return code;
}

void sync_drop(struct sync_frame *frame)
{
    struct sync *sync = &frame->sync;

    if (end_row(sync, EX_OK, clock_ms() - frame->began_ms, frame->err.text) &&
        sync->lease.epoch > 0)
        store_lease_release(sync->store, &sync->lease, sync_deadline(sync));
    release(sync);
}

int sync_run_full(const struct sync_call *call)
{
    struct sync_frame frame;
    enum status status = sync_open(&frame, call, "full");

    if (status == STATUS_OK)
        status = run_full(&frame.sync, &frame.err);
    return sync_close(&frame, status);
}
