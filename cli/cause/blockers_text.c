/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "cli/cause/blockers.h"
#include "cli/common/print.h"
#include "cli/common/quantity.h"
#include "cli/read/place.h"

#define WIDTH 100
#define INDENT 10
#define NAME_MOST 80
#define DID_MOST 6    /* things that a row's waker did; --json has all */
#define DID_SHARE 100 /* that took at least one part of so many of the time */

struct page {
    FILE *out;
    const struct blockers_result *b;
    const struct blockers_view *view;
};

static void duration(const struct page *p, int64_t ns, size_t width)
{
    char text[QUANTITY_SIZE];

    print_cell(p->out, quantity_duration(ns, p->view->utf8, text), width);
}

static void head(const struct page *p)
{
    const struct blockers_view *v = p->view;
    char text[QUANTITY_SIZE];

    print_name(p->out, v->file);
    (void)fprintf(p->out, "\n  go 1.%u trace, %s, window ", v->version,
                  v->failure ? "CUT" : "complete");
    duration(p, p->b->window, 0);
    if (v->failure) {
        (void)fputs("\n  broken off: ", p->out);
        (void)print_plain(p->out, v->failure->text, 200);
        (void)fprintf(p->out, " (offset %" PRIu64 ")", v->failure->offset);
    }
    (void)fprintf(p->out, "\n  goroutines waited %s time%s for others, ",
                  quantity_count(p->b->waits.count, text), quantity_plural(p->b->waits.count));
    duration(p, p->b->waits.total, 0);
    (void)fputs(" in all\n", p->out);
}

/* Waits that are in no row. */
static void others(const struct page *p, const struct blockers_sum *sum, const char *what)
{
    char text[QUANTITY_SIZE];

    if (sum->count == 0)
        return;
    (void)fputs("  of these ", p->out);
    duration(p, sum->total, 0);
    (void)fprintf(p->out, " in %s wait%s %s\n", quantity_count(sum->count, text),
                  quantity_plural(sum->count), what);
}

/* The words for what the waker did, where they are not in the runtime's reason. */
static const char *word_of(const struct holds_did *did)
{
    switch (did->kind) {
    case HOLDS_RAN: return "ran";
    case HOLDS_RUNNABLE: return "runnable";
    case HOLDS_SYSCALL: return *did->call ? did->call : "syscall";
    case HOLDS_SLEPT: return "slept";
    case HOLDS_NETWORK: return *did->call ? did->call : "network";
    case HOLDS_WAITED: return *did->reason ? did->reason : "waited, from before the trace";
    default: return "not known";
    }
}

static void did(const struct page *p, const struct holds_blocker *row)
{
    size_t shown = 0;

    for (size_t i = 0; i < row->n_did; i++) {
        const struct holds_did *d = &row->did[i];

        if (shown == DID_MOST || d->ns < row->held / DID_SHARE)
            break;
        (void)fprintf(p->out, "%*s%s", INDENT, "", shown == 0 ? "meanwhile " : "          ");
        duration(p, d->ns, 9);
        (void)fputs("  ", p->out);
        (void)print_plain(p->out, word_of(d), NAME_MOST);
        if (*d->at.func) {
            (void)fputs("  ", p->out);
            place_print(p->out, &d->own, &d->at, p->view->utf8);
        }
        (void)fputc('\n', p->out);
        shown++;
    }
}

static void row(const struct page *p, const struct holds_blocker *b)
{
    char text[QUANTITY_SIZE];

    duration(p, b->total, 9);
    print_cell(p->out, quantity_count(b->count, text), 9);
    duration(p, b->max, 10);
    duration(p, b->held, 10);
    print_cell(p->out, quantity_count(b->holds, text), 9);
    duration(p, b->longest, 10);
    (void)fputs("  ", p->out);
    place_print(p->out, &b->waiter_own, &b->waiter, p->view->utf8);
    (void)fprintf(p->out, "\n%*swoken by  ", INDENT, "");
    (void)print_plain(p->out, *b->name ? b->name : "(start function not told)", NAME_MOST);
    (void)fputs("  at  ", p->out);
    place_print(p->out, &b->waker_own, &b->waker, p->view->utf8);
    (void)fputc('\n', p->out);
    did(p, b);
}

/* How many rows there are that delay somebody: they come first. */
static size_t delaying(const struct blockers_result *b)
{
    size_t n = 0;

    while (n < b->n && !holds_is_standing(&b->list[n]))
        n++;
    return n;
}

static int64_t total(const struct blockers_result *b, size_t from, size_t to)
{
    int64_t sum = 0;

    for (size_t i = from; i < to; i++)
        sum += b->list[i].total;
    return sum;
}

static void rest(const struct page *p, size_t shown, size_t n)
{
    size_t standing = p->b->n - n;

    if (shown < n) {
        duration(p, total(p->b, shown, n), 9);
        (void)fprintf(p->out, "  in %zu row%s more; --top=%zu shows all\n", n - shown,
                      quantity_plural(n - shown), n);
    }
    if (standing > 0) {
        duration(p, total(p->b, n, p->b->n), 9);
        (void)fprintf(p->out, "  in %zu row%s of what is meant to wait; --json has all\n", standing,
                      quantity_plural(standing));
    }
}

void blockers_text(FILE *out, const struct blockers_result *b, const struct blockers_view *view)
{
    const struct page p = {out, b, view};
    size_t delays = delaying(b), n = view->top > 0 && view->top < delays ? view->top : delays;
    char text[QUANTITY_SIZE];

    head(&p);
    others(&p, &b->nobody, "were ended by no goroutine, but by time, the network or a signal");
    others(&p, &b->untold,
           "were ended by who knows whom: there was no room, or the trace is silent");
    if (b->unknown_goroutines > 0)
        (void)fprintf(out, "  %s goroutines had no room: what they did is not known\n",
                      quantity_count(b->unknown_goroutines, text));
    if (n > 0)
        (void)fputs("\n   WAITED    WAITS   LONGEST      HELD    HOLDS   LONGEST  WAITING AT\n",
                    out);
    for (size_t i = 0; i < n; i++)
        row(&p, &b->list[i]);
    rest(&p, n, delays);
}
