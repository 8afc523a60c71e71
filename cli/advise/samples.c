/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/advise/samples.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trace/findings/code.h"

#define SECOND 1e9
#define SCORE 0.5 /* from here on it is a finding */

static const char *const paths[NUMBERS] = {
    [NUMBER_WINDOW] = "window_ns",
    [NUMBER_PROCS] = "procs.gomaxprocs.last",
    [NUMBER_EXECUTING] = "procs.executing_share",
    [NUMBER_ALL_BUSY] = "procs.all_busy_ns",
    [NUMBER_GC_SHARE] = "procs.gc_share",
    [NUMBER_ASSIST] = "gc.assist.share",
    [NUMBER_CYCLES] = "gc.cycles",
    [NUMBER_HEAP] = "gc.heap_max_bytes",
    [NUMBER_HEAP_GOAL] = "gc.heap_goal_max_bytes",
    [NUMBER_LATENCY] = "scheduler.latency.p99_ns",
    [NUMBER_RUNNABLE] = "scheduler.runnable_mean",
    [NUMBER_ALIVE] = "goroutines.max_alive",
    [NUMBER_POLLED] = "goroutines.network_ns",
    [NUMBER_LOCK_WAIT] = "outliers.waits.lock.0.duration_ns",
    [NUMBER_REQUEST_WAIT] = "outliers.waits.request.0.duration_ns",
    [NUMBER_QUOTA] = "context.cgroup.cpu.quota_ns",
    [NUMBER_PERIOD] = "context.cgroup.cpu.period_ns",
    [NUMBER_PERIODS] = "context.cgroup.cpu.nr_periods",
    [NUMBER_THROTTLED_PERIODS] = "context.cgroup.cpu.nr_throttled",
    [NUMBER_THROTTLED] = "context.cgroup.cpu.throttled_ns",
    [NUMBER_USAGE] = "context.cgroup.cpu.usage_ns",
    [NUMBER_MEMORY] = "context.cgroup.memory.current_bytes",
    [NUMBER_MEMORY_MAX] = "context.cgroup.memory.max_bytes",
    [NUMBER_CPUS_ALLOWED] = "context.process.cpus_allowed",
    [NUMBER_CPUS] = "context.host.cpus",
    [NUMBER_BUSY] = "context.host.busy_ns",
    [NUMBER_CONTEXT_WINDOW] = "context.window_ns",
};

/* NAN if there is no number that can be one of these. */
static double number_at(const json_t *json, const char *path)
{
    char key[64];
    double value;

    while (json && *path) {
        size_t n = strcspn(path, ".");

        if (n >= sizeof(key))
            return NAN;
        memcpy(key, path, n);
        key[n] = '\0';
        json = json_is_array(json) ? json_array_get(json, strtoul(key, NULL, 10))
                                   : json_object_get(json, key);
        path += n + (path[n] == '.');
    }
    value = json_number_value(json);
    return json_is_number(json) && isfinite(value) && value >= 0 ? value : NAN;
}

/* A list of outliers that is not there is of nothing, if there are any outliers. */
static void fill_wait(double *value, const json_t *summary)
{
    if (isnan(*value) &&
        json_is_object(json_object_get(json_object_get(summary, "outliers"), "waits")))
        *value = 0;
}

int samples_add(struct samples *s, const json_t *summary, usec time)
{
    const char *label = json_string_value(json_object_get(summary, "label"));
    struct sample *sample = &s->list[s->n];
    double window = number_at(summary, paths[NUMBER_WINDOW]);

    if (!(window > 0) || (label && strcmp(label, CODE_NOT_INSPECTED) == 0)) {
        s->left_out++;
        return 0;
    }
    if (s->n == SAMPLES_MAX)
        return -E2BIG;
    *sample = (struct sample){
        .findings = json_incref(json_object_get(summary, "findings")),
        .time = time,
    };
    for (unsigned i = 0; i < NUMBERS; i++)
        sample->values[i] = paths[i] ? number_at(summary, paths[i]) : NAN;
    fill_wait(&sample->values[NUMBER_LOCK_WAIT], summary);
    fill_wait(&sample->values[NUMBER_REQUEST_WAIT], summary);
    s->n++;
    return 0;
}

void samples_done(struct samples *s)
{
    for (size_t i = 0; i < s->n; i++)
        json_decref(s->list[i].findings);
    s->n = 0;
}

const json_t *sample_finding(const struct sample *s, const char *code)
{
    const json_t *finding;
    size_t i;

    json_array_foreach(s->findings, i, finding) {
        const char *own = json_string_value(json_object_get(finding, "code"));

        if (own && strcmp(own, code) == 0 && number_at(finding, "score") >= SCORE)
            return finding;
    }
    return NULL;
}

double finding_number(const json_t *finding, const char *name)
{
    return number_at(json_object_get(finding, "evidence"), name);
}

double sample_mean(const struct sample *s, enum number number)
{
    return s->values[number] / s->values[NUMBER_WINDOW];
}

double sample_rate(const struct sample *s, enum number number)
{
    return sample_mean(s, number) * SECOND;
}

double sample_quota(const struct sample *s)
{
    double period = s->values[NUMBER_PERIOD];

    return period > 0 ? s->values[NUMBER_QUOTA] / period : NAN;
}

double sample_cpus(const struct sample *s)
{
    double allowed = s->values[NUMBER_CPUS_ALLOWED];

    return isnan(allowed) ? s->values[NUMBER_CPUS] : allowed;
}

double sample_throttled(const struct sample *s)
{
    double periods = s->values[NUMBER_PERIODS];

    if (isnan(sample_quota(s)))
        return NAN;
    return periods > 0 ? s->values[NUMBER_THROTTLED_PERIODS] / periods : 0;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

double samples_median(const struct samples *s, double (*value)(const struct sample *),
                      bool (*counts)(const struct sample *))
{
    double values[SAMPLES_MAX];
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        double one = !counts || counts(&s->list[i]) ? value(&s->list[i]) : NAN;

        if (!isnan(one))
            values[n++] = one;
    }
    if (n == 0)
        return NAN;
    qsort(values, n, sizeof(values[0]), by_value);
    return values[(n - 1) / 2];
}
