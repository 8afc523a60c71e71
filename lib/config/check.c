/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/config/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "lib/net/proxy.h"
#include "base/segments.h"
#include "lib/config/check_report.h"
#include "lib/net/listen.h"
#include "lib/config/trigger.h"
#include "lib/config/upload_rules.h"
#include "lib/yaml/text.h"

/* How much the default timeout is longer than the window. */
#define TIMEOUT_SPARE (15 * USEC_PER_SEC)

#define AT CHECK_AT

void check_inherit(const struct config *c, bool once, struct job_config *job)
{
    job->interval = job->own.interval ? job->own.interval : c->interval;
    job->window = job->own.window ? job->own.window : c->window;
    job->body_size_limit = job->own.body_size_limit ? job->own.body_size_limit : c->body_size_limit;
    job->cpu_samples =
        job->own.cpu_samples != CONFIG_INHERIT ? job->own.cpu_samples == CONFIG_ON : c->cpu_samples;
    job->timeout = job->own.timeout;
    if (job->timeout > 0)
        return;
    job->timeout = c->timeout ? c->timeout : job->window + TIMEOUT_SPARE;
    /* A global timeout over the global interval is a separate error. */
    if (!once && job->timeout > job->interval && (!c->timeout || job->own.interval))
        job->timeout = job->interval;
}

#define ABOUT_SIZE (CONFIG_JOB_NAME_MAX + 16)

/* The start of a job's error message; empty without a job. */
static const char *about_job(const struct job_config *job, char out[static ABOUT_SIZE])
{
    out[0] = '\0';
    if (job && job->name)
        (void)snprintf(out, ABOUT_SIZE, "job `%s`: ", job->name);
    return out;
}

/* `job` may be NULL. */
__attribute__((format(printf, 4, 5))) static void report(struct check *k, const void *const *of,
                                                         const struct job_config *job,
                                                         const char *fmt, ...)
{
    char about[ABOUT_SIZE];
    va_list ap;

    va_start(ap, fmt);
    check_report_list(k, of, about_job(job, about), fmt, ap);
    va_end(ap);
}

/* The shortest interval, in whole seconds, that the window allows, as text. */
static const char *least_interval(const struct check *k, usec window,
                                  char out[static PARSE_TEXT_SIZE])
{
    double seconds = (double)window / k->c->max_duty_cycle / 1e6;
    usec whole = (usec)seconds;

    /* Rounded, so that 2 s / 1% is exactly 200 s despite binary fractions. */
    if (seconds - (double)whole > 1e-6)
        whole++;
    return format_duration(whole * USEC_PER_SEC, out);
}

static bool above_duty_cycle(const struct check *k, const struct job_config *job)
{
    double allowed = (double)job->interval * k->c->max_duty_cycle;

    return (double)job->window > allowed * (1 + 1e-9);
}

static void check_duty_cycle(struct check *k, const struct job_config *job,
                             const struct job_config *shown, const void *const *of)
{
    char window[PARSE_TEXT_SIZE], interval[PARSE_TEXT_SIZE], least[PARSE_TEXT_SIZE];

    if (!above_duty_cycle(k, job))
        return;
    report(k, of, shown,
           "seconds %s every %s is a duty cycle of %.4g%%, above max_duty_cycle %.4g%%: raise "
           "scrape_interval to at least %s, shorten seconds, or raise max_duty_cycle",
           format_duration(job->window, window), format_duration(job->interval, interval),
           (double)job->window / (double)job->interval * 100, k->c->max_duty_cycle * 100,
           least_interval(k, job->window, least));
}

/* Checks window, timeout and interval, in this order; `shown` is NULL for global values. */
static void check_timing(struct check *k, const struct job_config *job,
                         const struct job_config *shown)
{
    const struct config *c = k->c;
    char a[PARSE_TEXT_SIZE], b[PARSE_TEXT_SIZE];

    if (check_any_bad(k, AT(&job->own.interval, &job->own.window, &job->own.timeout, &c->interval,
                            &c->window, &c->timeout, &c->max_duty_cycle)))
        return;
    if (!k->once && job->interval <= job->window) {
        report(k, AT(&job->own.interval, &job->own.window, &c->interval, &c->window), shown,
               "scrape_interval %s must be more than seconds %s", format_duration(job->interval, a),
               format_duration(job->window, b));
        return;
    }
    if (job->timeout <= job->window)
        report(k, AT(&job->own.timeout, &job->own.window, &c->timeout, &c->window), shown,
               "scrape_timeout %s must be more than seconds %s", format_duration(job->timeout, a),
               format_duration(job->window, b));
    if (k->once)
        return;
    if (job->timeout > job->interval)
        report(k, AT(&job->own.timeout, &job->own.interval, &c->timeout, &c->interval), shown,
               "scrape_timeout %s must be at most scrape_interval %s",
               format_duration(job->timeout, a), format_duration(job->interval, b));
    check_duty_cycle(
        k, job, shown,
        AT(&job->own.interval, &job->own.window, &c->interval, &c->window, &c->max_duty_cycle));
}

static void check_size(struct check *k, const struct job_config *job,
                       const struct job_config *shown)
{
    const struct config *c = k->c;
    char a[PARSE_TEXT_SIZE], b[PARSE_TEXT_SIZE];

    if (job->body_size_limit <= c->storage.max_bytes)
        return;
    if (check_any_bad(k, AT(&job->own.body_size_limit, &c->body_size_limit, &c->storage.max_bytes)))
        return;
    report(k, AT(&job->own.body_size_limit, &c->body_size_limit, &c->storage.max_bytes), shown,
           "body_size_limit %s must be at most storage.max_bytes %s",
           format_size(job->body_size_limit, a), format_size(c->storage.max_bytes, b));
}

/* Jobs without own values have the global ones, which are checked only once. */
static void check_limits(struct check *k, const struct job_config *job)
{
    bool timing = job->own.interval || job->own.window || job->own.timeout;

    if (timing || !k->global_timing_done)
        check_timing(k, job, timing ? job : NULL);
    if (job->own.body_size_limit || !k->global_size_done)
        check_size(k, job, job->own.body_size_limit ? job : NULL);
    k->global_timing_done = k->global_timing_done || !timing;
    k->global_size_done = k->global_size_done || !job->own.body_size_limit;
}

static int by_address(const void *a, const void *b)
{
    const struct target_config *x = *(const struct target_config *const *)a;
    const struct target_config *y = *(const struct target_config *const *)b;
    int order = strcmp(x->address, y->address);

    return order ? order : (x > y) - (x < y);
}

static void report_twice(struct check *k, const struct job_config *job,
                         const struct target_config *first, const struct target_config *second)
{
    const struct place *p = k->f ? places_find(&k->f->places, first->address) : NULL;

    if (p)
        report(k, AT(second->address), job,
               "target `%.80s` is given twice; the first is in line %u", second->address, p->line);
    else
        report(k, AT(second->address), job, "target `%.80s` is given twice", second->address);
}

static int check_targets(struct check *k, const struct job_config *job)
{
    _cleanup_free_ const struct target_config **sorted = NULL;
    size_t n = job->targets.n;

    if (n < 2)
        return 0;
    sorted = calloc(n, sizeof(*sorted));
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &job->targets.items[i];
    qsort(sorted, n, sizeof(*sorted), by_address);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(sorted[i - 1]->address, sorted[i]->address) == 0)
            report_twice(k, job, sorted[i - 1], sorted[i]);
    }
    return 0;
}

/* What answers there is taken for a recording, as both are execution traces. */
static void check_flight(struct check *k, const struct job_config *job)
{
    if (!job->flight.path || check_any_bad(k, AT(&job->flight.path, &job->path)) ||
        strcmp(job->flight.path, job->path) != 0)
        return;
    report(
        k, AT(&job->flight.path), job,
        "flight: %.200s is the job's `path`, where a trace begins when it is asked for: a flight "
        "recording, which has the past, is at a path of its own",
        job->flight.path);
}

static void check_one_proxy(struct check *k, const struct job_config *job,
                            const struct proxy *proxy)
{
    if (proxy->url && proxy->from_environment)
        report(k, AT(&proxy->url), job, "proxy_url and proxy_from_environment exclude each other");
}

static bool finds_targets(const struct job_config *job)
{
    return job->targets.n > 0 || job->n_file_sd > 0 || job->n_http_sd > 0;
}

static int check_job(struct check *k, const struct job_config *job)
{
    const struct proxy *proxy = &job->access.proxy;
    char about[ABOUT_SIZE];

    check_limits(k, job);
    check_access(k, &job->access, &job->name, about_job(job, about));
    check_one_proxy(k, job, proxy);
    for (size_t i = 0; i < job->n_http_sd; i++) {
        check_access(k, &job->http_sd[i].access, &job->http_sd[i].url, about_job(job, about));
        check_one_proxy(k, job, &job->http_sd[i].access.proxy);
    }
    check_flight(k, job);
    if (!finds_targets(job) && !check_any_bad(k, AT(&job->targets, &job->file_sd, &job->http_sd)))
        report(k, AT(&job->name), job,
               "needs static_configs, file_sd_configs or http_sd_configs with a target");
    return check_targets(k, job);
}

static int by_name(const void *a, const void *b)
{
    const struct job_config *x = *(const struct job_config *const *)a;
    const struct job_config *y = *(const struct job_config *const *)b;
    int order = strcmp(x->name, y->name);

    return order ? order : (x > y) - (x < y);
}

static int check_names(struct check *k)
{
    _cleanup_free_ const struct job_config **sorted = NULL;
    size_t n = 0;

    if (k->c->n_jobs < 2)
        return 0;
    sorted = calloc(k->c->n_jobs, sizeof(*sorted));
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < k->c->n_jobs; i++) {
        if (k->c->jobs[i].name)
            sorted[n++] = &k->c->jobs[i];
    }
    qsort(sorted, n, sizeof(*sorted), by_name);
    for (size_t i = 1; i < n; i++) {
        const struct place *p = k->f ? places_find(&k->f->places, &sorted[i - 1]->name) : NULL;

        if (strcmp(sorted[i - 1]->name, sorted[i]->name) != 0)
            continue;
        if (p)
            report(k, AT(&sorted[i]->name), NULL,
                   "job_name `%s` is given twice; the first is in line %u", sorted[i]->name,
                   p->line);
        else
            report(k, AT(&sorted[i]->name), NULL, "job_name `%s` is given twice", sorted[i]->name);
    }
    return 0;
}

static void check_storage(struct check *k)
{
    const struct storage_config *s = &k->c->storage;

    if (s->path[0] != '/' && !check_any_bad(k, AT(&s->path)))
        report(k, AT(&s->path), NULL, "storage.path `%.80s` must be absolute", s->path);
    else if (segments_within("/", s->path) && !check_any_bad(k, AT(&s->path)))
        report(k, AT(&s->path), NULL, "storage.path `%.80s` is the root of all: name a directory",
               s->path);
}

/* An address that other machines reach needs a token: everybody there could order captures. */
static void check_web(struct check *k)
{
    const struct web_config *w = &k->c->web;
    const struct listen_address *exposed;
    struct listen_list list;
    const char *why;

    if (k->once || w->bearer_token_file ||
        check_any_bad(k, AT(&w->listen_address, &w->bearer_token_file)) ||
        listen_parse_list(w->listen_address, &list, &why) < 0)
        return;
    exposed = listen_list_exposed(&list);
    if (exposed)
        report(k, AT(&w->listen_address), NULL,
               "web.listen_address `%s` can be reached from other machines: "
               "give web.bearer_token_file, too",
               exposed->text);
}

/* Checks the global values, as those of a job without own ones. The job is allocated, so that its
 * address matches no remembered place. */
static int check_global(struct check *k)
{
    _cleanup_free_ struct job_config *nobody = calloc(1, sizeof(*nobody));

    if (!nobody)
        return -ENOMEM;
    check_inherit(k->c, k->once, nobody);
    check_limits(k, nobody);
    return 0;
}

int check_rules(struct config *c, bool once, struct yaml_file *f, struct diags *d)
{
    struct check k = {.c = c, .once = once, .f = f, .d = d};
    int r = 0;

    check_storage(&k);
    check_web(&k);
    for (size_t i = 0; i < c->n_jobs && r == 0; i++) {
        check_inherit(c, once, &c->jobs[i]);
        r = check_job(&k, &c->jobs[i]);
    }
    if (r == 0)
        r = check_names(&k);
    if (r == 0 && c->n_jobs == 0)
        r = check_global(&k);
    if (r == 0)
        r = check_triggers(&k);
    if (r == 0)
        r = check_upload(&k);
    if (r < 0)
        diags_add(d, f ? f->name : NULL, 0, 0, NULL, "out of memory");
    return r;
}
