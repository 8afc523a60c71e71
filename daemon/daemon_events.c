/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/memory.h"
#include "daemon/artifact/artifacts.h"
#include "daemon/daemon_state.h"
#include "lib/config/group.h"

/* The least time between two calls that give memory back: each costs about ten microseconds per
 * MiB. */
#define TRIM_PAUSE (10 * USEC_PER_SEC)

/* With --once every failure is logged, even one that would usually pass before the next capture. */
static void say_not_captured(const struct pipeline_end *end)
{
    const struct target *t = end->target;
    const char *shown = target_shown(end->lane);

    if (end->lane->state == end->outcome)
        return; /* the pipeline has logged it */
    log_write(LOG_LEVEL_WARN,
              &(struct log_fields){
                  .service = t->service, .target = shown, .result = outcome_name(end->outcome)},
              "no %s of %s: %s: %s%s", end->lane->artifact->noun, shown, outcome_name(end->outcome),
              end->text, outcome_hint(end->outcome));
}

static void once_finished(struct daemon *d, const struct pipeline_end *end)
{
    if (!outcome_published(end->outcome) && !outcome_absent(end->outcome)) {
        d->once_failed = true;
        say_not_captured(end);
    }
    if (d->once_left > 0 && --d->once_left == 0 && d->stage == STAGE_RUNNING)
        daemon_stop(d, "every target was tried once");
}

void daemon_on_due(void *userdata, struct lane *l, enum reason reason, const char *name, usec due)
{
    struct daemon *d = userdata;
    const struct pipeline_order order = {.reason = reason, .name = name, .due = due};

    /* A capture that could not even begin will not be reported to daemon_on_captured. */
    if (desk_due(d->desk, l, &order).answer == DESK_NO_MEMORY && d->options->once)
        once_finished(d, &(struct pipeline_end){.target = l->target,
                                                .lane = l,
                                                .outcome = OUTCOME_RESOURCES,
                                                .text = strerror(ENOMEM)});
}

/* Between captures, gives the memory that they took back to the system for the service beside us.
 * Large buffers go back without this (main.c). */
static void give_memory_back(struct daemon *d)
{
    usec now = loop_now(d->event, CLOCK_BOOTTIME);

    if (now < d->trim_after || !pipeline_idle(d->pipeline))
        return;
    memory_give_back();
    d->trim_after = now + TRIM_PAUSE;
}

void daemon_on_captured(void *userdata, const struct pipeline_end *end)
{
    struct daemon *d = userdata;
    bool again;

    daemon_count_failing(d, end->target);
    results_ended(d->results, end, d->config->inspect.enabled);
    /* An incident tries again by itself, so a retry is for the schedule. */
    again =
        timetable_finished(d->timetable, end->lane, end->incident ? REASON_SCHEDULE : end->reason,
                           end->incident ? NULL : end->name, end->outcome);
    daemon_tell_status(d);
    give_memory_back(d);
    if (d->options->once && !again)
        once_finished(d, end);
}

int daemon_update_targets(struct daemon *d, const struct config *config)
{
    struct target_list *lists = calloc(config->n_jobs + 1, sizeof(*lists));
    const struct target_list **views = calloc(config->n_jobs + 1, sizeof(struct target_list *));
    struct targets_change change;
    size_t total = 0;
    int r = lists && views ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < config->n_jobs; i++) {
        r = discovery_targets(d->discovery, config, i, &lists[i]);
        views[i] = &lists[i];
        total += lists[i].n * n_artifacts;
    }
    if (r == 0)
        r = timetable_reserve(d->timetable, total);
    if (r == 0)
        r = targets_update(d->targets, config, views, loop_now(d->event, CLOCK_REALTIME),
                           loop_now(d->event, CLOCK_BOOTTIME), &change);
    if (r == 0) {
        timetable_update(d->timetable, &change);
        for (size_t i = 0; i < change.n_removed; i++)
            daemon_count_failing(d, change.removed[i]->target);
        for (size_t i = 0; i < config->n_jobs; i++)
            meters_expect(d->meters, config->jobs[i].name, config->jobs[i].artifacts);
    }
    for (size_t i = 0; lists && i < config->n_jobs; i++)
        target_list_done(&lists[i]);
    free(lists);
    free(views);
    return r;
}

void daemon_on_discovered(void *userdata)
{
    struct daemon *d = userdata;

    if (d->stage != STAGE_RUNNING)
        return;
    if (daemon_update_targets(d, d->config) < 0 || triggers_update(d->triggers) < 0)
        log_error("not enough memory to take over discovered targets; the old ones stay");
    daemon_tell_status(d);
}

void daemon_on_suspension(void *userdata, bool suspended)
{
    struct daemon *d = userdata;

    timetable_suspend(d->timetable, suspended);
    daemon_tell_status(d);
}

bool daemon_on_digest(void *userdata, const char *key, const struct digest *digest,
                      struct growth *ret)
{
    struct daemon *d = userdata;

    return results_grown(d->results, key, digest, ret);
}

void daemon_on_labelled(void *userdata, const struct labelling_label *label)
{
    struct daemon *d = userdata;

    struct target *target;
    enum reason reason;

    target = results_labelled(d->results, label, &reason);
    /* What a rule has asked for does not make the next incident. */
    if (target && reason != REASON_TRIGGER)
        triggers_inspected(d->triggers, target,
                           strcmp(label->label, CODE_NOT_INSPECTED) == 0 ? NULL : label->label,
                           label->summary);
    target_unref(target);
}

void daemon_on_scrape(void *userdata, struct admin_call *call)
{
    const struct daemon *d = userdata;

    observation_serve(d->observation,
                      &(struct observation_context){
                          .config = d->config,
                          .limits = daemon_limits(d->config),
                          .meters = d->meters,
                          .pipeline = d->pipeline,
                          .spool = d->spool,
                          .suspension = d->suspension,
                          .triggers = d->triggers,
                          .targets = d->targets,
                          .uploader = d->uploader,
                      },
                      call);
}
