/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "config.h"
#include "daemon/capture/agenda.h"
#include "daemon/capture/discovery.h"
#include "daemon/capture/targets.h"
#include "daemon/control/counters.h"
#include "daemon/control/notify.h"
#include "daemon/disk/disk.h"
#include "daemon/net/http.h"
#include "daemon/pipeline.h"
#include "daemon/spool/spool.h"

/* How exactly a due time is met: sd-event may combine wake-ups within it. */
#define DUE_ACCURACY (10 * USEC_PER_MSEC)

/* How long --once tries a target that somebody else is tracing. */
#define ONCE_PATIENCE (30 * USEC_PER_SEC)

/* How often the heap is tidied at most: doing so costs some ten microseconds a MiB. */
#define TRIM_PAUSE (10 * USEC_PER_SEC)

enum stage {
    STAGE_RUNNING,
    STAGE_DRAINING, /* asked to stop: what is in flight goes on to its end */
    STAGE_CUT,      /* shutdown_timeout is over: only what is being published goes on */
};

struct daemon {
    const struct options *options;
    struct config *config;
    const char *config_file;
    sd_event *event;
    struct disk *disk;
    struct spool *spool;
    struct http *http;
    struct pipeline *pipeline;
    struct discovery *discovery;
    struct targets *targets;
    struct agenda agenda;
    struct counters counters;
    size_t failing; /* targets whose last capture failed */
    sd_event_source *due, *deadline, *leave;
    enum stage stage;
    bool suspended;
    uint64_t random; /* state of the generator of retry times */
    usec trim_after;  /* boot time */
    size_t once_left; /* targets that --once still waits for */
    bool once_failed;
    usec once_until;
};

static usec now_boot(const struct daemon *d)
{
    usec now = 0;

    (void)sd_event_now(d->event, CLOCK_BOOTTIME, &now);
    return now;
}

static usec now_real(const struct daemon *d)
{
    usec now = 0;

    (void)sd_event_now(d->event, CLOCK_REALTIME, &now);
    return now;
}

/* splitmix64: enough to keep retries of many targets apart, and nothing else depends on it. */
static uint64_t next_random(struct daemon *d)
{
    uint64_t x = d->random += 0x9e3779b97f4a7c15ULL;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

/* Counted as states change: thousands of targets end a capture each second. */
static void count_failing(struct daemon *d, struct target *t)
{
    bool failing = !t->gone && outcome_failed(t->state);

    if (failing != t->counted_failing)
        d->failing += failing ? 1 : (size_t)-1;
    t->counted_failing = failing;
}

/* ---- the status line ------------------------------------------------------------------------ */

static void tell_status(const struct daemon *d)
{
    struct spool_stats stats;
    char when[CLOCK_RFC3339_SIZE], size[PARSE_TEXT_SIZE];

    spool_stats(d->spool, &stats);
    notify_status("%s%zu target%s (%zu failing), last capture %s, %llu traces kept, %s",
                  d->suspended ? "suspended, " : "", targets_count(d->targets),
                  targets_count(d->targets) == 1 ? "" : "s", d->failing,
                  d->counters.last_success ? clock_rfc3339(d->counters.last_success, when)
                                           : "never",
                  (unsigned long long)(stats.archive_files + stats.pending_files),
                  format_size(stats.archive_bytes + stats.pending_bytes, size));
}

/* ---- stopping ------------------------------------------------------------------------------- */

static int on_leave(sd_event_source *s, void *userdata)
{
    struct daemon *d = userdata;

    (void)s;
    if (pipeline_idle(d->pipeline) && !spool_busy(d->spool))
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
    log_warn("shutdown_timeout is over: captures in flight are cut at their last whole generation");
    d->stage = STAGE_CUT;
    pipeline_cut(d->pipeline);
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
    log_info(pipeline_idle(d->pipeline) ? "%s: stopping"
                                        : "%s: stopping; captures in flight may finish", why);
    (void)sd_event_source_set_enabled(d->due, SD_EVENT_OFF);
    pipeline_drain(d->pipeline);
    (void)sd_event_add_time_relative(d->event, &d->deadline, CLOCK_BOOTTIME,
                                     d->config->shutdown_timeout, DUE_ACCURACY, on_deadline, d);
    (void)sd_event_source_set_enabled(d->leave, SD_EVENT_ON);
    (void)on_leave(NULL, d);
}

/* ---- the agenda ----------------------------------------------------------------------------- */

static void arm_due(struct daemon *d)
{
    const struct target *first = agenda_first(&d->agenda);

    if (d->stage != STAGE_RUNNING)
        return;
    if (!first) {
        (void)sd_event_source_set_enabled(d->due, SD_EVENT_OFF);
        return;
    }
    (void)sd_event_source_set_time(d->due, first->due);
    (void)sd_event_source_set_enabled(d->due, SD_EVENT_ONESHOT);
}

/* The next due time by the schedule alone; --once has none. */
static usec next_due(const struct daemon *d, const struct target *t)
{
    if (d->options->once)
        return d->once_until;
    return schedule_next(&t->schedule, t->last_start, now_boot(d));
}

static int on_due(sd_event_source *s, uint64_t now, void *userdata)
{
    struct daemon *d = userdata;
    struct target *t;

    (void)s;
    while ((t = agenda_first(&d->agenda)) && t->due <= now) {
        enum reason reason = t->due_reason;

        /* The due time of the next cycle counts from now, in case this one is skipped or waits. */
        t->due_reason = REASON_SCHEDULE;
        agenda_set(&d->agenda, t, d->options->once ? USEC_NEVER : next_due(d, t));
        if (reason != REASON_SCHEDULE || !d->suspended)
            pipeline_capture(d->pipeline, t, reason);
    }
    arm_due(d);
    return 0;
}

static void once_finished(struct daemon *d, enum outcome outcome)
{
    if (!outcome_published(outcome))
        d->once_failed = true;
    if (d->once_left > 0 && --d->once_left == 0 && d->stage == STAGE_RUNNING)
        stop(d, "every target was tried once");
}

/* When to try again before the next due time, if at all. */
static usec retry_time(struct daemon *d, struct target *t, enum outcome outcome)
{
    usec now = now_boot(d), next = next_due(d, t);

    switch (outcome_retry(outcome)) {
    case OUTCOME_RETRY_BUSY:
        return schedule_retry_busy(now, next, t->job->window, next_random(d));
    case OUTCOME_RETRY_DOWN:
        if (d->options->once)
            return USEC_NEVER;
        return schedule_retry_down(now, next, t->attempts++, next_random(d));
    case OUTCOME_RETRY_NEXT:
        break;
    }
    return USEC_NEVER;
}

/*
 * Between captures the memory that they took is the service's beside us. Large buffers went back by
 * themselves (main.c); the many small things of 64 captures leave holes in the heap, which glibc
 * would keep: malloc_trim(3).
 */
static void give_memory_back(struct daemon *d)
{
    usec now = now_boot(d);

    if (now < d->trim_after || !pipeline_idle(d->pipeline))
        return;
    (void)malloc_trim(0);
    d->trim_after = now + TRIM_PAUSE;
}

static void on_finished(void *userdata, struct target *t, enum reason reason, enum outcome outcome)
{
    struct daemon *d = userdata;
    usec retry = USEC_NEVER;

    count_failing(d, t);
    if (d->stage == STAGE_RUNNING && !t->gone) {
        if (outcome_published(outcome))
            t->attempts = 0;
        retry = retry_time(d, t, outcome);
        if (retry != USEC_NEVER) {
            t->due_reason = reason;
            agenda_set(&d->agenda, t, retry);
        }
        arm_due(d);
    }
    tell_status(d);
    give_memory_back(d);
    if (d->options->once && retry == USEC_NEVER)
        once_finished(d, outcome);
}

/* ---- targets -------------------------------------------------------------------------------- */

/* First captures are spread; a target whose interval changed goes on with its schedule. */
static void schedule_change(struct daemon *d, const struct targets_change *change)
{
    usec now = now_boot(d);

    for (size_t i = 0; i < change->n_removed; i++) {
        agenda_set(&d->agenda, change->removed[i], USEC_NEVER);
        count_failing(d, change->removed[i]);
    }
    for (size_t i = 0; i < change->n_moved; i++)
        agenda_set(&d->agenda, change->moved[i], next_due(d, change->moved[i]));
    for (size_t i = 0; i < change->n_added; i++) {
        struct target *t = change->added[i];

        agenda_set(&d->agenda, t, schedule_first(i, change->n_added, t->job->interval, now));
    }
    arm_due(d);
}

/* Brings the targets up to date with a configuration and what discovery found. */
static int update_targets(struct daemon *d, const struct config *config)
{
    struct target_list *lists = calloc(config->n_jobs + 1, sizeof *lists);
    const struct target_list **views = calloc(config->n_jobs + 1, sizeof(struct target_list *));
    struct targets_change change;
    size_t total = 0;
    int r = lists && views ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < config->n_jobs; i++) {
        r = discovery_targets(d->discovery, config, i, &lists[i]);
        views[i] = &lists[i];
        total += lists[i].n;
    }
    if (r == 0)
        r = agenda_reserve(&d->agenda, total);
    if (r == 0)
        r = targets_update(d->targets, config, views, now_real(d), now_boot(d), &change);
    if (r == 0)
        schedule_change(d, &change);
    for (size_t i = 0; lists && i < config->n_jobs; i++)
        free(lists[i].items);
    free(lists);
    free(views);
    return r;
}

static void on_discovered(void *userdata)
{
    struct daemon *d = userdata;

    if (d->stage != STAGE_RUNNING)
        return;
    if (update_targets(d, d->config) < 0)
        log_error("not enough memory to take over discovered targets; the old ones stay");
    tell_status(d);
}

/* ---- signals -------------------------------------------------------------------------------- */

static struct retention_limits limits_of(const struct config *c)
{
    return (struct retention_limits){
        .max_bytes = c->storage.max_bytes,
        .max_age = c->storage.max_age,
        .max_files = c->storage.max_files,
        .min_free = c->storage.min_free,
    };
}

static void say_reload_failed(struct daemon *d, int r, struct diags *diags)
{
    static const struct log_fields fields = {.message_id = MESSAGE_ID_RELOAD_FAILED};
    _cleanup_free_ char *text = NULL;
    size_t len = 0;
    FILE *f = diags_count(diags) > 0 ? open_memstream(&text, &len) : NULL;

    if (f) {
        diags_print(diags, f);
        (void)fclose(f);
    }
    d->counters.reloads_failed++;
    log_write(LOG_LEVEL_ERROR, &fields, "reload failed, the old configuration stays: %s",
              text ? text : strerror(-r));
}

/* What the spool's place and this machine's name in keys depend on is not changed under way. */
static void warn_of_fixed(const struct config *old, const struct config *new)
{
    if (strcmp(old->storage.path, new->storage.path) != 0)
        log_warn("storage.path stays %s until contraced is restarted", old->storage.path);
    if (strcmp(old->host ? old->host : "", new->host ? new->host : "") != 0)
        log_warn("global.host stays what it was until contraced is restarted");
}

static int load_and_apply(struct daemon *d, struct diags *diags)
{
    struct config *fresh = NULL;
    struct retention_limits limits;
    int r = options_load(d->options, &fresh, &d->config_file, diags);

    if (r < 0)
        return r;
    r = discovery_set(d->discovery, fresh);
    if (r == 0)
        r = update_targets(d, fresh);
    if (r < 0) {
        (void)discovery_set(d->discovery, d->config);
        config_free(fresh);
        return r;
    }
    warn_of_fixed(d->config, fresh);
    limits = limits_of(fresh);
    spool_set_limits(d->spool, &limits);
    pipeline_set_concurrency(d->pipeline, fresh->max_concurrent_captures);
    log_set_level(fresh->log_level);
    log_set_format(fresh->log_format);
    config_free(d->config);
    d->config = fresh;
    return 0;
}

static void reload(struct daemon *d)
{
    static const struct log_fields fields = {.message_id = MESSAGE_ID_RELOADED};
    struct diags diags = {0};
    int r;

    notify_reloading();
    r = load_and_apply(d, &diags);
    if (r < 0) {
        say_reload_failed(d, r, &diags);
    } else {
        d->counters.reloads++;
        log_write(LOG_LEVEL_INFO, &fields, "reloaded %s: %zu targets",
                  d->config_file ? d->config_file : "the command line", targets_count(d->targets));
    }
    diags_done(&diags);
    notify_ready();
    tell_status(d);
}

static void suspend(struct daemon *d)
{
    static const struct log_fields fields = {.message_id = MESSAGE_ID_SUSPENDED};

    d->suspended = !d->suspended;
    log_write(LOG_LEVEL_INFO, &fields, "%s",
              d->suspended ? "suspended by SIGUSR2: no scheduled captures until the next one"
                           : "resumed by SIGUSR2");
    tell_status(d);
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
        suspend(d);
    else
        for (size_t i = 0; i < targets_count(d->targets); i++)
            pipeline_capture(d->pipeline, targets_at(d->targets, i), REASON_SIGNAL);
    return 0;
}

/* ---- start and stop, in order --------------------------------------------------------------- */

/* Blocked before the first thread starts, so that only the loop ever sees them. */
static int set_up_signals(struct daemon *d)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        (void)sigaddset(&set, signals[i]);
    /* A write over a limit of the file's size is an error like another, not our end. */
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return -errno;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        int r = sd_event_add_signal(d->event, NULL, signals[i], on_signal, d);

        if (r < 0)
            return r;
    }
    return 0;
}

static int set_up_timers(struct daemon *d)
{
    int r = sd_event_add_time(d->event, &d->due, CLOCK_BOOTTIME, 0, DUE_ACCURACY, on_due, d);

    if (r >= 0)
        r = sd_event_source_set_enabled(d->due, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_post(d->event, &d->leave, on_post, d);
    if (r >= 0)
        r = sd_event_source_set_enabled(d->leave, SD_EVENT_OFF);
    return r < 0 ? r : 0;
}

static struct targets *make_targets(const struct config *config)
{
    struct utsname name;

    if (config->host)
        return targets_new(config->host);
    return targets_new(uname(&name) == 0 ? name.nodename : "localhost");
}

static int build(struct daemon *d)
{
    const struct retention_limits limits = limits_of(d->config);
    int r = sd_event_new(&d->event);

    if (r >= 0)
        r = set_up_signals(d);
    if (r >= 0)
        r = set_up_timers(d);
    if (r >= 0)
        r = disk_new(d->event, &d->disk);
    if (r >= 0)
        r = spool_new(d->event, d->disk, d->config->storage.path, &limits, false, &d->spool);
    if (r >= 0)
        r = http_new(d->event, "contraced/" PACKAGE_VERSION, &d->http);
    if (r >= 0)
        r = pipeline_new(d->event, d->http, d->disk, d->spool, &d->counters, d->options->once,
                         on_finished, d, &d->pipeline);
    if (r >= 0)
        r = discovery_new(d->event, on_discovered, d, &d->discovery);
    if (r >= 0)
        r = discovery_set(d->discovery, d->config);
    if (r < 0)
        return r;
    pipeline_set_concurrency(d->pipeline, d->config->max_concurrent_captures);
    d->targets = make_targets(d->config);
    return d->targets ? update_targets(d, d->config) : -ENOMEM;
}

int daemon_new(const struct options *options, struct config *config, const char *config_file,
               struct daemon **ret)
{
    struct daemon *d = calloc(1, sizeof *d);
    int r;

    if (!d) {
        config_free(config);
        return -ENOMEM;
    }
    d->options = options;
    d->config = config;
    d->config_file = config_file;
    d->random = clock_real() ^ (clock_boot() << 20);
    d->once_until = clock_boot() + ONCE_PATIENCE;
    agenda_init(&d->agenda);
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
    agenda_done(&d->agenda);
    targets_free(d->targets);
    discovery_free(d->discovery);
    pipeline_free(d->pipeline);
    http_free(d->http);
    spool_free(d->spool);
    disk_free(d->disk);
    sd_event_source_disable_unref(d->due);
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
    struct buf text;

    buf_init(&text, 1024);
    counters_describe(&d->counters, &text);
    log_write(LOG_LEVEL_INFO, &fields, "stopped; %s", buf_str(&text));
    buf_done(&text);
}

int daemon_run(struct daemon *d)
{
    int r = notify_watchdog(d->event);

    if (r < 0)
        log_warn("the watchdog cannot be fed: %s", strerror(-r));
    d->once_left = targets_count(d->targets);
    say_started(d);
    if (d->options->once && d->once_left == 0) {
        log_error("no targets: file_sd_configs found none");
        return EXIT_FAILURE;
    }
    notify_ready();
    tell_status(d);
    r = sd_event_loop(d->event);
    if (r < 0)
        log_error("the event loop failed: %s", strerror(-r));
    say_stopped(d);
    return r < 0 || d->once_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
