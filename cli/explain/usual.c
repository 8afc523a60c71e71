/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain/usual.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MS 1e6 /* nanoseconds */
#define S 1e9

const struct usual_number usual_numbers[USUAL_NUMBERS] = {
    {"scheduler.latency.p99_ns", "wait for a P, 99th percentile", USUAL_DURATION, false, false,
     MS / 4},
    {"scheduler.overdue_ns", "time with a wait for a P over 10 us", USUAL_SHARE, true, false, 0.05},
    {"scheduler.runnable_mean", "goroutines that queue for a P", USUAL_COUNT, false, false, 0.5},
    {"outliers.waits.lock.0.duration_ns", "longest wait for a lock", USUAL_DURATION, false, true,
     MS},
    {"outliers.waits.call.0.duration_ns", "longest wait for an answer", USUAL_DURATION, false, true,
     5 * MS},
    {"outliers.waits.request.0.duration_ns", "longest wait in a request", USUAL_DURATION, false,
     true, 5 * MS},
    {"outliers.tasks.0.duration_ns", "slowest task", USUAL_DURATION, false, true, 5 * MS},
    {"procs.executing_share", "Ps in use", USUAL_SHARE, false, false, 0.05},
    {"procs.gc_share", "Ps used by the collector", USUAL_SHARE, false, false, 0.02},
    {"gc.assist.share", "running time that is mark assist", USUAL_SHARE, false, false, 0.02},
    {"gc.stw.max_ns", "longest stop-the-world pause", USUAL_DURATION, false, false, 2 * MS},
    {"gc.cycles", "collections", USUAL_RATE, true, false, 1},
    {"gc.heap_max_bytes", "heap", USUAL_BYTES, false, false, 16e6},
    {"goroutines.max_alive", "goroutines", USUAL_COUNT, false, false, 20},
    {"goroutines.created", "goroutines created", USUAL_RATE, true, false, 100},
    {"syscalls.count", "system calls", USUAL_RATE, true, false, 500},
    {"syscalls.times.p99_ns", "system call, 99th percentile", USUAL_DURATION, false, false, MS},
    {"syscalls.longest_active.duration_ns", "longest system call", USUAL_DURATION, false, false,
     10 * MS},
    {"longest_run.duration_ns", "longest run without a pause", USUAL_DURATION, false, false,
     10 * MS},
    {"silences.total_ns", "time without a sign of life", USUAL_SHARE, true, false, 0.05},
    {"threads.seen", "threads", USUAL_COUNT, false, false, 8},
    {"events.total", "scheduling events", USUAL_RATE, true, false, 1000},
    {"context.cgroup.cpu.throttled_ns", "CPUs lost to the quota", USUAL_COUNT, true, false, 0.05},
    {"context.process.rss_bytes", "memory of the process", USUAL_BYTES, false, false, 32e6},
};

/* One step of a path into an object or a list. */
static const json_t *step_into(const json_t *json, const char *path, size_t n)
{
    char key[64];

    if (n >= sizeof(key))
        return NULL;
    memcpy(key, path, n);
    key[n] = '\0';
    if (json_is_array(json) && strspn(key, "0123456789") == n)
        return json_array_get(json, (size_t)strtoul(key, NULL, 10));
    return json_object_get(json, key);
}

/* NULL if the way ends before. */
static const json_t *follow(const json_t *json, const char *path)
{
    while (json && *path) {
        size_t n = strcspn(path, ".");

        json = step_into(json, path, n);
        path += n + (path[n] == '.');
    }
    return json;
}

static double read_number(const json_t *summary, const struct usual_number *number, double window)
{
    const json_t *json = follow(summary, number->path);
    double value = json_number_value(json);

    if (!json_is_number(json))
        return number->zero && json_is_object(json_object_get(summary, "outliers")) ? 0 : NAN;
    if (value < 0 || !isfinite(value))
        return NAN;
    if (!number->each)
        return value;
    if (window <= 0)
        return NAN;
    return number->form == USUAL_RATE ? value / window * S : value / window;
}

void usual_read(const json_t *summary, struct usual_values *ret)
{
    double window = json_number_value(json_object_get(summary, "window_ns"));

    for (size_t i = 0; i < USUAL_NUMBERS; i++)
        ret->values[i] = read_number(summary, &usual_numbers[i], window);
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

double usual_median(double *values, size_t n)
{
    if (n == 0)
        return NAN;
    qsort(values, n, sizeof(*values), by_value);
    return values[(n - 1) / 2];
}

/* Whether the i-th number moved; fills in the move. */
static bool moved(const struct usual_values *earlier, size_t n, size_t i, double now,
                  struct usual_move *ret)
{
    double values[USUAL_MAX], noise = usual_numbers[i].noise, usual;
    size_t known = 0;

    for (size_t k = 0; k < n && known < USUAL_MAX; k++)
        if (!isnan(earlier[k].values[i]))
            values[known++] = earlier[k].values[i];
    usual = usual_median(values, known);
    if (isnan(usual) || isnan(now))
        return false;
    if (now >= values[(known - 1) / 4] && now <= values[known - 1 - (known - 1) / 4])
        return false;
    *ret = (struct usual_move){
        .number = &usual_numbers[i],
        .usual = usual,
        .now = now,
        .n = known,
        .times = (fmax(usual, now) + noise) / (fmin(usual, now) + noise),
    };
    return ret->times >= 2;
}

size_t usual_moves(const struct usual_values *earlier, size_t n, const struct usual_values *now,
                   struct usual_move ret[static USUAL_MOVES])
{
    struct usual_move move;
    size_t found = 0, at;

    for (size_t i = 0; i < USUAL_NUMBERS; i++) {
        if (!moved(earlier, n, i, now->values[i], &move))
            continue;
        for (at = found; at > 0 && ret[at - 1].times < move.times; at--)
            if (at < USUAL_MOVES)
                ret[at] = ret[at - 1];
        if (at < USUAL_MOVES)
            ret[at] = move;
        found += found < USUAL_MOVES;
    }
    return found;
}

const char *usual_text(const char *const *texts, size_t n, size_t *ret_times)
{
    const char *most = NULL;
    size_t times = 0;

    for (size_t i = 0; i < n; i++) {
        size_t same = 0;

        for (size_t k = 0; k < n; k++)
            same += strcmp(texts[i], texts[k]) == 0;
        if (same > times) {
            times = same;
            most = texts[i];
        }
    }
    if (most)
        *ret_times = times;
    return most;
}
