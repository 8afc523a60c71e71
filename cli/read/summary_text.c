/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli/common/quantity.h"
#include "cli/read/summary.h"

#define NAME_WIDTH 30 /* two more than Go's longest reason to wait */
#define BAR_WIDTH 24

struct page {
    FILE *out;
    const struct summary *s;
    const struct summary_view *view;
};

static void spaces(const struct page *p, size_t n)
{
    (void)fprintf(p->out, "%*s", (int)n, "");
}

/* A right-aligned cell: characters are counted, not bytes. */
static void cell(const struct page *p, const char *text, size_t width)
{
    size_t n = 0;

    for (const char *c = text; *c; c++)
        n += (*c & 0xc0) != 0x80;
    spaces(p, n < width ? width - n : 0);
    (void)fputs(text, p->out);
}

static void duration(const struct page *p, int64_t ns, size_t width)
{
    char text[QUANTITY_SIZE];

    cell(p, quantity_duration(ns, p->view->utf8, text), width);
}

static void count(const struct page *p, uint64_t n, size_t width)
{
    char text[QUANTITY_SIZE];

    cell(p, quantity_count(n, text), width);
}

static void share(const struct page *p, double value, size_t width)
{
    char text[QUANTITY_SIZE];

    cell(p, quantity_share(value, text), width);
}

static void bar(const struct page *p, double value)
{
    char text[QUANTITY_BAR_SIZE];

    (void)fprintf(p->out, "  %s\n", quantity_bar(value, BAR_WIDTH, p->view->utf8, text));
}

static void name(const struct page *p, const char *text)
{
    size_t n = summary_plain(p->out, text, NAME_WIDTH);

    spaces(p, NAME_WIDTH - n);
}

static void heading(const struct page *p, const char *text)
{
    (void)fprintf(p->out, "\n%s\n", text);
}

static void place(const struct page *p, const struct summary_frame *f)
{
    summary_place(p->out, f);
}

static void head(const struct page *p)
{
    const struct summary *s = p->s;
    time_t seconds = (time_t)(s->wall_start / 1000000000);
    char text[QUANTITY_SIZE], share[QUANTITY_SIZE], when[40];
    struct tm tm;

    (void)summary_plain(p->out, p->view->name, 200);
    (void)fprintf(p->out, "\n  go 1.%u trace%s, %s: %s, %s events, %" PRIu64 " generation%s\n",
                  s->version, s->version > GOTRACE_NEWEST ? " (newer than is known here)" : "",
                  s->complete ? "complete" : "CUT", quantity_bytes(s->bytes, text),
                  quantity_count(s->events.total, when), s->generations,
                  s->generations == 1 ? "" : "s");
    if (!s->complete) {
        (void)fputs("  broken off: ", p->out);
        (void)summary_plain(p->out, s->why, sizeof(s->why));
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

static void share_row(const struct page *p, const char *what, int64_t time, int64_t of)
{
    double value = of > 0 ? (double)time / (double)of : 0;

    (void)fputs("  ", p->out);
    name(p, what);
    duration(p, time, 9);
    share(p, value, 8);
    bar(p, value);
}

static void procs(const struct page *p)
{
    const struct summary_procs *c = &p->s->procs;
    int64_t looking = c->running - c->executing - c->in_syscall;

    (void)fprintf(p->out, "\nProcs: GOMAXPROCS %" PRId64, c->last);
    if (c->min != c->max)
        (void)fprintf(p->out, ", between %" PRId64 " and %" PRId64, c->min, c->max);
    (void)fprintf(p->out, "; %" PRIu64 " threads seen\n", p->s->threads.seen);
    share_row(p, "running goroutines", c->executing, c->available);
    share_row(p, "held in syscalls", c->in_syscall, c->available);
    share_row(p, "looking for work", looking > 0 ? looking : 0, c->available);
    share_row(p, "idle", c->available > c->running ? c->available - c->running : 0, c->available);
    share_row(p, "all busy at once", c->all_busy, p->s->window);
}

static void goroutines(const struct page *p)
{
    const struct summary_goroutines *g = &p->s->goroutines;
    int64_t all = g->running + g->runnable + g->in_syscall + g->waiting;

    heading(p, "Goroutines");
    (void)fputs("  at the start ", p->out);
    count(p, g->at_start, 0);
    (void)fputs(", created ", p->out);
    count(p, g->created, 0);
    (void)fputs(", ended ", p->out);
    count(p, g->ended, 0);
    (void)fputs(", most at once ", p->out);
    count(p, g->max_alive, 0);
    (void)fputs("\n", p->out);
    share_row(p, "running", g->running, all);
    share_row(p, "runnable", g->runnable, all);
    share_row(p, "in syscalls", g->in_syscall, all);
    share_row(p, "waiting", g->waiting, all);
    for (size_t i = 0; i < g->n_waits && i < p->view->top + 3; i++) {
        char what[NAME_WIDTH + 1];

        (void)snprintf(what, sizeof(what), "  %s",
                       *g->waits[i].reason ? g->waits[i].reason : "(began before the trace)");
        share_row(p, what, g->waits[i].total, all);
    }
}

static void times_head(const struct page *p, const char *what)
{
    (void)fputc('\n', p->out);
    name(p, what);
    (void)fputs("     count     total       p50       p99       max\n", p->out);
}

static void times_row(const struct page *p, const char *what, const struct summary_times *t)
{
    (void)fputs("  ", p->out);
    name(p, what);
    count(p, t->count, 8);
    duration(p, t->total, 10);
    duration(p, t->p50, 10);
    duration(p, t->p99, 10);
    duration(p, t->max, 10);
    (void)fputc('\n', p->out);
}

static void latencies(const struct page *p)
{
    const struct summary *s = p->s;

    times_head(p, "Latencies");
    times_row(p, "scheduler: runnable to run", &s->scheduler.latency);
    times_row(p, "syscalls", &s->syscalls.times);
    times_row(p, "stop-the-world pauses", &s->gc.stw);
    for (size_t i = 0; i < s->gc.stw_by_reason.n && i < p->view->top; i++) {
        char what[NAME_WIDTH + 1];

        (void)snprintf(what, sizeof(what), "  %s", s->gc.stw_by_reason.list[i].name);
        times_row(p, what, &s->gc.stw_by_reason.list[i].times);
    }
}

static void silences(const struct page *p)
{
    const struct summary_silences *s = &p->s->silences;

    if (s->count == 0)
        return;
    (void)fputs("  no event for over ", p->out);
    duration(p, SUMMARY_SILENCE, 0);
    (void)fprintf(p->out, " though goroutines had work: %" PRIu64 " times, ", s->count);
    duration(p, s->total, 0);
    (void)fputs(" in all, at most ", p->out);
    duration(p, s->longest, 0);
    (void)fputc('\n', p->out);
}

static void waits(const struct page *p)
{
    const struct summary_scheduler *c = &p->s->scheduler;

    (void)fprintf(p->out, "  runnable at once: %.1f on average, at most %" PRIu64 "\n",
                  c->runnable_mean, c->runnable_max);
    silences(p);
    (void)fputs("  some goroutine runnable for over ", p->out);
    duration(p, SUMMARY_OVERDUE, 0);
    (void)fputs(": for ", p->out);
    duration(p, c->overdue, 0);
    (void)fputs(", with an idle P for ", p->out);
    duration(p, c->overdue_with_idle, 0);
    (void)fputs("\n  in syscalls at once: ", p->out);
    count(p, p->s->syscalls.max_at_once, 0);
    (void)fputs(", without a P ", p->out);
    count(p, p->s->syscalls.max_blocked_at_once, 0);
    (void)fputs("; Ps taken out of syscalls ", p->out);
    count(p, p->s->procs.steals, 0);
    (void)fputc('\n', p->out);
    if (p->s->syscalls.longest.duration == 0)
        return;
    (void)fputs("  longest syscall ", p->out);
    duration(p, p->s->syscalls.longest.duration, 0);
    (void)fprintf(p->out, " (%sgoroutine %" PRId64 ") ",
                  p->s->syscalls.longest.open ? "not over, " : "", p->s->syscalls.longest.g);
    place(p, &p->s->syscalls.longest.at);
    (void)fputc('\n', p->out);
}

static void gc(const struct page *p)
{
    const struct summary_gc *g = &p->s->gc;
    char heap[QUANTITY_SIZE], goal[QUANTITY_SIZE];

    (void)fprintf(p->out, "\nGC: %" PRIu64 " cycles, heap at most %s, goal %s\n", g->cycles,
                  quantity_bytes(g->heap_max, heap), quantity_bytes(g->heap_goal_max, goal));
    if (g->cycles == 0 && g->stw.count == 0)
        return;
    share_row(p, "marking", g->mark, p->s->window);
    share_row(p, "mark assist, of running", g->assist_executing, p->s->goroutines.running);
    share_row(p, "mark workers, of running", g->worker, p->s->goroutines.running);
    (void)fputs("  the program's least share of the Ps in any", p->out);
    for (size_t i = 0; i < 3; i++) {
        (void)fputs(i == 0 ? " " : ", ", p->out);
        duration(p, g->mmu[i].window, 0);
        (void)fputs(": ", p->out);
        share(p, g->mmu[i].utilisation, 0);
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
        name(p, *row->name ? row->name : "(began before the trace)");
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
    count(p, names, 0);
    (void)fputs(" types more: ", p->out);
    count(p, n, 0);
    (void)fputs(" times, ", p->out);
    duration(p, total, 0);
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

static void stack(const struct page *p, const struct summary_site *site)
{
    for (size_t i = 0; p->view->stacks && i < site->n_top; i++) {
        spaces(p, 34);
        place(p, &site->top[i]);
        (void)fputc('\n', p->out);
    }
}

/* Says how many rows are not shown, and what their counts and times come to. */
static void sites_left_out(const struct page *p, const struct summary_sites *sites)
{
    uint64_t more = sites->left_out, n = sites->left_out_count;
    int64_t total = sites->left_out_total;

    for (size_t i = p->view->top; i < sites->n; i++) {
        more++;
        n += sites->list[i].count;
        total += sites->list[i].total;
    }
    if (n == 0)
        return;
    (void)fputs("    and ", p->out);
    count(p, more, 0);
    (void)fputs(" call sites more: ", p->out);
    count(p, n, 0);
    (void)fputs("x", p->out);
    if (total > 0) {
        (void)fputs(", ", p->out);
        duration(p, total, 0);
    }
    (void)fputs(" in all\n", p->out);
}

static void sites(const struct page *p, const char *what, const struct summary_sites *sites)
{
    bool timed = sites->total > 0;

    if (sites->n == 0)
        return;
    (void)fprintf(p->out, "\n%s\n", what);
    for (size_t i = 0; i < sites->n && i < p->view->top; i++) {
        const struct summary_site *site = &sites->list[i];
        double value = timed ? (double)site->total / (double)sites->total
                             : (double)site->count / (double)sites->count;

        share(p, value, 7);
        if (timed)
            duration(p, site->total, 10);
        count(p, site->count, 11);
        (void)fputs("x  ", p->out);
        place(p, &site->at);
        (void)fputc('\n', p->out);
        stack(p, site);
    }
    sites_left_out(p, sites);
}

void summary_text(FILE *out, const struct summary *s, const struct summary_view *view)
{
    const struct page page = {out, s, view}, *p = &page;

    head(p);
    summary_findings_text(out, s, view);
    if (view->context)
        summary_context_text(out, view->context, view->utf8);
    procs(p);
    goroutines(p);
    latencies(p);
    waits(p);
    gc(p);
    rows(p, "Tasks", &s->tasks);
    rows(p, "Regions", &s->regions);
    sites(p, "Where goroutines became runnable and then waited for a P", &s->sites[SUMMARY_SCHED]);
    sites(p, "Blocked on channels, select, locks", &s->sites[SUMMARY_SYNC]);
    sites(p, "Waiting for the network", &s->sites[SUMMARY_NET]);
    sites(p, "In syscalls", &s->sites[SUMMARY_SYSCALL]);
    sites(p, "CPU samples", &s->sites[SUMMARY_CPU]);
}
