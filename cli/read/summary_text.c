/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "cli/common/print.h"
#include "cli/common/quantity.h"
#include "cli/read/summary_page.h"

static void head(const struct page *p)
{
    const struct summary *s = p->s;
    time_t seconds = (time_t)(s->wall_start / 1000000000);
    char text[QUANTITY_SIZE], share[QUANTITY_SIZE], when[40];
    struct tm tm;

    print_name(p->out, p->view->name);
    (void)fprintf(p->out, "\n  go 1.%u trace%s, %s: %s, %s event%s, %" PRIu64 " generation%s\n",
                  s->version, s->version > GOTRACE_NEWEST ? " (newer than is known here)" : "",
                  s->complete ? "complete" : "CUT", quantity_bytes(s->bytes, text),
                  quantity_count(s->events.total, when), quantity_plural(s->events.total),
                  s->generations, quantity_plural(s->generations));
    if (!s->complete) {
        (void)fputs("  broken off: ", p->out);
        (void)print_plain(p->out, s->why, sizeof(s->why));
        (void)fprintf(p->out, " (offset %" PRIu64 ")\n", s->offset);
    }
    (void)fprintf(p->out, "  window %s", quantity_duration(s->window, p->view->utf8, text));
    if (!s->complete)
        (void)fprintf(p->out, ", %s of %s", quantity_share(s->covered, share),
                      quantity_duration(s->spans, p->view->utf8, text));
    if (s->wall_start > 0 && gmtime_r(&seconds, &tm) &&
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm) > 0)
        (void)fprintf(p->out, " from %s.%03d UTC", when, (int)(s->wall_start / 1000000 % 1000));
    (void)fputc('\n', p->out);
}

/* What stands in rows where there is room. */
static void procs_in_words(const struct page *p)
{
    const struct summary_procs *c = &p->s->procs;
    double all = c->available > 0 ? (double)c->available : 1;

    (void)fputs("; running goroutines ", p->out);
    page_share(p, (double)c->executing / all, 0);
    (void)fputs(", idle ", p->out);
    page_share(p, c->available > c->running ? (double)(c->available - c->running) / all : 0, 0);
    (void)fputc('\n', p->out);
}

static void procs(const struct page *p)
{
    const struct summary_procs *c = &p->s->procs;
    int64_t looking = c->running - c->executing - c->in_syscall;

    (void)fprintf(p->out, "\nPs: GOMAXPROCS %" PRId64, c->last);
    if (c->min != c->max)
        (void)fprintf(p->out, ", between %" PRId64 " and %" PRId64, c->min, c->max);
    (void)fprintf(p->out, "; %" PRIu64 " thread%s seen", p->s->threads.seen,
                  quantity_plural(p->s->threads.seen));
    if (p->view->brief > 0) {
        procs_in_words(p);
        return;
    }
    (void)fputc('\n', p->out);
    page_share_row(p, "run goroutines", c->executing, c->available);
    page_share_row(p, "kept during a system call", c->in_syscall, c->available);
    page_share_row(p, "look for a goroutine to run", looking > 0 ? looking : 0, c->available);
    page_share_row(p, "idle", c->available > c->running ? c->available - c->running : 0,
                   c->available);
    page_share_row(p, "time in which none was free", c->all_busy, p->s->window);
}

static double at_any_time(const struct page *p, int64_t total)
{
    return p->s->window > 0 ? (double)total / (double)p->s->window : 0;
}

/* "1.20 running", and what follows. */
static void state(const struct page *p, int64_t total, const char *what)
{
    page_mean(p, at_any_time(p, total), 0);
    (void)fputs(what, p->out);
}

/* "select 12.0, network 8.00": the reasons with the largest totals. */
static void reasons(const struct page *p)
{
    const struct summary_goroutines *g = &p->s->goroutines;
    size_t column = 0;

    for (size_t i = 0; i < g->n_waits && i < p->view->top + 3; i++) {
        const char *name = *g->waits[i].reason ? g->waits[i].reason : "since before the trace";
        char mean[QUANTITY_SIZE];
        size_t width =
            strlen(name) + 3 + strlen(quantity_mean(at_any_time(p, g->waits[i].total), mean));

        if (g->waits[i].total < g->waiting / 1000)
            break;
        if (column > 0 && column + width > PAGE_LINE_WIDTH && p->view->brief > 0)
            break;
        if (column == 0 || column + width > PAGE_LINE_WIDTH) {
            (void)fputs(column == 0 ? "    " : ",\n    ", p->out);
            column = 4;
        } else {
            (void)fputs(", ", p->out);
        }
        (void)print_plain(p->out, name, PAGE_NAME_WIDTH);
        (void)fprintf(p->out, " %s", mean);
        column += width;
    }
    (void)fputs(column > 0 ? "\n" : "", p->out);
}

static void goroutines(const struct page *p)
{
    const struct summary_goroutines *g = &p->s->goroutines;

    (void)fputs("\nGoroutines: ", p->out);
    page_count(p, g->at_start, 0);
    (void)fputs(p->view->utf8 ? " → " : " -> ", p->out);
    page_count(p, g->at_end, 0);
    (void)fputs(" (created ", p->out);
    page_count(p, g->created, 0);
    (void)fputs(", ended ", p->out);
    page_count(p, g->ended, 0);
    (void)fputs(", most at once ", p->out);
    page_count(p, g->max_alive, 0);
    (void)fputs(")\n  at any time ", p->out);
    state(p, g->running, " running, ");
    state(p, g->runnable, " runnable, ");
    state(p, g->in_syscall, " in system calls, ");
    state(p, g->waiting, g->n_waits > 0 ? " waiting:\n" : " waiting\n");
    reasons(p);
}

static void times_head(const struct page *p, const char *what)
{
    (void)fputc('\n', p->out);
    page_name(p, what);
    (void)fputs("     count     total       p50       p99       max\n", p->out);
}

static void times_row(const struct page *p, const char *what, const struct summary_times *t)
{
    (void)fputs("  ", p->out);
    page_name(p, what);
    page_count(p, t->count, 8);
    page_duration(p, t->total, 10);
    page_duration(p, t->p50, 10);
    page_duration(p, t->p99, 10);
    page_duration(p, t->max, 10);
    (void)fputc('\n', p->out);
}

/* The longest call of those that are not meant to wait, if it is another than the longest of the
 * table: that has whole calls only, and those that are meant to wait, too. */
static void longest_call(const struct page *p)
{
    const struct summary_longest *l = &p->s->syscalls.longest_active;

    if (l->duration == 0 || l->duration == p->s->syscalls.times.max)
        return;
    (void)fputs(l->duration > p->s->syscalls.times.max ? "  longest system call "
                                                       : "  longest that is not meant to wait ",
                p->out);
    page_duration(p, l->duration, 0);
    (void)fprintf(p->out, " (%s%sgoroutine %" PRId64 ")  ",
                  l->older ? "since before the trace, " : "", l->open ? "not over, " : "", l->g);
    place_print(p->out, &l->own, &l->at, p->view->utf8);
    (void)fputc('\n', p->out);
}

static void silences(const struct page *p)
{
    const struct summary_silences *s = &p->s->silences;

    if (s->count == 0)
        return;
    (void)fputs("  no event for over ", p->out);
    page_duration(p, SUMMARY_SILENCE, 0);
    (void)fprintf(p->out, " though goroutines had work: %" PRIu64 " time%s, ", s->count,
                  quantity_plural(s->count));
    page_duration(p, s->total, 0);
    if (s->count > 1) {
        (void)fputs(" in all, at most ", p->out);
        page_duration(p, s->longest, 0);
    }
    (void)fputc('\n', p->out);
}

/* For less than a hundredth of the time nobody needs to know. */
static void overdue(const struct page *p)
{
    const struct summary_scheduler *sched = &p->s->scheduler;
    double window = (double)p->s->window;

    if (window <= 0 || (double)sched->overdue < window / 100)
        return;
    (void)fputs("  a goroutine was runnable for over ", p->out);
    page_duration(p, SUMMARY_OVERDUE, 0);
    (void)fputs(": for ", p->out);
    page_share(p, (double)sched->overdue / window, 0);
    (void)fputs(" of the time", p->out);
    if (sched->overdue_with_idle > 0) {
        (void)fputs("; while a P was idle: for ", p->out);
        page_share(p, (double)sched->overdue_with_idle / window, 0);
    }
    (void)fputc('\n', p->out);
}

/* How many waited for a P, or were in system calls, and for how much of the time. */
static void queued(const struct page *p)
{
    const struct summary *s = p->s;

    (void)fputs("  at once: ", p->out);
    page_mean(p, s->scheduler.runnable_mean, 0);
    (void)fputs(" runnable, at most ", p->out);
    page_count(p, s->scheduler.runnable_max, 0);
    (void)fputs("; at most ", p->out);
    page_count(p, s->syscalls.max_at_once, 0);
    (void)fputs(" in system calls, ", p->out);
    page_count(p, s->syscalls.max_blocked_at_once, 0);
    (void)fputs(" of them without a P\n", p->out);
    overdue(p);
}

static void latencies(const struct page *p)
{
    const struct summary *s = p->s;

    times_head(p, "Latencies");
    times_row(p, "goroutines, runnable to run", &s->scheduler.latency);
    times_row(p, "system calls, begin to end", &s->syscalls.times);
    times_row(p, "stop-the-world pauses", &s->gc.stw);
    longest_call(p);
    silences(p);
    if (p->view->brief == 0)
        queued(p);
}

#define MARKING 10 /* where it is to be brief, less than this part of the window is no matter */

static void gc(const struct page *p)
{
    const struct summary_gc *g = &p->s->gc;
    char heap[QUANTITY_SIZE], goal[QUANTITY_SIZE];

    (void)fprintf(p->out, "%sGC: %" PRIu64 " cycle%s, heap at most %s, goal %s\n",
                  p->view->brief > 0 ? "" : "\n", g->cycles, quantity_plural(g->cycles),
                  quantity_bytes(g->heap_max, heap), quantity_bytes(g->heap_goal_max, goal));
    if (g->cycles == 0 || (p->view->brief > 0 && g->mark < p->s->window / MARKING))
        return;
    page_share_row(p, "marking", g->mark, p->s->window);
    page_share_row(p, "mark assist, of running", g->assist_executing, p->s->goroutines.running);
    page_share_row(p, "mark workers, of running", g->worker, p->s->goroutines.running);
    (void)fputs("  the program's share of the Ps in the worst", p->out);
    for (size_t i = 0; i < 3; i++) {
        (void)fputs(i == 0 ? " " : ", ", p->out);
        page_duration(p, g->mmu[i].window, 0);
        (void)fputs(": ", p->out);
        page_share(p, g->mmu[i].utilisation, 0);
    }
    (void)fputc('\n', p->out);
}

/*
 * Times are of tasks and regions that the trace has from start to end; if there are none, no times
 * are shown. The type of a task that started before the trace is unknown, as its end does not tell
 * it.
 */
static void typed_row(const struct page *p, const struct summary_row *row)
{
    bool whole = row->times.count > 0;

    if (whole) {
        times_row(p, *row->name ? row->name : "(no name)", &row->times);
    } else {
        (void)fputs("  ", p->out);
        page_name(p, *row->name ? row->name : "(began before the trace)");
    }
    if (row->open > 0)
        (void)fprintf(p->out,
                      whole ? "    and %" PRIu64 " of which the trace has only a part\n"
                            : "  %" PRIu64 ", of which the trace has only a part\n",
                      row->open);
}

/* Says how many rows are not shown, and what their counts and times come to. */
static void left_out(const struct page *p, const struct summary_rows *rows)
{
    uint64_t names = rows->left_out.names, n = rows->left_out.count;
    int64_t total = rows->left_out.total;

    for (size_t i = p->view->top; i < rows->n; i++) {
        names++;
        n += rows->list[i].times.count;
        total += rows->list[i].times.total;
    }
    if (names == 0 && n == 0)
        return;
    (void)fputs("    and ", p->out);
    page_count(p, names, 0);
    (void)fprintf(p->out, " type%s more: ", quantity_plural(names));
    page_count(p, n, 0);
    (void)fprintf(p->out, " time%s, ", quantity_plural(n));
    page_duration(p, total, 0);
    (void)fputs(" in all\n", p->out);
}

static void rows(const struct page *p, const char *what, const struct summary_rows *rows)
{
    if (rows->n == 0)
        return;
    times_head(p, what);
    for (size_t i = 0; i < rows->n && i < p->view->top; i++)
        typed_row(p, &rows->list[i]);
    left_out(p, rows);
}

static void print(FILE *out, const struct summary *s, const struct summary_view *view)
{
    const struct page page = {out, s, view}, *p = &page;

    head(p);
    page_findings(p);
    if (view->context)
        summary_context_text(out, view->context, view->utf8);
    page_samples(p);
    page_waits(p);
    page_standing(p);
    goroutines(p);
    rows(p, "Tasks", &s->tasks);
    rows(p, "Regions", &s->regions);
    latencies(p);
    page_queue(p);
    procs(p);
    gc(p);
    summary_outliers_text(out, s, view);
}

/* A text that the caller frees, or NULL without memory. */
static char *printed(const struct summary *s, const struct summary_view *view)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool failed;

    if (!out)
        return NULL;
    print(out, s, view);
    failed = ferror(out);
    if (fclose(out) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}

#define SCREEN 50 /* lines */

/* By how brief it is: the rows of each table. */
static const unsigned rows_most[] = {UINT_MAX, UINT_MAX, 3};

#define BRIEFEST 2

int summary_text(FILE *out, const struct summary *s, const struct summary_view *view)
{
    struct summary_view shown = *view;
    _cleanup_free_ char *text = NULL;

    if (view->whole || view->stacks) {
        print(out, s, view);
        return 0;
    }
    for (;; shown.brief++) {
        shown.top = view->top < rows_most[shown.brief] ? view->top : rows_most[shown.brief];
        free(text);
        text = printed(s, &shown);
        if (!text)
            return -ENOMEM;
        if (shown.brief == BRIEFEST || print_lines(text) <= SCREEN)
            break;
    }
    (void)fputs(text, out);
    return 0;
}
