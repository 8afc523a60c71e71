/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/artifactrules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "daemon/artifact/artifacts.h"

#define WHY_MAX 512

struct rules {
    const struct config *config;
    bool once;
    const char *file;
    struct diags *diags;
};

__attribute__((format(printf, 4, 5))) static void report(const struct rules *k,
                                                         const struct job_config *job,
                                                         const struct artifact *a, const char *fmt,
                                                         ...)
{
    const struct artifact_config *of = &job->of_kind[a->kind];
    char why[WHY_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    diags_add(k->diags, of->line > 0 ? k->file : NULL, of->line, of->column, NULL,
              "job `%s`: artifacts: %s", job->name, why);
}

static void check_path(const struct rules *k, const struct job_config *job,
                       const struct artifact *a)
{
    _cleanup_free_ char *path = NULL;

    if (job->of_kind[a->kind].path) {
        if (!a->sibling)
            report(k, job, a, "the path of the %s is %s", a->noun,
                   a->elsewhere ? "`path` in `flight`" : "the job's `path`");
        return;
    }
    if (a->elsewhere) {
        if (!job->flight.path)
            report(k, job, a,
                   "where is the %s? Go serves none by itself: `flight` must say where the service "
                   "has it",
                   a->noun);
        return;
    }
    if (artifact_path(a, job->path, job->profiles_path, &path) == -EINVAL)
        report(k, job, a,
               "where is the %s? `path` %s does not end in /trace, so profiles_path must say where "
               "net/http/pprof's profiles are",
               a->noun, job->path);
}

static bool lasts(const struct artifact *a, const struct artifact_config *of)
{
    return of->delta == ARTIFACT_DELTA_USUAL ? !a->snapshot : of->delta == ARTIFACT_DELTA_YES;
}

static void check_interval(const struct rules *k, const struct job_config *job,
                           const struct artifact *a)
{
    const struct artifact_config *of = &job->of_kind[a->kind];
    usec window = artifact_window(a, job->window);
    /* Of traces by the job's interval this is looked at with the job. */
    usec interval = of->interval > 0 ? of->interval : a->sibling ? job->interval : 0;
    double share = (double)window / (double)(interval > 0 ? interval : 1);
    char x[PARSE_TEXT_SIZE], y[PARSE_TEXT_SIZE];

    if (interval == 0 || k->once)
        return;
    if (of->interval > 0 && of->interval < job->timeout)
        report(k, job, a, "interval %s of the %s must be at least scrape_timeout %s",
               format_duration(of->interval, x), a->noun, format_duration(job->timeout, y));
    else if (lasts(a, of) && share > k->config->max_duty_cycle * (1 + 1e-9))
        report(k, job, a,
               "seconds %s every %s for the %s is a duty cycle of %.4g%%, above max_duty_cycle "
               "%.4g%%: raise its interval, shorten seconds, or raise max_duty_cycle",
               format_duration(window, x), format_duration(interval, y), a->noun, share * 100,
               k->config->max_duty_cycle * 100);
}

static void check_delta(const struct rules *k, const struct job_config *job,
                        const struct artifact *a)
{
    if (job->of_kind[a->kind].delta != ARTIFACT_DELTA_USUAL && !a->delta)
        report(k, job, a, "a %s has no `delta`: it is %s", a->noun,
               a->snapshot ? "a snapshot" : "always of `seconds`");
}

static void check_kind(const struct rules *k, const struct job_config *job, enum kind kind)
{
    const struct artifact *a = artifacts_of_kind(kind);

    check_path(k, job, a);
    check_delta(k, job, a);
    check_interval(k, job, a);
}

/* Of the global key nothing is told: a job whose profiles have no place goes without. */
static void check_samples(const struct rules *k, const struct job_config *job)
{
    const struct artifact *a = artifacts_sampler();
    _cleanup_free_ char *path = NULL;

    if (job->own.cpu_samples != CONFIG_ON || job->of_kind[a->kind].path ||
        artifact_path(a, job->path, job->profiles_path, &path) != -EINVAL)
        return;
    diags_add(k->diags, job->samples_line > 0 ? k->file : NULL, job->samples_line,
              job->samples_column, NULL,
              "job `%s`: cpu_samples: where is the %s? `path` %s does not end in /trace, so "
              "profiles_path must say where net/http/pprof's profiles are",
              job->name, a->noun, job->path);
}

int artifact_rules(const struct config *c, bool once, const char *file, struct diags *d)
{
    const struct rules k = {.config = c, .once = once, .file = file, .diags = d};
    size_t before = diags_count(d);

    for (size_t i = 0; i < c->n_jobs; i++) {
        for (unsigned kind = 0; kind < KINDS; kind++) {
            if (c->jobs[i].artifacts & 1u << kind)
                check_kind(&k, &c->jobs[i], (enum kind)kind);
        }
        check_samples(&k, &c->jobs[i]);
    }
    return diags_count(d) > before ? -EINVAL : 0;
}
