/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/pass.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/parse.h"

/* Disk jobs in flight at once; so few that a publication does not wait for the whole pass. */
#define PASS_REMOVALS 16
#define BARREN_MAX 3 /* passes in a row in which every deletion failed, before deletions rest */
/* A file system that frees space late has done so after this time. */
#define SPACE_HOLD (30 * USEC_PER_SEC)

struct removal {
    struct disk_job job;
    struct pass *pass;
    size_t choice; /* index into the run's choices */
    bool active;
};

struct choice {
    const char *key; /* borrowed from the index, which keeps it: nobody else removes a busy item */
    usec time;
    uint64_t bytes;
    bool pending;
    enum retention_cause cause;
};

struct pass_run {
    struct choice *choices;
    size_t n, next;
    unsigned in_flight;
    struct removal removals[PASS_REMOVALS];
    uint64_t deleted[RETENTION_CAUSES];
    uint64_t deleted_bytes, pending_deleted;
    uint64_t freeing; /* bytes that were deleted to keep min_free */
    int64_t headroom; /* before the run */
    unsigned failed;
    int error; /* of the last failure */
};

void pass_init(struct pass *p, struct core *core, struct items *items, const struct facts *facts,
               struct expiry *expiry, struct queue *queue)
{
    *p = (struct pass){
        .core = core, .items = items, .facts = facts, .expiry = expiry, .queue = queue};
}

static void run_free(struct pass_run *run)
{
    if (!run)
        return;
    free(run->choices);
    free(run);
}

void pass_done(struct pass *p)
{
    run_free(p->run);
    p->run = NULL;
}

bool pass_running(const struct pass *p)
{
    return p->run != NULL;
}

bool pass_held(const struct pass *p)
{
    /* One failed pass is not enough, whatever the error: other traces may still be deletable, and
     * the error may pass. */
    return p->barren >= BARREN_MAX && core_now(p->core) < p->failed_last + CORE_REST_FIRST;
}

bool pass_space_held(const struct pass *p)
{
    return core_now(p->core) < p->space_hold_until;
}

static void log_deleted(const struct pass *p, const struct pass_run *run)
{
    static const struct log_fields retention = {.message_id = MESSAGE_ID_RETENTION};
    char size[PARSE_TEXT_SIZE], memory[256];
    struct buf causes;
    uint64_t n = 0;

    buf_over(&causes, memory, sizeof(memory));
    for (unsigned i = 0; i < RETENTION_CAUSES; i++) {
        if (run->deleted[i] > 0)
            (void)buf_addf(&causes, "%s%" PRIu64 " for %s", n > 0 ? ", " : "", run->deleted[i],
                           retention_cause_name((enum retention_cause)i));
        n += run->deleted[i];
    }
    if (n > 0)
        log_write(LOG_LEVEL_INFO, &retention, "deleted %" PRIu64 " trace%s, %s, from %s: %s", n,
                  n == 1 ? "" : "s", format_size(run->deleted_bytes, size), p->core->tree.path,
                  buf_str(&causes));
}

/*
 * Deleting a file frees no space while another process has it open, and some file systems (btrfs)
 * count the space as free only after their next commit. To delete on until free space rises would
 * delete every trace. So if it did not rise as expected, nothing is deleted for it during
 * SPACE_HOLD.
 */
static void check_space(struct pass *p, const struct pass_run *run)
{
    struct retention_facts after;

    if (run->freeing == 0 || facts_exactly(p->facts, 0, 0, &after) < 0)
        return;
    if (facts_headroom(&after) - run->headroom < (int64_t)(run->freeing / 2))
        p->space_hold_until = core_now(p->core) + SPACE_HOLD;
}

static const struct log_fields storage = {.message_id = MESSAGE_ID_STORAGE};

static void check_success(struct pass *p)
{
    p->barren = 0;
    if (p->failed_items > 0)
        return;
    p->rounds = 0;
    if (p->failing)
        log_write(LOG_LEVEL_INFO, &storage, "traces in %s can be deleted again",
                  p->core->tree.path);
    p->failing = false;
}

static void check_failures(struct pass *p, const struct pass_run *run, uint64_t n_deleted)
{
    char rest[PARSE_TEXT_SIZE];

    p->barren = n_deleted > 0 ? 0 : p->barren + 1;
    /* If other items failed earlier and still rest, this counts as the same round. */
    if (p->failed_items <= run->failed)
        p->rounds++;
    p->failed_last = core_now(p->core);
    p->failed_retry = p->failed_last + core_rest(p->rounds - 1);
    if (!p->failing)
        log_write(
            LOG_LEVEL_ERROR, &storage,
            "%u traces in %s cannot be deleted (%s); they will be tried again in %s, then less"
            " and less often, and count until they are gone",
            run->failed, p->core->tree.path, strerror(-run->error),
            format_duration(core_rest(p->rounds - 1), rest));
    p->failing = true;
}

static void finish(struct pass *p)
{
    struct pass_run *run = p->run;
    uint64_t n = 0;

    for (unsigned i = 0; i < RETENTION_CAUSES; i++) {
        n += run->deleted[i];
        p->deleted[i] += run->deleted[i];
    }
    p->dropped_unsent += run->pending_deleted;
    p->run = NULL;
    log_deleted(p, run);
    check_space(p, run);
    if (run->failed > 0)
        check_failures(p, run, n);
    else
        check_success(p);
    expiry_set_retry(p->expiry, EXPIRY_TRACES, p->failed_items > 0 ? p->failed_retry : USEC_NEVER);
    run_free(run);
    core_wake(p->core);
}

static void log_unsent(const struct pass *p, const struct choice *c)
{
    struct log_fields fields = {.key = c->key, .message_id = MESSAGE_ID_DROPPED_UNSENT};

    log_write(LOG_LEVEL_WARN, &fields, "deleted %s from %s before it was uploaded, for %s", c->key,
              p->core->tree.path, retention_cause_name(c->cause));
}

static int run_removal(struct disk_job *job)
{
    const struct removal *m = (const struct removal *)job;
    const struct choice *c = &m->pass->run->choices[m->choice];
    const struct tree *tree = &m->pass->core->tree;

    return tree_remove(c->pending ? tree->pending : tree->archive, c->key);
}

static void deleted(struct pass *p, const struct choice *c, size_t at)
{
    struct pass_run *run = p->run;

    /* A capture that began in the same second may still be under way: see recent.h. */
    if (c->time + RECENT_AGE > core_age_now(p->core))
        recent_add(&p->items->recent, c->key);
    run->deleted[c->cause]++;
    run->deleted_bytes += c->bytes;
    run->freeing += c->cause == RETENTION_FREE_SPACE ? c->bytes : 0;
    if (c->pending) {
        run->pending_deleted++;
        log_unsent(p, c);
    }
    index_remove(&p->items->index, at); /* frees the key */
}

static void not_deleted(struct pass *p, const struct choice *c, size_t at, int r)
{
    items_at(p->items, at)->failed = true;
    p->failed_items++;
    p->run->failed++;
    p->run->error = r;
    if (c->pending)
        queue_now(p->queue, at);
}

static void submit_more(struct pass *p);

static void on_removed(struct disk_job *job, int r)
{
    struct removal *m = (struct removal *)job;
    struct pass *p = m->pass;
    struct core *core = p->core;
    const struct choice *c = &p->run->choices[m->choice];
    size_t at;

    m->active = false;
    p->run->in_flight--;
    if (index_find(&p->items->index, c->key, c->time, c->pending, &at)) {
        items_idle(p->items, at);
        if (r >= 0)
            deleted(p, c, at);
        else
            not_deleted(p, c, at, r);
    }
    submit_more(p);
    if (p->run->in_flight == 0)
        finish(p);
    core_job_ended(core);
}

static void submit_more(struct pass *p)
{
    struct pass_run *run = p->run;

    for (unsigned i = 0; i < PASS_REMOVALS && run->next < run->n && !p->core->closing; i++) {
        struct removal *m = &run->removals[i];

        if (m->active)
            continue;
        *m = (struct removal){
            .job = {.run = run_removal, .done = on_removed},
            .pass = p,
            .choice = run->next++,
            .active = true,
        };
        run->in_flight++;
        core_submit(p->core, &m->job);
    }
}

static struct pass_run *run_new(size_t most)
{
    struct pass_run *run = calloc(1, sizeof(*run));

    if (!run)
        return NULL;
    run->choices = calloc(most + 1, sizeof(*run->choices));
    if (!run->choices) {
        run_free(run);
        return NULL;
    }
    return run;
}

static void choose(struct pass *p, struct pass_run *run, const struct retention_choice *choice)
{
    struct retention_item *item = items_at(p->items, choice->index);

    item->busy = true;
    run->choices[run->n++] = (struct choice){
        .key = index_key(&p->items->index, choice->index),
        .time = item->time,
        .bytes = item->bytes,
        .pending = item->pending,
        .cause = choice->cause,
    };
}

int pass_start(struct pass *p, const struct retention_plan *plan,
               const struct retention_facts *facts, bool no_space)
{
    struct pass_run *run = run_new(plan->n);

    if (!run)
        return -ENOMEM;
    run->headroom = facts_headroom(facts);
    for (size_t i = 0; i < plan->n; i++) {
        if (!no_space || plan->choices[i].cause != RETENTION_FREE_SPACE)
            choose(p, run, &plan->choices[i]);
    }
    if (run->n == 0) {
        run_free(run);
        return 0;
    }
    p->run = run;
    expiry_set_retry(p->expiry, EXPIRY_TRACES, USEC_NEVER); /* finish() sets it again */
    submit_more(p);
    return 1;
}

bool pass_retry_failed(struct pass *p, bool needed)
{
    struct index *ix = &p->items->index;
    struct retention_item *items = index_items(ix);
    usec due = needed ? p->failed_last + CORE_REST_FIRST : p->failed_retry;

    /* During a pass, `due` is still from an earlier pass. */
    if (p->run || p->failed_items == 0 || core_now(p->core) < due)
        return false;
    for (size_t i = 0; i < ix->n; i++)
        items[i].failed = false;
    p->failed_items = 0;
    expiry_set_retry(p->expiry, EXPIRY_TRACES, USEC_NEVER);
    return true;
}
