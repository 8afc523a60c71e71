/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Carries out a retention plan on the disk threads. What cannot be deleted stays in the index and
 * is left alone for a while that grows, so that a read-only or broken disk is not asked again and
 * again. Only where nothing else makes room for a capture it is asked soon.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/parse.h"
#include "lib/spool/state.h"

#define BARREN_MAX 3                   /* passes in a row that deleted nothing, before a rest */
#define SPACE_HOLD (30 * USEC_PER_SEC) /* file systems that free late do so within this */

bool pass_held(const struct spool *s)
{
    /* Not at the first, whatever it says: others may go, and one error may pass. */
    return s->barren_passes >= BARREN_MAX && spool_now_boot(s) < s->failed_last + REST_FIRST;
}

void pass_free(struct pass *p)
{
    if (!p)
        return;
    free(p->choices);
    free(p);
}

static void submit_more(struct spool *s);

static void log_deleted(const struct spool *s, const struct pass *p)
{
    static const struct log_fields retention = {.message_id = MESSAGE_ID_RETENTION};
    char size[PARSE_TEXT_SIZE], memory[256];
    struct buf causes;
    uint64_t n = 0;

    buf_over(&causes, memory, sizeof(memory));
    for (unsigned i = 0; i < RETENTION_CAUSES; i++) {
        if (p->deleted[i] > 0)
            (void)buf_addf(&causes, "%s%" PRIu64 " for %s", n > 0 ? ", " : "", p->deleted[i],
                           retention_cause_name((enum retention_cause)i));
        n += p->deleted[i];
    }
    if (n > 0)
        log_write(LOG_LEVEL_INFO, &retention, "deleted %" PRIu64 " traces, %s, from %s: %s", n,
                  format_size(p->deleted_bytes, size), s->tree.path, buf_str(&causes));
}

/*
 * Deleting frees nothing while another process has the file open, and some file systems (btrfs)
 * count the space as free only with their next commit. Deleting more and more until it shows would
 * take everything.
 */
static void check_space(struct spool *s, const struct pass *p)
{
    struct retention_facts after;

    if (p->freeing == 0 || reservation_facts(s, 0, 0, &after) < 0)
        return;
    if (reservation_headroom(&after) - p->headroom < (int64_t)(p->freeing / 2))
        s->space_hold_until = spool_now_boot(s) + SPACE_HOLD;
}

static void check_failures(struct spool *s, const struct pass *p, uint64_t n_deleted)
{
    static const struct log_fields storage = {.message_id = MESSAGE_ID_STORAGE};
    char rest[PARSE_TEXT_SIZE];

    if (p->failed == 0) {
        s->barren_passes = 0;
        if (s->failed_items == 0)
            s->failed_rounds = 0;
        if (s->delete_failing && s->failed_items == 0) {
            s->delete_failing = false;
            log_write(LOG_LEVEL_INFO, &storage, "traces in %s can be deleted again", s->tree.path);
        }
        return;
    }
    s->barren_passes = n_deleted > 0 ? 0 : s->barren_passes + 1;
    if (s->failed_items <= p->failed) /* else others rest: it is the same bad moment */
        s->failed_rounds++;
    s->failed_last = spool_now_boot(s);
    s->failed_retry = s->failed_last + spool_rest(s->failed_rounds - 1);
    if (!s->delete_failing)
        log_write(
            LOG_LEVEL_ERROR, &storage,
            "%u traces in %s cannot be deleted (%s); they will be tried again in %s, then less"
            " and less often, and count until they are gone",
            p->failed, s->tree.path, strerror(-p->error),
            format_duration(spool_rest(s->failed_rounds - 1), rest));
    s->delete_failing = true;
}

static void finish(struct spool *s)
{
    struct pass *p = s->pass;
    uint64_t n = 0;

    for (unsigned i = 0; i < RETENTION_CAUSES; i++) {
        n += p->deleted[i];
        s->deleted[i] += p->deleted[i];
    }
    s->dropped_unsent += p->pending_deleted;
    s->pass = NULL;
    log_deleted(s, p);
    check_space(s, p);
    check_failures(s, p, n);
    pass_free(p);
    spool_wake(s);
}

static void log_unsent(const struct spool *s, const struct pass_choice *c)
{
    struct log_fields fields = {.key = c->key, .message_id = MESSAGE_ID_DROPPED_UNSENT};

    log_write(LOG_LEVEL_WARN, &fields, "deleted %s from %s before it was uploaded, for %s", c->key,
              s->tree.path, retention_cause_name(c->cause));
}

static int run_removal(struct disk_job *job)
{
    const struct removal *m = (const struct removal *)job;
    const struct pass_choice *c = &m->spool->pass->choices[m->choice];

    return tree_remove(c->pending ? m->spool->tree.pending : m->spool->tree.archive, c->key);
}

/* A capture that began in its second may still be under way: see recent.h. */
static void remember(struct spool *s, const struct pass_choice *c)
{
    if (c->time + RECENT_AGE > spool_age_now(s))
        recent_add(&s->recent, c->key);
}

static void on_removed(struct disk_job *job, int r)
{
    struct removal *m = (struct removal *)job;
    struct spool *s = m->spool;
    struct pass *p = s->pass;
    const struct pass_choice *c = &p->choices[m->choice];
    size_t i;

    m->active = false;
    p->in_flight--;
    if (index_find(&s->kept, c->key, c->time, c->pending, &i)) {
        struct retention_item *item = &index_items(&s->kept)[i];

        item->busy = false;
        amending_kick(s);
        item->failed = r < 0;
        if (r >= 0) {
            remember(s, c);
            p->deleted[c->cause]++;
            p->deleted_bytes += c->bytes;
            p->freeing += c->cause == RETENTION_FREE_SPACE ? c->bytes : 0;
            if (c->pending) {
                p->pending_deleted++;
                log_unsent(s, c);
            }
            index_remove(&s->kept, i); /* frees the key */
        } else {
            s->failed_items++;
            p->failed++;
            p->error = r;
            if (c->pending)
                queue_now(s, i);
        }
    }
    submit_more(s);
    if (p->in_flight == 0)
        finish(s);
    spool_job_ended(s);
}

static void submit_more(struct spool *s)
{
    struct pass *p = s->pass;

    for (unsigned i = 0; i < PASS_REMOVALS && p->next < p->n && !s->closing; i++) {
        struct removal *m = &p->removals[i];

        if (m->active)
            continue;
        *m = (struct removal){
            .job = {.run = run_removal, .done = on_removed},
            .spool = s,
            .choice = p->next++,
            .active = true,
        };
        p->in_flight++;
        spool_submit(s, &m->job);
    }
}

int pass_start(struct spool *s, const struct retention_plan *plan,
               const struct retention_facts *facts, bool no_space)
{
    struct pass *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->choices = calloc(plan->n + 1, sizeof(*p->choices));
    if (!p->choices) {
        pass_free(p);
        return -ENOMEM;
    }
    p->headroom = reservation_headroom(facts);
    for (size_t i = 0; i < plan->n; i++) {
        struct retention_item *item = &index_items(&s->kept)[plan->choices[i].index];

        if (no_space && plan->choices[i].cause == RETENTION_FREE_SPACE)
            continue;
        item->busy = true;
        p->choices[p->n++] = (struct pass_choice){
            .key = index_key(&s->kept, plan->choices[i].index),
            .time = item->time,
            .bytes = item->bytes,
            .pending = item->pending,
            .cause = plan->choices[i].cause,
        };
    }
    if (p->n == 0) {
        pass_free(p);
        return 0;
    }
    s->pass = p;
    submit_more(s);
    return 1;
}

bool pass_retry_failed(struct spool *s, bool needed)
{
    struct retention_item *items = index_items(&s->kept);
    usec due = needed ? s->failed_last + REST_FIRST : s->failed_retry;

    /* During a pass `due` is that of an earlier one. */
    if (s->pass || s->failed_items == 0 || spool_now_boot(s) < due)
        return false;
    for (size_t i = 0; i < s->kept.n; i++)
        items[i].failed = false;
    s->failed_items = 0;
    return true;
}
