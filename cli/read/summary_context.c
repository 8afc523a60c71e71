/* SPDX-License-Identifier: Apache-2.0 */

/* What the host knew while the trace was taken: where that stands, and how it looks. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/jsontext.h"
#include "cli/common/quantity.h"
#include "cli/common/screen.h"
#include "cli/read/summary.h"
#include "lib/record/context.h"
#include "lib/record/name.h"
#include "lib/record/record.h"

static bool is_of_a_trace(const json_t *record)
{
    const char *artifact = json_string_value(json_object_get(record, "artifact"));

    return !artifact || strcmp(artifact, kind_name(KIND_TRACE)) == 0;
}

/* -ENODATA: nothing about a host; -ENOENT is about a file. */
static int parse(const char *text, size_t n, struct summary_given *ret)
{
    _cleanup_json_ json_t *o = NULL;
    int r = jsontext_parse(text, n, 0, NULL, &o);
    const json_t *bytes = json_object_get(o, "bytes");
    const char *start = json_string_value(json_object_get(o, "start"));
    usec at;

    if (r < 0)
        return r;
    ret->bytes = json_is_integer(bytes) ? json_integer_value(bytes) : -1;
    ret->start = start && clock_parse_rfc3339(start, &at) == 0 && at < INT64_MAX / 1000
                   ? (int64_t)at * 1000
                   : 0;
    r = context_of_json(o, &ret->context);
    if (r == -ENOENT)
        return -ENODATA;
    return r == 0 && !is_of_a_trace(o) ? -ESTALE : r;
}

static int given(const char *value, bool confined, struct summary_given *ret)
{
    _cleanup_close_ int fd = -1;
    struct buf text;
    int r;

    if (value[0] == '{')
        return parse(value, strlen(value), ret);
    if (confined)
        return -EACCES;
    fd = open(value, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    buf_init(&text, RECORD_MAX);
    r = buf_read_fd(&text, fd);
    if (r == 0)
        r = parse(buf_str(&text), text.len, ret);
    buf_done(&text);
    return r;
}

int summary_context_given(const char *value, bool confined, struct summary_given *ret)
{
    int r = given(value, confined, ret);

    const char *called = value[0] == '{' ? "--context" : value;

    if (r == -EINVAL)
        complain("%s: no JSON object", called);
    else if (r == -E2BIG)
        complain("%s: longer than a record may be", called);
    else if (r == -ENODATA)
        complain("%s: nothing about a host stands there", called);
    else if (r == -ESTALE)
        complain("%s: not the record of a trace", called);
    else if (r < 0)
        complain("%s: %s", called, strerror(-r));
    return r;
}

#define OTHER "summary: --context is of another trace: "

/* Of a trace that is damaged not all was read. */
static bool other_size(const struct summary_given *g, const struct summary *s)
{
    return g->bytes >= 0 &&
           (s->complete ? (uint64_t)g->bytes != s->bytes : (uint64_t)g->bytes < s->bytes);
}

/* A trace begins a moment after the request; clocks may be set meanwhile. */
#define BEGINS_WITHIN 60000000000.0

static bool other_time(const struct summary_given *g, const struct summary *s)
{
    double between = (double)g->start - (double)s->wall_start;

    return g->start > 0 && s->wall_start > 0 &&
           (between > BEGINS_WITHIN || between < -BEGINS_WITHIN);
}

/* The readings are made beside the request: a moment before and after. A record, whose size is
 * known, may have a shorter one: contraced may have come late to the first reading. */
#define WINDOW_MORE 10000000000.0

static bool other_window(const struct summary_given *g, const struct summary *s)
{
    double window = (double)g->context.window, spans = (double)s->spans;

    return g->bytes < 0 && s->complete && g->context.window >= 0 &&
           (window * 2 < spans || window > spans * 2 + WINDOW_MORE);
}

int summary_context_check(const struct summary_given *given, const char *name,
                          const struct summary *s)
{
    char theirs[QUANTITY_SIZE], ours[QUANTITY_SIZE];

    if (other_size(given, s))
        complain(OTHER "that has %s bytes, %s %s", quantity_count((uint64_t)given->bytes, theirs),
                 name, quantity_count(s->bytes, ours));
    else if (other_time(given, s))
        complain(OTHER "that began %s %s than %s",
                 quantity_duration(llabs(given->start - s->wall_start), false, theirs),
                 given->start < s->wall_start ? "earlier" : "later", name);
    else if (other_window(given, s))
        complain(OTHER "the window is %s, %s spans %s",
                 quantity_duration(given->context.window, false, theirs), name,
                 quantity_duration(s->spans, false, ours));
    else
        return 0;
    return -ESTALE;
}

bool summary_record_beside(const char *trace, char path[static SUMMARY_PATH_MAX])
{
    const char *slash = strrchr(trace, '/'), *name = slash ? slash + 1 : trace;
    size_t n = strlen(name), suffix = strlen(kind_suffix(KIND_TRACE));
    char record[NAME_KEY_MAX];

    if (n <= suffix || n >= NAME_KEY_MAX - sizeof(".json") ||
        strcmp(name + n - suffix, kind_suffix(KIND_TRACE)) != 0 ||
        (size_t)(name - trace) + NAME_KEY_MAX > SUMMARY_PATH_MAX)
        return false;
    (void)snprintf(path, SUMMARY_PATH_MAX, "%.*s%s", (int)(name - trace), trace,
                   name_record_key(name, record));
    return true;
}

/* Whether a record is of a file with so many bytes. */
static bool is_of(const json_t *record, off_t bytes)
{
    return json_integer_value(json_object_get(record, "bytes")) == bytes && is_of_a_trace(record);
}

bool summary_context_beside(const char *trace, struct context *ret)
{
    _cleanup_json_ json_t *record = NULL;
    char path[SUMMARY_PATH_MAX];
    struct buf text;
    struct stat st;
    bool found = false;

    if (!summary_record_beside(trace, path) || stat(trace, &st) < 0)
        return false;
    buf_init(&text, RECORD_MAX);
    if (buf_read_file(&text, path) == 0 &&
        jsontext_parse(buf_str(&text), text.len, 0, NULL, &record) == 0)
        found = is_of(record, st.st_size) && context_of_json(record, ret) == 0;
    buf_done(&text);
    return found;
}

/* A line of parts: `heading` is NULL once it was written. */
struct line {
    FILE *out;
    const char *heading;
    bool utf8;
};

static void part(struct line *l)
{
    (void)fputs(l->heading ? l->heading : ", ", l->out);
    l->heading = NULL;
}

static void end(const struct line *l)
{
    if (!l->heading)
        (void)fputc('\n', l->out);
}

/* What would show as 0%, and what cannot be, is left out. */
static void share_part(struct line *l, const char *what, int64_t time, double of)
{
    double share = context_share(time, of);
    char text[QUANTITY_SIZE];

    if (share < 0.0005)
        return;
    part(l);
    (void)fprintf(l->out, "%s %s", what, quantity_share(share, text));
}

static void count_part(struct line *l, int64_t n, const char *one, const char *several)
{
    if (n < 0)
        return;
    part(l);
    (void)fprintf(l->out, "%" PRId64 " %s", n, n == 1 ? one : several);
}

static void used_part(struct line *l, int64_t time, const struct context *c)
{
    double window = (double)c->window;

    if (time < 0 || window <= 0 ||
        (c->cpus > 0 && context_share(time, window * (double)c->cpus) < 0))
        return;
    part(l);
    (void)fprintf(l->out, "used %.3g CPU", (double)time / window);
}

static void machine(struct line *l, const struct context *c)
{
    double window = (double)c->window, all = window * (double)c->cpus;

    count_part(l, c->cpus, "CPU", "CPUs");
    if (c->load >= 0) {
        part(l);
        (void)fprintf(l->out, "load %.1f", c->load);
    }
    share_part(l, "busy", c->busy, all);
    share_part(l, "stolen", c->steal, all);
    share_part(l, "CPU pressure", c->host_cpu.some, window);
    share_part(l, "memory pressure", c->host_memory.some, window);
    share_part(l, "IO pressure", c->host_io.some, window);
    end(l);
}

static void throttled_part(struct line *l, const struct context *c)
{
    char text[QUANTITY_SIZE];

    if (c->periods == 0 || !context_counts_throttling(c, (double)c->window))
        return;
    part(l);
    (void)fprintf(l->out, "%" PRId64 " of %" PRId64 " period%s throttled", c->throttled_periods,
                  c->periods, quantity_plural((uint64_t)c->periods));
    if (c->throttled > 0)
        (void)fprintf(l->out, " (%s)", quantity_duration(c->throttled, l->utf8, text));
}

static void quota_part(struct line *l, const struct context *c)
{
    if (c->quota <= 0 || c->period <= 0)
        return;
    part(l);
    (void)fprintf(l->out, "quota %.3g CPU", (double)c->quota / (double)c->period);
    if (c->levels_up > 0)
        (void)fprintf(l->out, " (%" PRId64 " level%s above)", c->levels_up,
                      quantity_plural((uint64_t)c->levels_up));
}

static void memory_part(struct line *l, const struct context *c)
{
    char current[QUANTITY_SIZE], max[QUANTITY_SIZE];

    if (c->memory_current < 0 || c->memory_max < 0)
        return;
    part(l);
    (void)fprintf(l->out, "memory %s of %s", quantity_bytes((uint64_t)c->memory_current, current),
                  quantity_bytes((uint64_t)c->memory_max, max));
}

/* The root has everything that runs and no limit: what it used and waited for says nothing of the
 * target. */
static bool is_root(const struct context *c)
{
    return strcmp(c->level, "/") == 0 && c->quota < 0 && c->memory_max < 0 &&
           c->throttled_periods <= 0;
}

static void cgroup(struct line *l, const struct context *c)
{
    double window = (double)c->window;

    if (is_root(c))
        return;
    throttled_part(l, c);
    quota_part(l, c);
    used_part(l, c->usage, c);
    share_part(l, "CPU pressure", c->cgroup_cpu.some, window);
    memory_part(l, c);
    share_part(l, "memory pressure", c->cgroup_memory.some, window);
    share_part(l, "IO pressure", c->cgroup_io.some, window);
    end(l);
}

static void process(struct line *l, const struct context *c)
{
    char text[QUANTITY_SIZE];

    count_part(l, c->threads, "thread", "threads");
    if (c->cpus_allowed >= 0 && c->cpus_allowed < c->cpus) {
        part(l);
        (void)fprintf(l->out, "on %" PRId64 " of the CPUs", c->cpus_allowed);
    }
    if (c->rss >= 0) {
        part(l);
        (void)fputs(quantity_bytes((uint64_t)c->rss, text), l->out);
    }
    count_part(l, c->open_fds, "descriptor", "descriptors");
    used_part(l, c->cpu, c);
    if (c->run_wait >= 0) {
        part(l);
        (void)fprintf(l->out, "waited %s for a CPU", quantity_duration(c->run_wait, l->utf8, text));
    }
    end(l);
}

void summary_context_text(FILE *out, const struct context *c, bool utf8)
{
    struct line lines[] = {
        {out, "Machine: ", utf8}, {out, "Cgroup: ", utf8}, {out, "Process: ", utf8}};

    (void)fputc('\n', out);
    machine(&lines[0], c);
    cgroup(&lines[1], c);
    process(&lines[2], c);
}
