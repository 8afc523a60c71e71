/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "cli/common/print.h"
#include "cli/common/quantity.h"
#include "cli/read/summary_page.h"

#define WHAT_WIDTH 30
#define MILLISECOND 1000000
#define UNASKED 1       /* rows of each kind if nobody says how many, */
#define UNASKED_TASKS 4 /* and of tasks */

/* The kinds: their JSON, below `waits` or not; their word in the text; and how long one must last to
 * be shown there unless a number of rows is asked for. */
static const struct kind {
    const char *key;
    bool wait;
    const char *word;
    bool named; /* its name says more than the word: that comes behind it */
    int64_t least;
} kinds[SUMMARY_N_SLOW] = {
    [SUMMARY_SLOW_TASKS] = {"tasks", false, "task", true, 0},
    [SUMMARY_SLOW_REGIONS] = {"regions", false, "region", true, 0},
    [SUMMARY_SLOW_LOCK] = {"lock", true, "wait for a lock", false, MILLISECOND},
    [SUMMARY_SLOW_CALL] = {"call", true, "wait for a peer's answer", false, MILLISECOND},
    [SUMMARY_SLOW_REQUEST] = {"request", true, "in a request:", true, MILLISECOND},
    [SUMMARY_SLOW_CHANNEL] = {"channel", true, "wait:", true, MILLISECOND},
    [SUMMARY_SLOW_NETWORK] = {"network", true, "wait for the network", false, MILLISECOND},
    [SUMMARY_SLOW_UNKNOWN] = {"unknown", true, "wait from before the trace", false, MILLISECOND},
    [SUMMARY_SLOW_SYSCALLS] = {"syscalls", false, "syscall", false, MILLISECOND},
    [SUMMARY_SLOW_RUNS] = {"runs", false, "run without a pause", false, 10 * MILLISECOND},
    [SUMMARY_SLOW_LATENCIES] = {"latencies", false, "runnable to run", false, MILLISECOND},
    [SUMMARY_SLOW_PAUSES] = {"pauses", false, "pause:", true, MILLISECOND},
};

static const char *const id_keys[SUMMARY_N_IDS] = {
    [SUMMARY_TRACE_ID] = "trace_id",
    [SUMMARY_SPAN_ID] = "span_id",
    [SUMMARY_TRACEPARENT] = "traceparent",
};

static bool has_ids(const struct summary_work *work)
{
    for (size_t i = 0; i < SUMMARY_N_IDS; i++)
        if (work->ids[i])
            return true;
    return false;
}

static void put_ids(struct jsonwriter *w, const struct summary_work *work)
{
    jsonwriter_object(w, "ids");
    for (size_t i = 0; i < SUMMARY_N_IDS; i++)
        if (work->ids[i])
            jsonwriter_text(w, id_keys[i], work->ids[i]);
    jsonwriter_end(w);
}

static void put_work(struct jsonwriter *w, const struct summary_work *work)
{
    jsonwriter_object(w, "work");
    jsonwriter_integer(w, "running_ns", work->running);
    jsonwriter_integer(w, "runnable_ns", work->runnable);
    jsonwriter_integer(w, "syscall_ns", work->syscall);
    jsonwriter_integer(w, "assist_ns", work->assist);
    jsonwriter_integer(w, "standing_ns", work->standing);
    jsonwriter_object(w, "waits_ns");
    for (size_t i = 0; i < work->n_waits; i++)
        jsonwriter_integer(w, work->waits[i].reason, work->waits[i].total);
    jsonwriter_end(w);
    jsonwriter_integer(w, "other_waits_ns", work->other);
    jsonwriter_end(w);
}

static void put_task(struct jsonwriter *w, const struct summary_outlier *o)
{
    jsonwriter_count(w, "task", o->task);
    if (o->parent != (uint64_t)GOTRACE_NONE)
        jsonwriter_count(w, "parent", o->parent);
    if (!o->work)
        return;
    if (has_ids(o->work))
        put_ids(w, o->work);
    put_work(w, o->work);
}

static void put(struct jsonwriter *w, enum summary_slow kind, const struct summary_outlier *o)
{
    bool marked = kind == SUMMARY_SLOW_TASKS || kind == SUMMARY_SLOW_REGIONS;

    jsonwriter_object(w, NULL);
    jsonwriter_integer(w, "at_ns", o->at);
    jsonwriter_integer(w, "duration_ns", o->duration);
    if (o->g == GOTRACE_NONE)
        jsonwriter_null(w, "g");
    else
        jsonwriter_integer(w, "g", o->g);
    if (marked || kinds[kind].wait || kind == SUMMARY_SLOW_PAUSES)
        jsonwriter_text(w, marked ? "type" : "reason", o->name);
    jsonwriter_text(w, "func", o->site.func);
    jsonwriter_text(w, "file", o->site.file);
    jsonwriter_count(w, "line", o->site.line);
    place_own_json(w, &o->own);
    jsonwriter_bool(w, "open", o->open);
    jsonwriter_bool(w, "at_start", o->at_start);
    if (kind == SUMMARY_SLOW_TASKS)
        put_task(w, o);
    jsonwriter_end(w);
}

static void put_list(struct jsonwriter *w, const struct summary *s, enum summary_slow kind)
{
    const struct summary_slowest *slowest = &s->slowest[kind];

    jsonwriter_array(w, kinds[kind].key);
    for (size_t i = 0; i < slowest->n; i++)
        put(w, kind, &slowest->list[i]);
    jsonwriter_end(w);
}

void summary_outliers_json(struct jsonwriter *w, const struct summary *s)
{
    jsonwriter_object(w, "outliers");
    for (unsigned kind = 0; kind < SUMMARY_N_SLOW; kind++)
        if (!kinds[kind].wait)
            put_list(w, s, kind);
    jsonwriter_object(w, "waits");
    for (unsigned kind = 0; kind < SUMMARY_N_SLOW; kind++)
        if (kinds[kind].wait)
            put_list(w, s, kind);
    jsonwriter_end(w);
    jsonwriter_object(w, "standing");
    for (unsigned kind = 0; kind < SUMMARY_N_SLOW; kind++)
        if (s->slowest[kind].standing > 0)
            jsonwriter_count(w, kinds[kind].key, s->slowest[kind].standing);
    jsonwriter_end(w);
    jsonwriter_count(w, "lost_tasks", s->lost_tasks);
    jsonwriter_count(w, "lost_workers", s->lost_workers);
    jsonwriter_end(w);
}

static void duration(FILE *out, int64_t ns, size_t width, const struct summary_view *view)
{
    char text[QUANTITY_SIZE];

    print_cell(out, quantity_duration(ns, view->utf8, text), width);
}

/* A part of what a task's time was made of, "network 400 ms", if it is any. */
static void part(struct print_flow *flow, const char *what, int64_t ns, bool utf8)
{
    char text[WHAT_WIDTH + 1 + QUANTITY_SIZE], took[QUANTITY_SIZE];

    if (ns <= 0)
        return;
    (void)snprintf(text, sizeof(text), "%.*s %s", WHAT_WIDTH, what,
                   quantity_duration(ns, utf8, took));
    for (char *c = text; (size_t)(c - text) < strlen(what) && c < text + WHAT_WIDTH; c++)
        *c = *c >= ' ' && *c <= '~' ? *c : '?';
    (void)print_flow_piece(flow, text, strlen(text));
}

void summary_work_text(struct print_flow *flow, const struct summary_work *w, bool utf8)
{
    part(flow, "running", w->running, utf8);
    flow->between = ",";
    part(flow, "runnable", w->runnable, utf8);
    part(flow, "syscalls", w->syscall, utf8);
    for (size_t i = 0; i < w->n_waits; i++)
        part(flow, *w->waits[i].reason ? w->waits[i].reason : "unknown", w->waits[i].total, utf8);
    part(flow, "other waits", w->other, utf8);
    part(flow, "meant to wait", w->standing, utf8);
    flow->between = ";";
    part(flow, "of that mark assist", w->assist, utf8);
}

/* "    task 42 of 7, span_id 123: running 12 ms, network 400 ms" */
static void task(FILE *out, const struct summary_outlier *o, bool utf8)
{
    struct print_flow flow = {.out = out, .indent = 6, .width = PAGE_LINE_WIDTH};
    int n = fprintf(out, "    task %" PRIu64, o->task);

    if (o->parent != (uint64_t)GOTRACE_NONE)
        n += fprintf(out, " of %" PRIu64, o->parent);
    for (size_t i = 0; o->work && i < SUMMARY_N_IDS; i++) {
        if (!o->work->ids[i])
            continue;
        n += fprintf(out, ", %s ", id_keys[i]);
        n += (int)print_plain(out, o->work->ids[i], SUMMARY_ID_SIZE);
    }
    if (!o->work) {
        (void)fputc('\n', out);
        return;
    }
    (void)fputc(':', out);
    flow.column = (size_t)n + 1;
    summary_work_text(&flow, o->work, utf8);
    print_flow_end(&flow);
}

static void row(FILE *out, enum summary_slow kind, const struct summary_outlier *o,
                const struct summary_view *view)
{
    char what[WHAT_WIDTH + 1];
    size_t n;

    (void)snprintf(what, sizeof(what), "%s%s%s", kinds[kind].word, kinds[kind].named ? " " : "",
                   !kinds[kind].named ? ""
                   : *o->name         ? o->name
                   : kinds[kind].wait ? "(not told)"
                                      : "(no name)");
    (void)fputs("  ", out);
    n = print_plain(out, what, WHAT_WIDTH);
    (void)fprintf(out, "%*s", (int)(WHAT_WIDTH - n), "");
    duration(out, o->duration, 9, view);
    duration(out, o->at, 10, view);
    if (o->g == GOTRACE_NONE)
        (void)fputs("         -  ", out);
    else
        (void)fprintf(out, "%10" PRId64 "  ", o->g);
    place_print(out, &o->own, &o->site, view->utf8);
    (void)fputs(o->open && o->at_start ? ", all the time"
                : o->open              ? ", not over"
                : o->at_start          ? ", from before"
                                       : "",
                out);
    (void)fputc('\n', out);
    if (kind == SUMMARY_SLOW_TASKS)
        task(out, o, view->utf8);
}

/* How many of a kind are shown. */
static size_t shown(const struct summary *s, enum summary_slow kind,
                    const struct summary_view *view)
{
    const struct summary_slowest *slowest = &s->slowest[kind];
    size_t n = 0, most = view->whole                ? view->top
                       : kind == SUMMARY_SLOW_TASKS ? UNASKED_TASKS
                                                    : UNASKED;

    while (n < slowest->n && n < most &&
           (view->whole || slowest->list[n].duration >= kinds[kind].least))
        n++;
    return n;
}

const struct summary_outlier *summary_outlier(const struct summary *s, size_t i)
{
    static const struct summary_view view = {0};

    for (unsigned kind = 0; kind < SUMMARY_N_SLOW; kind++) {
        size_t n = shown(s, kind, &view);

        if (i < n)
            return &s->slowest[kind].list[i];
        i -= n;
    }
    return NULL;
}

void summary_outliers_text(FILE *out, const struct summary *s, const struct summary_view *view)
{
    static const size_t rows_most[] = {SIZE_MAX, 4, 3}; /* by how brief it is to be */
    size_t left = rows_most[view->brief];
    bool begun = false;

    for (unsigned kind = 0; kind < SUMMARY_N_SLOW; kind++) {
        size_t n = shown(s, kind, view);

        for (size_t i = 0; i < n && left > 0; i++, left--) {
            if (!begun)
                (void)fprintf(out, "\n%-*s   took        at goroutine\n", WHAT_WIDTH + 4,
                              "The slowest");
            begun = true;
            row(out, kind, &s->slowest[kind].list[i], view);
        }
    }
    if (s->lost_tasks > 0)
        (void)fprintf(out,
                      "  %" PRIu64 " task%s open beside too many others: %s work is not known\n",
                      s->lost_tasks, s->lost_tasks == 1 ? " was" : "s were",
                      s->lost_tasks == 1 ? "its" : "their");
}
