/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/parts.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "config.h"
#include "daemon/capture/reserve.h"
#include "daemon/daemon_state.h"

#define USER_AGENT "contraced/" PACKAGE_VERSION
#define LABEL_PATIENCE (5 * USEC_PER_SEC) /* at the end, for what was captured last */

/* The loop, and what is known of all. */

static int event_new(struct daemon *d)
{
    int r = sd_event_new(&d->event);

    return r < 0 ? r : 0;
}

static void event_free(struct daemon *d)
{
    sd_event_unref(d->event);
}

static int numbers_new(struct daemon *d)
{
    return meters_new(&d->counters, &d->meters);
}

static void numbers_free(struct daemon *d)
{
    meters_free(d->meters);
}

static int scrapes_new(struct daemon *d)
{
    return observation_new(&d->observation);
}

static void scrapes_free(struct daemon *d)
{
    observation_free(d->observation);
}

/* What contraced holds ready, and what it takes from itself. */

static int memory_new(struct daemon *d)
{
    return reserve_take(d->event);
}

static int confined_new(struct daemon *d)
{
    return confinement_enter(d->config, confinement_alone(), &d->confinement);
}

static void confined_use(struct daemon *d, const struct config *c)
{
    if (c != d->config)
        confinement_check(d->confinement, c);
}

static void confined_free(struct daemon *d)
{
    confinement_free(d->confinement);
}

/* Where traces go: on disk and to the store. */

static int threads_new(struct daemon *d)
{
    return disk_new(d->event, &d->disk);
}

static void threads_free(struct daemon *d)
{
    disk_free(d->disk);
}

static int storage_new(struct daemon *d)
{
    const struct retention_limits limits = daemon_limits(d->config);

    return spool_new(d->event, d->disk, d->config->storage.path, &limits, d->config->upload.url,
                     &d->spool);
}

static void storage_use(struct daemon *d, const struct config *c)
{
    const struct retention_limits limits = daemon_limits(c);

    spool_set_limits(d->spool, &limits);
}

static bool storage_idle(const struct daemon *d)
{
    return !spool_busy(d->spool);
}

static void storage_free(struct daemon *d)
{
    spool_free(d->spool);
}

/* How they are taken, and looked at. */

static int requests_new(struct daemon *d)
{
    return http_new(d->event, USER_AGENT, &d->http);
}

static void requests_free(struct daemon *d)
{
    http_free(d->http);
}

static int labels_new(struct daemon *d)
{
    int r = labelling_new(d->event, d->spool, d->meters, &d->labelling);

    if (r >= 0)
        labelling_set_told(d->labelling, daemon_on_labelled, d);
    return r;
}

static int labels_set(struct daemon *d, const struct config *c)
{
    return labelling_set(d->labelling, &c->inspect);
}

static void labels_drain(struct daemon *d)
{
    labelling_drain(d->labelling, d->options->once ? d->config->shutdown_timeout : LABEL_PATIENCE);
}

static void labels_cut(struct daemon *d)
{
    labelling_cut(d->labelling);
}

static bool labels_idle(const struct daemon *d)
{
    return labelling_idle(d->labelling);
}

static void labels_free(struct daemon *d)
{
    labelling_free(d->labelling);
}

static int captures_new(struct daemon *d)
{
    return pipeline_new(d->event, d->http, d->disk, d->spool, d->meters, d->options->once,
                        daemon_on_captured, d, &d->pipeline);
}

static void captures_use(struct daemon *d, const struct config *c)
{
    pipeline_set_concurrency(d->pipeline, c->max_concurrent_captures);
}

static void captures_drain(struct daemon *d)
{
    pipeline_drain(d->pipeline);
}

static void captures_cut(struct daemon *d)
{
    pipeline_cut(d->pipeline);
}

static bool captures_idle(const struct daemon *d)
{
    return pipeline_idle(d->pipeline);
}

static void captures_free(struct daemon *d)
{
    pipeline_free(d->pipeline);
}

static int ordering_new(struct daemon *d)
{
    return desk_new(d->event, d->pipeline, &d->desk);
}

static void ordering_free(struct daemon *d)
{
    desk_free(d->desk);
}

/* Whose, and when. */

static int sources_new(struct daemon *d)
{
    return discovery_new(d->event, daemon_on_discovered, d, &d->discovery);
}

static int sources_set(struct daemon *d, const struct config *c)
{
    return discovery_set(d->discovery, c);
}

static void sources_free(struct daemon *d)
{
    discovery_free(d->discovery);
}

static int all_targets_new(struct daemon *d)
{
    d->targets = targets_new(daemon_host(d));
    return d->targets ? 0 : -ENOMEM;
}

static void all_targets_free(struct daemon *d)
{
    targets_free(d->targets);
}

static int last_results_new(struct daemon *d)
{
    d->results = results_new(d->meters);
    return d->results ? 0 : -ENOMEM;
}

static void last_results_free(struct daemon *d)
{
    results_free(d->results);
}

static int schedule_new(struct daemon *d)
{
    return timetable_new(d->event, d->options->once, daemon_random_seed(), daemon_on_due, d,
                         &d->timetable);
}

static void schedule_drain(struct daemon *d)
{
    timetable_stop(d->timetable);
}

static void schedule_free(struct daemon *d)
{
    timetable_free(d->timetable);
}

/* Who else has a say. */

static int suspending_new(struct daemon *d)
{
    return suspension_new(d->event, daemon_on_suspension, d, &d->suspension);
}

/* --once was asked for by somebody: nothing suspends it. */
static int suspending_set(struct daemon *d, const struct config *c)
{
    return d->options->once ? 0 : suspension_set(d->suspension, &c->suspend);
}

static void suspending_free(struct daemon *d)
{
    suspension_free(d->suspension);
}

static void answers_free(struct daemon *d)
{
    api_free(d->api);
}

static int server_new(struct daemon *d)
{
    size_t n;
    const struct admin_route *routes = api_routes(&n);

    return d->options->once ? 0 : admin_new(d->event, routes, n, d->api, &d->admin);
}

static int server_set(struct daemon *d, const struct config *c)
{
    return d->admin ? admin_set(d->admin, &c->web) : 0;
}

/* Whoever asks is answered up to here. What is on its way then has a moment. */
static void server_drain(struct daemon *d)
{
    if (d->admin)
        admin_stop(d->admin);
}

static bool server_idle(const struct daemon *d)
{
    return !d->admin || admin_idle(d->admin);
}

static void server_free(struct daemon *d)
{
    admin_free(d->admin);
}

/* What the spool's place and this machine's name in keys depend on is not changed under way. */
static void warn_of_fixed(const struct config *old, const struct config *new)
{
    if (strcmp(old->storage.path, new->storage.path) != 0)
        log_warn("storage.path stays %s until contraced is restarted", old->storage.path);
    if (strcmp(old->host ? old->host : "", new->host ? new->host : "") != 0)
        log_warn("global.host stays what it was until contraced is restarted");
}

static void log_use(struct daemon *d, const struct config *c)
{
    warn_of_fixed(d->config, c);
    log_set_level(c->log_level);
    log_set_format(c->log_format);
}

/*
 * Each row may use those above it. What else the order is for:
 * - Signals are blocked, and contraced is confined, before the first thread starts: both hold only
 *   for threads that come after.
 * - Traces pass from captures to labels to uploads, so they stand in reverse: at the end each hands
 *   on what it has before the next is drained or cut. The schedule ends before all of them.
 * - The log comes last: what others say of a new configuration is filtered by the old one.
 */
static const struct part rows[] = {
    {.name = "event", .new = event_new, .free = event_free},
    {.name = "numbers", .new = numbers_new, .free = numbers_free},
    {.name = "scrapes", .new = scrapes_new, .free = scrapes_free},
    {.name = "signals", .new = daemon_take_signals},
    {.name = "memory", .new = memory_new},
    {.name = "stop", .new = daemon_stop_new, .free = daemon_stop_free},
    {.name = "confinement", .new = confined_new, .use = confined_use, .free = confined_free},
    {.name = "threads", .new = threads_new, .free = threads_free},
    {
        .name = "storage",
        .new = storage_new,
        .use = storage_use,
        .idle = storage_idle,
        .free = storage_free,
    },
    {.name = "requests", .new = requests_new, .free = requests_free},
    {
        .name = "uploads",
        .new = daemon_uploads_new,
        .set = daemon_uploads_set,
        .use = daemon_uploads_use,
        .drain = daemon_uploads_drain,
        .cut = daemon_uploads_cut,
        .idle = daemon_uploads_idle,
        .free = daemon_uploads_free,
    },
    {
        .name = "labels",
        .new = labels_new,
        .set = labels_set,
        .drain = labels_drain,
        .cut = labels_cut,
        .idle = labels_idle,
        .free = labels_free,
    },
    {
        .name = "captures",
        .new = captures_new,
        .use = captures_use,
        .drain = captures_drain,
        .cut = captures_cut,
        .idle = captures_idle,
        .free = captures_free,
    },
    {.name = "orders", .new = ordering_new, .free = ordering_free},
    {.name = "sources", .new = sources_new, .set = sources_set, .free = sources_free},
    {
        .name = "targets",
        .new = all_targets_new,
        .set = daemon_update_targets,
        .free = all_targets_free,
    },
    {.name = "results", .new = last_results_new, .free = last_results_free},
    {.name = "schedule", .new = schedule_new, .drain = schedule_drain, .free = schedule_free},
    {.name = "suspension", .new = suspending_new, .set = suspending_set, .free = suspending_free},
    {.name = "answers", .new = daemon_api_new, .free = answers_free},
    {
        .name = "server",
        .new = server_new,
        .set = server_set,
        .drain = server_drain,
        .idle = server_idle,
        .free = server_free,
        .last = true,
    },
    {.name = "log", .use = log_use},
};

const struct part_table parts = {rows, sizeof(rows) / sizeof(rows[0])};
