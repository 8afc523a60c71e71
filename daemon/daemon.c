/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/memory.h"
#include "base/parse.h"
#include "config.h"
#include "daemon/capture/reserve.h"
#include "daemon/control/notify.h"
#include "daemon/daemon_state.h"
#include "daemon/settings/settings.h"

/* How often memory is given back at most: doing so costs some ten microseconds a MiB. */
#define TRIM_PAUSE (10 * USEC_PER_SEC)

#define LABEL_PATIENCE (5 * USEC_PER_SEC) /* at the end, for what was captured last */

static int on_leave(sd_event_source *s, void *userdata)
{
    struct daemon *d = userdata;

    (void)s;
    if (!pipeline_idle(d->pipeline) || !labelling_idle(d->labelling) || spool_busy(d->spool) ||
        !uploader_idle(d->uploader))
        return 0;
    /* Whoever asks is answered up to here. What is on its way then has a moment. */
    if (d->admin)
        admin_stop(d->admin);
    if (!d->admin || admin_idle(d->admin))
        (void)sd_event_exit(d->event, 0);
    return 0;
}

/* Looks after each dispatch whether the last thing in flight has ended. */
static int on_post(sd_event_source *s, void *userdata)
{
    return on_leave(s, userdata);
}

static int on_deadline(sd_event_source *s, uint64_t now, void *userdata)
{
    struct daemon *d = userdata;

    (void)s;
    (void)now;
    log_warn("shutdown_timeout is over: captures in flight are cut at their last whole generation, "
             "and what is not uploaded stays in pending/");
    d->stage = STAGE_CUT;
    pipeline_cut(d->pipeline);
    labelling_cut(d->labelling);
    uploader_cut(d->uploader);
    return 0;
}

static void stop(struct daemon *d, const char *why)
{
    if (d->stage != STAGE_RUNNING) {
        log_warn("%s again: exiting at once; what is in incoming/ is swept at the next start", why);
        _exit(EXIT_FAILURE);
    }
    d->stage = STAGE_DRAINING;
    notify_stopping();
    log_info(pipeline_idle(d->pipeline) && uploader_idle(d->uploader)
                 ? "%s: stopping"
                 : "%s: stopping; what is in flight may finish",
             why);
    timetable_stop(d->timetable);
    pipeline_drain(d->pipeline);
    labelling_drain(d->labelling, d->options->once ? d->config->shutdown_timeout : LABEL_PATIENCE);
    uploader_drain(d->uploader);
    (void)sd_event_source_set_time_relative(d->deadline, d->config->shutdown_timeout);
    (void)sd_event_source_set_enabled(d->deadline, SD_EVENT_ONESHOT);
    (void)sd_event_source_set_enabled(d->leave, SD_EVENT_ON);
    (void)on_leave(NULL, d);
}

/* Whoever looks once is told of each target, even of what may pass by the next time. */
static void say_not_captured(const struct pipeline_end *end)
{
    const struct target *t = end->target;
    const char *shown = target_shown(end->lane);

    if (end->lane->state == end->outcome)
        return; /* said by the pipeline */
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
        stop(d, "every target was tried once");
}

static void on_due(void *userdata, struct lane *l, enum reason reason, const char *name, usec due)
{
    struct daemon *d = userdata;
    const struct pipeline_order order = {.reason = reason, .name = name, .due = due};

    /* One that could not even begin will not be told as ended. */
    if (pipeline_capture(d->pipeline, l, &order, NULL) == -ENOMEM && d->options->once)
        once_finished(d, &(struct pipeline_end){.target = l->target,
                                                .lane = l,
                                                .outcome = OUTCOME_RESOURCES,
                                                .text = strerror(ENOMEM)});
}

/* Between captures the memory that they took is the service's beside us. Large buffers went back by
 * themselves (main.c). */
static void give_memory_back(struct daemon *d)
{
    usec now = loop_now(d->event, CLOCK_BOOTTIME);

    if (now < d->trim_after || !pipeline_idle(d->pipeline))
        return;
    memory_give_back();
    d->trim_after = now + TRIM_PAUSE;
}

static void on_ended(void *userdata, const struct pipeline_end *end)
{
    struct daemon *d = userdata;
    bool again;

    daemon_count_failing(d, end->target);
    results_ended(d->results, end, d->config->inspect.enabled);
    again = timetable_finished(d->timetable, end->lane, end->reason, end->name, end->outcome);
    daemon_tell_status(d);
    give_memory_back(d);
    if (d->options->once && !again)
        once_finished(d, end);
}

static void on_discovered(void *userdata)
{
    struct daemon *d = userdata;

    if (d->stage != STAGE_RUNNING)
        return;
    if (daemon_update_targets(d, d->config) < 0)
        log_error("not enough memory to take over discovered targets; the old ones stay");
    daemon_tell_status(d);
}

static void reload(struct daemon *d)
{
    struct diags diags = {0};

    (void)daemon_reload(d, &diags);
    diags_done(&diags);
}

static void on_suspension(void *userdata, bool suspended)
{
    struct daemon *d = userdata;

    timetable_suspend(d->timetable, suspended);
    daemon_tell_status(d);
}

static void on_labelled(void *userdata, const struct labelling_label *label)
{
    struct daemon *d = userdata;

    results_labelled(d->results, label);
}

static void capture_all(struct daemon *d)
{
    const struct pipeline_order order = {.reason = REASON_SIGNAL};

    for (size_t i = 0; i < targets_count(d->targets); i++)
        (void)pipeline_capture(d->pipeline, target_primary(targets_at(d->targets, i)), &order,
                               NULL);
}

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata)
{
    struct daemon *d = userdata;

    (void)s;
    switch (si->ssi_signo) {
    case SIGTERM: stop(d, "SIGTERM"); return 0;
    case SIGINT: stop(d, "SIGINT"); return 0;
    default: break;
    }
    if (d->stage != STAGE_RUNNING)
        return 0;
    if (si->ssi_signo == SIGHUP)
        reload(d);
    else if (si->ssi_signo == SIGUSR2)
        suspension_toggle(d->suspension);
    else
        capture_all(d);
    return 0;
}

/* Blocked before the first thread starts, so that only the loop ever sees them. */
static int set_up_signals(struct daemon *d)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD); /* as sd_event_add_child asks for */
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)sigaddset(&set, signals[i]);
    /* A write over a limit of the file's size is an error like another, not our end. */
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return -errno;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        int r = sd_event_add_signal(d->event, NULL, signals[i], on_signal, d);

        if (r < 0)
            return r;
    }
    return 0;
}

/* All of it made at the start, because an end must not need memory. */
static int set_up_leave(struct daemon *d)
{
    int r = sd_event_add_post(d->event, &d->leave, on_post, d);

    if (r >= 0)
        r = sd_event_source_set_enabled(d->leave, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time(d->event, &d->deadline, CLOCK_BOOTTIME, 0, 10 * USEC_PER_MSEC,
                              on_deadline, d);
    if (r >= 0)
        r = sd_event_source_set_enabled(d->deadline, SD_EVENT_OFF);
    return r < 0 ? r : 0;
}

/* This machine's name in keys; borrowed from the configuration or from `name`. */
static const char *host_name(const struct config *config, struct utsname *name)
{
    if (config->host)
        return config->host;
    return uname(name) == 0 ? name->nodename : "localhost";
}

/* Keeps those apart who start together. */
static uint64_t random_seed(void)
{
    return clock_real() ^ (clock_boot() << 20);
}

/* Where traces go: on disk and to the store. */
static int build_storage(struct daemon *d, const char *host)
{
    const struct retention_limits limits = settings_limits(d->config);
    bool upload = d->config->upload.url;
    int r = disk_new(d->event, &d->disk);

    if (r >= 0)
        r = spool_new(d->event, d->disk, d->config->storage.path, &limits, upload, &d->spool);
    if (r >= 0)
        r = uploader_new(d->event, d->disk, d->spool, host, random_seed(), &d->uploader);
    if (r >= 0)
        r = daemon_use_store(d);
    if (r >= 0)
        uploader_set_meters(d->uploader, d->meters);
    return r;
}

/* How they are taken, and looked at. */
static int build_captures(struct daemon *d)
{
    bool once = d->options->once;
    int r = http_new(d->event, "contraced/" PACKAGE_VERSION, &d->http);

    if (r >= 0)
        r = labelling_new(d->event, d->spool, d->meters, &d->labelling);
    if (r >= 0)
        r = pipeline_new(d->event, d->http, d->disk, d->spool, d->meters, once, on_ended, d,
                         &d->pipeline);
    if (r >= 0)
        r = timetable_new(d->event, once, random_seed(), on_due, d, &d->timetable);
    if (r < 0)
        return r;
    labelling_set_told(d->labelling, on_labelled, d);
    pipeline_set_concurrency(d->pipeline, d->config->max_concurrent_captures);
    return labelling_set(d->labelling, &d->config->inspect);
}

/* Whose. */
static int build_targets(struct daemon *d, const char *host)
{
    int r = discovery_new(d->event, on_discovered, d, &d->discovery);

    if (r >= 0)
        r = discovery_set(d->discovery, d->config);
    if (r < 0)
        return r;
    d->targets = targets_new(host);
    d->results = results_new(d->meters);
    return d->targets && d->results ? daemon_update_targets(d, d->config) : -ENOMEM;
}

static const struct config *present_config(void *userdata)
{
    return ((const struct daemon *)userdata)->config;
}

static const char *present_config_file(void *userdata)
{
    return ((const struct daemon *)userdata)->config_file;
}

static bool is_stopping(void *userdata)
{
    return ((const struct daemon *)userdata)->stage != STAGE_RUNNING;
}

static int on_reload(void *userdata, struct diags *diags)
{
    return daemon_reload(userdata, diags);
}

static void on_scrape(void *userdata, struct admin_call *call)
{
    const struct daemon *d = userdata;

    observation_serve(d->observation,
                      &(struct observation_context){
                          .config = d->config,
                          .meters = d->meters,
                          .pipeline = d->pipeline,
                          .spool = d->spool,
                          .suspension = d->suspension,
                          .targets = d->targets,
                          .uploader = d->uploader,
                      },
                      call);
}

static int build_admin(struct daemon *d, const char *host)
{
    const struct api_context context = {
        .event = d->event,
        .targets = d->targets,
        .pipeline = d->pipeline,
        .spool = d->spool,
        .uploader = d->uploader,
        .suspension = d->suspension,
        .counters = &d->counters,
        .failing = &d->failing,
        .host = host,
        .start = clock_real(),
        .userdata = d,
        .config = present_config,
        .config_file = present_config_file,
        .stopping = is_stopping,
        .reload = on_reload,
        .metrics = on_scrape,
    };
    const struct admin_route *routes;
    size_t n;
    int r;

    d->api = api_new(&context);
    if (!d->api)
        return -ENOMEM;
    routes = api_routes(&n);
    r = admin_new(d->event, routes, n, d->api, &d->admin);
    return r < 0 ? r : admin_set(d->admin, &d->config->web);
}

/* Who else has a say. */
static int build_control(struct daemon *d, const char *host)
{
    int r = suspension_new(d->event, on_suspension, d, &d->suspension);

    if (r >= 0)
        r = daemon_set_suspension(d, d->config);
    return r < 0 || d->options->once ? r : build_admin(d, host);
}

static int build(struct daemon *d)
{
    struct utsname name;
    const char *host = host_name(d->config, &name);
    int r = sd_event_new(&d->event);

    if (r >= 0)
        r = meters_new(&d->counters, &d->meters);
    if (r >= 0)
        r = observation_new(&d->observation);
    if (r >= 0)
        r = set_up_signals(d);
    if (r >= 0)
        r = reserve_take(d->event);
    if (r >= 0)
        r = set_up_leave(d);
    if (r >= 0)
        r = confinement_enter(d->config, confinement_alone(), &d->confinement);
    if (r >= 0)
        r = build_storage(d, host);
    if (r >= 0)
        r = build_captures(d);
    if (r >= 0)
        r = build_targets(d, host);
    if (r >= 0)
        r = build_control(d, host);
    d->counters.last_reload = d->counters.config_read = clock_real();
    d->counters.last_reload_ok = true;
    return r;
}

int daemon_new(const struct options *options, struct config *config, const char *config_file,
               struct daemon **ret)
{
    struct daemon *d = calloc(1, sizeof(*d));
    int r;

    if (!d) {
        config_free(config);
        return -ENOMEM;
    }
    d->options = options;
    d->config = config;
    d->config_file = config_file;
    r = build(d);
    if (r < 0) {
        log_error("contraced cannot start: %s", strerror(-r));
        daemon_free(d);
        return r;
    }
    *ret = d;
    return 0;
}

void daemon_free(struct daemon *d)
{
    if (!d)
        return;
    admin_free(d->admin);
    api_free(d->api);
    suspension_free(d->suspension);
    confinement_free(d->confinement);
    timetable_free(d->timetable);
    results_free(d->results);
    targets_free(d->targets);
    discovery_free(d->discovery);
    pipeline_free(d->pipeline);
    labelling_free(d->labelling);
    uploader_free(d->uploader);
    http_free(d->http);
    http_free(d->store_http);
    spool_free(d->spool);
    disk_free(d->disk);
    observation_free(d->observation);
    meters_free(d->meters);
    sd_event_source_disable_unref(d->deadline);
    sd_event_source_disable_unref(d->leave);
    sd_event_unref(d->event);
    config_free(d->config);
    free(d);
}

static void say_started(const struct daemon *d)
{
    static const struct log_fields fields = {.message_id = MESSAGE_ID_STARTED};

    log_write(LOG_LEVEL_INFO, &fields, "contraced %s: %zu targets, traces in %s", PACKAGE_VERSION,
              targets_count(d->targets), d->config->storage.path);
}

static void say_stopped(const struct daemon *d)
{
    static const struct log_fields fields = {.message_id = MESSAGE_ID_STOPPED};
    char memory[1024];
    struct buf text;

    buf_over(&text, memory, sizeof(memory));
    counters_describe(&d->counters, &text);
    if (d->config->upload.url)
        uploader_describe(d->uploader, &text);
    log_write(LOG_LEVEL_INFO, &fields, "stopped; %s", buf_str(&text));
}

int daemon_run(struct daemon *d)
{
    int r = notify_watchdog(d->event);

    if (r < 0)
        log_warn("the watchdog cannot be fed: %s", strerror(-r));
    d->once_left = targets_scheduled(d->targets);
    say_started(d);
    if (d->options->once && d->once_left == 0) {
        log_error("no targets: file_sd_configs found none");
        return EXIT_FAILURE;
    }
    notify_ready();
    daemon_tell_status(d);
    r = sd_event_loop(d->event);
    if (r < 0)
        log_error("the event loop failed: %s", strerror(-r));
    say_stopped(d);
    if (d->options->once && !uploader_all_sent(d->uploader))
        d->once_failed = true;
    return r < 0 || d->once_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
