/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/parts.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "daemon/capture/reserve.h"
#include "daemon/daemon_state.h"

/* How long a stop waits for the labels of the last captures. */
#define LABEL_PATIENCE (5 * USEC_PER_SEC)

static int new_event(struct daemon *d)
{
    int r = sd_event_new(&d->event);

    return r < 0 ? r : 0;
}

static void free_event(struct daemon *d)
{
    sd_event_unref(d->event);
}

static int new_meters(struct daemon *d)
{
    return meters_new(&d->counters, &d->meters);
}

static void free_meters(struct daemon *d)
{
    meters_free(d->meters);
}

static int new_observation(struct daemon *d)
{
    return observation_new(&d->observation);
}

static void free_observation(struct daemon *d)
{
    observation_free(d->observation);
}

static int new_reserve(struct daemon *d)
{
    return reserve_take(d->event);
}

static int new_confinement(struct daemon *d)
{
    return confinement_enter(d->config, confinement_alone(), &d->confinement);
}

static void use_confinement(struct daemon *d, const struct config *c)
{
    if (c != d->config)
        confinement_check(d->confinement, c);
}

static void free_confinement(struct daemon *d)
{
    confinement_free(d->confinement);
}

static int new_disk(struct daemon *d)
{
    return disk_new(d->event, &d->disk);
}

static void free_disk(struct daemon *d)
{
    disk_free(d->disk);
}

static int new_spool(struct daemon *d)
{
    const struct retention_limits limits = daemon_limits(d->config);

    return spool_new(d->event, d->disk, d->config->storage.path, &limits, d->config->upload.url,
                     &d->spool);
}

static void use_spool(struct daemon *d, const struct config *c)
{
    const struct retention_limits limits = daemon_limits(c);

    spool_set_limits(d->spool, &limits);
}

static bool spool_is_idle(const struct daemon *d)
{
    return !spool_busy(d->spool);
}

static void free_spool(struct daemon *d)
{
    spool_free(d->spool);
}

static int new_http(struct daemon *d)
{
    return http_new(d->event, DAEMON_USER_AGENT, &d->http);
}

static void free_http(struct daemon *d)
{
    http_free(d->http);
}

static int new_rows(struct daemon *d)
{
    return rowbook_new(d->event, d->disk, d->spool, d->uploader, daemon_host(d),
                       daemon_random_seed(), &d->rowbook);
}

static void use_rows(struct daemon *d, const struct config *c)
{
    rowbook_set(d->rowbook, d->config->storage.path, c->rows.enabled && c->upload.url,
                c->rows.interval);
}

/* By then nothing is captured, labelled or uploaded any more. */
static void drain_rows(struct daemon *d)
{
    rowbook_finish(d->rowbook);
}

static void cut_rows(struct daemon *d)
{
    rowbook_cut(d->rowbook);
}

static bool rows_are_idle(const struct daemon *d)
{
    return rowbook_idle(d->rowbook);
}

static void free_rows(struct daemon *d)
{
    rowbook_free(d->rowbook);
}

static int new_labelling(struct daemon *d)
{
    int r = labelling_new(d->event, d->spool, d->meters, &d->labelling);

    if (r < 0)
        return r;
    labelling_set_growth(d->labelling, daemon_on_digest, d);
    labelling_set_told(d->labelling, daemon_on_labelled, d);
    return r;
}

static int set_labelling(struct daemon *d, const struct config *c)
{
    return labelling_set(d->labelling, &c->inspect);
}

static void drain_labelling(struct daemon *d)
{
    labelling_drain(d->labelling, d->options->once ? d->config->shutdown_timeout : LABEL_PATIENCE);
}

static void cut_labelling(struct daemon *d)
{
    labelling_cut(d->labelling);
}

static bool labelling_is_idle(const struct daemon *d)
{
    return labelling_idle(d->labelling);
}

static void free_labelling(struct daemon *d)
{
    labelling_free(d->labelling);
}

static int new_extractor(struct daemon *d)
{
    return d->options->once ? 0 : extractor_new(d->event, d->views, &d->extractor);
}

/* Nothing is lost with a profile that is not made: who asks is told to ask again. */
static void drain_extractor(struct daemon *d)
{
    if (d->extractor)
        extractor_cut(d->extractor);
}

static bool extractor_is_idle(const struct daemon *d)
{
    return !d->extractor || extractor_idle(d->extractor);
}

static void free_extractor(struct daemon *d)
{
    extractor_free(d->extractor);
}

static int new_pipeline(struct daemon *d)
{
    return pipeline_new(d->event, d->http, d->disk, d->spool, d->meters, d->options->once,
                        daemon_on_captured, d, &d->pipeline);
}

static void use_pipeline(struct daemon *d, const struct config *c)
{
    pipeline_set_concurrency(d->pipeline, c->max_concurrent_captures);
}

static void drain_pipeline(struct daemon *d)
{
    pipeline_drain(d->pipeline);
}

static void cut_pipeline(struct daemon *d)
{
    pipeline_cut(d->pipeline);
}

static bool pipeline_is_idle(const struct daemon *d)
{
    return pipeline_idle(d->pipeline);
}

static void free_pipeline(struct daemon *d)
{
    pipeline_free(d->pipeline);
}

static int new_desk(struct daemon *d)
{
    return desk_new(d->event, d->pipeline, &d->desk);
}

static void free_desk(struct daemon *d)
{
    desk_free(d->desk);
}

/* The share of time in which something waits for a CPU. */
static double cpu_pressure(void *userdata)
{
    const struct daemon *d = userdata;
    const char *path;
    double share;

    return psi_read(&d->psi, &share, &path) < 0 ? -1 : share;
}

static int new_incidents(struct daemon *d)
{
    psi_init(&d->psi);
    return incidents_new(d->event, d->desk, &d->counters, cpu_pressure, d, &d->incidents);
}

static void use_incidents(struct daemon *d, const struct config *c)
{
    incidents_set(d->incidents, &c->incidents);
}

static void drain_incidents(struct daemon *d)
{
    incidents_drain(d->incidents);
}

static bool incidents_are_idle(const struct daemon *d)
{
    return incidents_idle(d->incidents);
}

static void free_incidents(struct daemon *d)
{
    incidents_free(d->incidents);
}

static int new_discovery(struct daemon *d)
{
    return discovery_new(d->event, daemon_on_discovered, d, &d->discovery);
}

static int set_discovery(struct daemon *d, const struct config *c)
{
    return discovery_set(d->discovery, c);
}

static void free_discovery(struct daemon *d)
{
    discovery_free(d->discovery);
}

static int new_targets(struct daemon *d)
{
    d->targets = targets_new(daemon_host(d));
    return d->targets ? 0 : -ENOMEM;
}

static void free_targets(struct daemon *d)
{
    targets_free(d->targets);
}

static int new_results(struct daemon *d)
{
    d->results = results_new(d->meters);
    return d->results ? 0 : -ENOMEM;
}

static void free_results(struct daemon *d)
{
    results_free(d->results);
}

static void on_sent(void *userdata, const char *job, const char *key)
{
    const struct daemon *d = userdata;

    if (d->config->inspect.enabled)
        results_sent(d->results, job, key);
}

static int new_pushes(struct daemon *d)
{
    return pushes_new(d->event, d->spool, &d->counters, on_sent, d, &d->pushes);
}

static void drain_pushes(struct daemon *d)
{
    pushes_drain(d->pushes);
}

static void cut_pushes(struct daemon *d)
{
    pushes_cut(d->pushes);
}

static bool pushes_are_idle(const struct daemon *d)
{
    return pushes_idle(d->pushes);
}

static void free_pushes(struct daemon *d)
{
    pushes_free(d->pushes);
}

static int new_timetable(struct daemon *d)
{
    return timetable_new(d->event, d->options->once, daemon_random_seed(), daemon_on_due, d,
                         &d->timetable);
}

static void drain_timetable(struct daemon *d)
{
    timetable_stop(d->timetable);
}

static void free_timetable(struct daemon *d)
{
    timetable_free(d->timetable);
}

static int new_suspension(struct daemon *d)
{
    return suspension_new(d->event, daemon_on_suspension, d, &d->suspension);
}

/* A person has asked for --once, so nothing suspends its captures. */
static int set_suspension(struct daemon *d, const struct config *c)
{
    return d->options->once ? 0 : suspension_set(d->suspension, &c->suspend);
}

static void free_suspension(struct daemon *d)
{
    suspension_free(d->suspension);
}

static void free_api(struct daemon *d)
{
    api_free(d->api);
}

static int new_admin(struct daemon *d)
{
    size_t n;
    const struct admin_route *routes = api_routes(&n);

    return d->options->once ? 0 : admin_new(d->event, routes, n, d->api, &d->admin);
}

static int set_admin(struct daemon *d, const struct config *c)
{
    return d->admin ? admin_set(d->admin, &c->web) : 0;
}

/* Up to here requests are answered. Replies on their way have one more second. */
static void drain_admin(struct daemon *d)
{
    if (d->admin)
        admin_stop(d->admin);
}

static bool admin_is_idle(const struct daemon *d)
{
    return !d->admin || admin_idle(d->admin);
}

static void free_admin(struct daemon *d)
{
    admin_free(d->admin);
}

/* Warns of changed settings that need a restart: the spool's path, and this machine's name in
 * keys. */
static void warn_of_fixed(const struct config *old, const struct config *new)
{
    if (strcmp(old->storage.path, new->storage.path) != 0)
        log_warn("storage.path stays %s until contraced is restarted", old->storage.path);
    if (strcmp(old->host ? old->host : "", new->host ? new->host : "") != 0)
        log_warn("global.host stays what it was until contraced is restarted");
}

static void use_log(struct daemon *d, const struct config *c)
{
    warn_of_fixed(d->config, c);
    log_set_level(c->log_level);
    log_set_format(c->log_format);
}

/*
 * Each row may use those above it. Further reasons for this order:
 * - Signals are blocked and contraced is confined before the first thread starts, as both bind only
 *   threads that are started later.
 * - Traces pass from the pipeline to labelling to the uploader, so these rows are in reverse: at a
 *   stop each part hands on its traces before the next is drained or cut. The timetable stops
 *   before all of them.
 * - Rows come of every record, and the admin endpoint tells of all parts: these two are drained last.
 * - The timetable holds lanes of targets, so it is freed before them. It is the exception: `set` of
 *   the targets uses it, although its row is below theirs.
 * - The log is last: messages of other parts about a new configuration still follow the old
 *   configuration's level and format.
 */
static const struct part rows[] = {
    {.name = "event", .new = new_event, .free = free_event},
    {.name = "meters", .new = new_meters, .free = free_meters},
    {.name = "observation", .new = new_observation, .free = free_observation},
    {.name = "signals", .new = daemon_take_signals},
    {.name = "reserve", .new = new_reserve},
    {.name = "stop", .new = daemon_stop_new, .free = daemon_stop_free},
    {.name = "confinement",
     .new = new_confinement,
     .use = use_confinement,
     .free = free_confinement},
    {.name = "disk", .new = new_disk, .free = free_disk},
    {
        .name = "spool",
        .new = new_spool,
        .use = use_spool,
        .idle = spool_is_idle,
        .free = free_spool,
    },
    {
        .name = "views",
        .new = daemon_views_new,
        .set = daemon_views_set,
        .drain = daemon_views_drain,
        .free = daemon_views_free,
    },
    {
        .name = "extractor",
        .new = new_extractor,
        .drain = drain_extractor,
        .idle = extractor_is_idle,
        .free = free_extractor,
    },
    {.name = "http", .new = new_http, .free = free_http},
    {
        .name = "uploader",
        .new = daemon_uploads_new,
        .set = daemon_uploads_set,
        .use = daemon_uploads_use,
        .drain = daemon_uploads_drain,
        .cut = daemon_uploads_cut,
        .idle = daemon_uploads_idle,
        .free = daemon_uploads_free,
    },
    {
        .name = "rows",
        .new = new_rows,
        .use = use_rows,
        .drain = drain_rows,
        .cut = cut_rows,
        .idle = rows_are_idle,
        .free = free_rows,
        .last = true,
    },
    {
        .name = "labelling",
        .new = new_labelling,
        .set = set_labelling,
        .drain = drain_labelling,
        .cut = cut_labelling,
        .idle = labelling_is_idle,
        .free = free_labelling,
    },
    {
        .name = "pipeline",
        .new = new_pipeline,
        .use = use_pipeline,
        .drain = drain_pipeline,
        .cut = cut_pipeline,
        .idle = pipeline_is_idle,
        .free = free_pipeline,
    },
    {.name = "desk", .new = new_desk, .free = free_desk},
    {
        .name = "incidents",
        .new = new_incidents,
        .use = use_incidents,
        .drain = drain_incidents,
        .idle = incidents_are_idle,
        .free = free_incidents,
    },
    {.name = "discovery", .new = new_discovery, .set = set_discovery, .free = free_discovery},
    {
        .name = "targets",
        .new = new_targets,
        .set = daemon_update_targets,
        .free = free_targets,
    },
    {.name = "results", .new = new_results, .free = free_results},
    {
        .name = "pushes",
        .new = new_pushes,
        .drain = drain_pushes,
        .cut = cut_pushes,
        .idle = pushes_are_idle,
        .free = free_pushes,
    },
    {.name = "timetable", .new = new_timetable, .drain = drain_timetable, .free = free_timetable},
    {.name = "suspension", .new = new_suspension, .set = set_suspension, .free = free_suspension},
    {
        .name = "triggers",
        .new = daemon_triggers_new,
        .set = daemon_triggers_set,
        .drain = daemon_triggers_drain,
        .free = daemon_triggers_free,
    },
    {.name = "api", .new = daemon_api_new, .free = free_api},
    {
        .name = "admin",
        .new = new_admin,
        .set = set_admin,
        .drain = drain_admin,
        .idle = admin_is_idle,
        .free = free_admin,
        .last = true,
    },
    {.name = "log", .use = use_log},
};

const struct part_table parts = {rows, sizeof(rows) / sizeof(rows[0])};
