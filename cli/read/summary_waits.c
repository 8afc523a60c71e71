/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "cli/common/quantity.h"
#include "cli/read/summary_page.h"

/* Sites that one table shows. */
struct shown {
    const struct summary_site *list;
    size_t n;
};

static bool are_twins(const struct summary_site *a, const struct summary_site *b)
{
    return a != b && place_equal(&a->own, &a->at, &b->own, &b->at);
}

static bool leads_through(const struct summary_site *site, const struct summary_frame *frame)
{
    for (size_t i = 0; i < site->n_top; i++) {
        if (place_frame_equal(&site->top[i], frame))
            return true;
    }
    return false;
}

/* How many look the same as this site; with a frame, those of them that lead through it, too. */
static size_t count_twins(const struct shown *shown, const struct summary_site *site,
                          const struct summary_frame *frame)
{
    size_t n = 0;

    for (size_t i = 0; i < shown->n; i++)
        n += are_twins(site, &shown->list[i]) && (!frame || leads_through(&shown->list[i], frame));
    return n;
}

/* Prints what tells a site from others that look the same: the innermost frame of its stack that is
 * in none of theirs, or else its class. */
static void tell_apart(const struct page *p, const struct shown *shown,
                       const struct summary_site *site)
{
    size_t i = 0;

    if (count_twins(shown, site, NULL) == 0)
        return;
    while (i < site->n_top && count_twins(shown, site, &site->top[i]) > 0)
        i++;
    (void)fputs("  (", p->out);
    if (i < site->n_top)
        place_frame(p->out, &site->top[i]);
    else
        (void)fputs(stack_class_name(site->class), p->out);
    (void)fputc(')', p->out);
}

/* The stack with the largest total. Others that lead here are counted. */
static void stack(const struct page *p, const struct summary_site *site)
{
    for (size_t i = 0; i < site->n_top; i++) {
        page_spaces(p, 46);
        place_frame(p->out, &site->top[i]);
        (void)fputc('\n', p->out);
    }
    if (site->n_stacks < 2)
        return;
    page_spaces(p, 46);
    (void)fputs("(and ", p->out);
    page_count(p, site->n_stacks - 1, 0);
    (void)fprintf(p->out, " other stack%s)\n", quantity_plural(site->n_stacks - 1));
}

static void site_place(const struct page *p, const struct shown *shown,
                       const struct summary_site *site)
{
    if (!*site->at.func) {
        (void)fputs("(no goroutine: a timer, the network, the runtime)", p->out);
    } else {
        place_print(p->out, &site->own, &site->at, p->view->utf8);
        tell_apart(p, shown, site);
    }
    (void)fputc('\n', p->out);
    if (p->view->stacks)
        stack(p, site);
}

/* A table of waits: what of it is shown, as one sum. */
struct table {
    const char *title;
    const struct summary_sites *sites;
    struct summary_tally all; /* without what is meant to wait */
};

static struct table table_of(const char *title, const struct summary_sites *s)
{
    return (struct table){
        title,
        s,
        {s->count + s->open.count + s->older.count - s->standing.count,
         s->total + s->open.total + s->older.total - s->standing.total, 0},
    };
}

static double mean(const struct page *p, int64_t total)
{
    return p->s->window > 0 ? (double)total / (double)p->s->window : 0;
}

static void site_row(const struct page *p, const struct shown *shown,
                     const struct summary_site *site)
{
    struct summary_tally all = summary_site_all(site);

    page_mean(p, mean(p, all.total), 9);
    page_duration(p, all.total, 11);
    page_count(p, all.count, 10);
    if (site->open.count > 0) {
        page_count(p, site->open.count, 8);
        page_duration(p, site->open.total, 10);
    } else {
        page_spaces(p, 18);
    }
    (void)fputs("  ", p->out);
    site_place(p, shown, site);
}

/* Says how many rows are not shown, and what their counts and times come to. */
static void rest(const struct page *p, uint64_t sites, uint64_t count, int64_t total)
{
    if (count == 0)
        return;
    (void)fputs("    and ", p->out);
    page_count(p, sites, 0);
    (void)fprintf(p->out, " call site%s more: ", quantity_plural(sites));
    page_count(p, count, 0);
    (void)fprintf(p->out, " time%s", quantity_plural(count));
    if (total > 0) {
        (void)fputs(", ", p->out);
        page_duration(p, total, 0);
    }
    (void)fputs(" in all\n", p->out);
}

/* A row of next to nothing is in the sum of the others, unless somebody asks for many rows. */
static bool is_shown(const struct page *p, const struct table *t, size_t i)
{
    return i < p->view->top && (p->view->whole || i == 0 ||
                                summary_site_all(&t->sites->list[i]).total >= t->all.total / 200);
}

static size_t n_sites(const struct table *t)
{
    size_t n = 0;

    while (n < t->sites->n && !page_is_standing(&t->sites->list[n]))
        n++;
    return n;
}

/* A table that is nothing beside the others is one line. */
static void line(const struct page *p, const struct table *t)
{
    (void)fprintf(p->out, "\n  %s: ", t->title);
    page_mean(p, mean(p, t->all.total), 0);
    (void)fputs(" at once, ", p->out);
    page_duration(p, t->all.total, 0);
    (void)fputs(" in all, ", p->out);
    page_count(p, t->all.count, 0);
    (void)fprintf(p->out, " time%s\n", quantity_plural(t->all.count));
}

static void table(const struct page *p, const struct table *t)
{
    struct shown shown = {t->sites->list, 0};
    struct summary_tally left = t->all;
    size_t n = n_sites(t);

    while (shown.n < n && is_shown(p, t, shown.n))
        shown.n++;
    (void)fprintf(p->out, "\n  at once      total     times     still waiting  %s\n", t->title);
    for (size_t i = 0; i < shown.n; i++) {
        struct summary_tally all = summary_site_all(&shown.list[i]);

        site_row(p, &shown, &shown.list[i]);
        left.count -= all.count;
        left.total -= all.total;
    }
    rest(p, n - shown.n + t->sites->left_out - t->sites->standing_left_out, left.count, left.total);
}

static int by_total(const void *a, const void *b)
{
    const struct table *x = a, *y = b;

    return x->all.total < y->all.total ? 1 : x->all.total > y->all.total ? -1 : 0;
}

void page_waits(const struct page *p)
{
    struct table tables[] = {
        table_of("Blocked on channels, select, locks", &p->s->sites[SUMMARY_SYNC]),
        table_of("Waiting for the network", &p->s->sites[SUMMARY_NET]),
        table_of("In system calls", &p->s->sites[SUMMARY_SYSCALL]),
    };
    enum { N = sizeof(tables) / sizeof(tables[0]) };

    int64_t all = 0;

    qsort(tables, N, sizeof(tables[0]), by_total);
    for (size_t i = 0; i < N; i++)
        all += tables[i].all.total;
    for (size_t i = 0; i < N; i++) {
        if (n_sites(&tables[i]) == 0)
            continue;
        if (tables[i].all.total < all / 100 && !p->view->whole)
            line(p, &tables[i]);
        else
            table(p, &tables[i]);
    }
}

/* Shares of a sum, not waits: CPU samples, and where goroutines were made runnable. The tracing's
 * own are only counted. */
static void shares(const struct page *p, const char *title, const struct summary_sites *sites,
                   size_t most)
{
    const struct shown first = {sites->list, most < sites->n ? most : sites->n};
    uint64_t count = sites->count;
    int64_t total = sites->total;
    size_t shown = 0;

    if (sites->n == 0)
        return;
    (void)fprintf(p->out, "\n%s\n", title);
    for (size_t i = 0; i < sites->n && shown < most; i++) {
        const struct summary_site *site = &sites->list[i];

        if (site->class == STACK_TRACER)
            continue;
        page_share(p,
                   sites->total > 0 ? (double)site->total / (double)sites->total
                                    : (double)site->count / (double)sites->count,
                   9);
        if (sites->total > 0)
            page_duration(p, site->total, 11);
        page_count(p, site->count, 10);
        (void)fputs("x  ", p->out);
        site_place(p, &first, site);
        count -= site->count;
        total -= site->total;
        shown++;
    }
    rest(p, sites->n - shown + sites->left_out, count, total);
}

void page_samples(const struct page *p)
{
    shares(p, "Where it ran: CPU samples", &p->s->samples, p->view->top);
}

/* With fewer runnable goroutines there is no queue, but only the way from one to the next. */
#define QUEUE_MEAN 0.5
#define QUEUE_ROWS 3

void page_queue(const struct page *p)
{
    if (p->s->scheduler.runnable_mean >= QUEUE_MEAN || p->view->whole)
        shares(p, "Made runnable here, then waited for a P", &p->s->sites[SUMMARY_SCHED],
               p->view->whole ? p->view->top : QUEUE_ROWS);
}
