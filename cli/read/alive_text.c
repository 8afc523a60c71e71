/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "cli/common/print.h"
#include "cli/common/quantity.h"
#include "cli/read/alive.h"
#include "cli/read/place.h"

#define INDENT 20
#define CREATORS_MOST 3
#define NAME_MOST 80

struct page {
    FILE *out;
    const struct alive_result *a;
    const struct alive_view *view;
};

static void duration(const struct page *p, int64_t ns, size_t width)
{
    char text[QUANTITY_SIZE];

    print_cell(p->out, quantity_duration(ns, p->view->utf8, text), width);
}

static void number(const struct page *p, uint64_t n, size_t width)
{
    char text[QUANTITY_SIZE];

    print_cell(p->out, quantity_count(n, text), width);
}

static const char *arrow(const struct page *p)
{
    return p->view->utf8 ? " → " : " -> ";
}

static void head(const struct page *p)
{
    const struct alive_view *v = p->view;

    print_name(p->out, v->file);
    (void)fprintf(p->out, "\n  go 1.%u trace, %s, window ", v->version,
                  v->failure ? "CUT" : "complete");
    duration(p, p->a->window, 0);
    if (v->failure) {
        (void)fputs("\n  broken off: ", p->out);
        (void)print_plain(p->out, v->failure->text, 200);
        (void)fprintf(p->out, " (offset %" PRIu64 ")", v->failure->offset);
    }
    (void)fputs("\n  ", p->out);
    number(p, p->a->at_start, 0);
    (void)fputs(arrow(p), p->out);
    number(p, p->a->count, 0);
    (void)fprintf(p->out, " goroutine%s ", quantity_plural(p->a->count));
    if (v->at == ALIVE_END) {
        (void)fputs("at the end", p->out);
    } else {
        (void)fputs("at ", p->out);
        duration(p, p->a->at, 0);
    }
    (void)fputs("; until then ", p->out);
    number(p, p->a->created, 0);
    (void)fputs(" created, ", p->out);
    number(p, p->a->ended, 0);
    (void)fputs(" ended\n", p->out);
}

/* What bounds of memory left out. */
static void left_out(const struct page *p)
{
    if (p->a->left_out > 0) {
        (void)fputs("  ", p->out);
        number(p, p->a->left_out, 0);
        (void)fputs(" are left out: there was no memory for more at once\n", p->out);
    }
    if (p->a->ungrouped > 0) {
        (void)fputs("  ", p->out);
        number(p, p->a->ungrouped, 0);
        (void)fputs(" are in no row: there was no room for more\n", p->out);
    }
}

static void creators(const struct page *p, const struct whereabouts_group *g)
{
    for (size_t i = 0; i < g->n_creators && i < CREATORS_MOST; i++) {
        const struct whereabouts_creator *c = &g->creators[i];

        (void)fprintf(p->out, "%*s", INDENT, "");
        number(p, c->count, 0);
        (void)fputs(" created at  ", p->out);
        place_print(p->out, &c->own, &c->at, p->view->utf8);
        (void)fputs(", age ", p->out);
        duration(p, c->newest, 0);
        if (c->oldest != c->newest) {
            (void)fputs(" to ", p->out);
            duration(p, c->oldest, 0);
        }
        (void)fputc('\n', p->out);
    }
    if (g->n_creators > CREATORS_MOST)
        (void)fprintf(p->out, "%*s(%zu creators more; --json has all)\n", INDENT, "",
                      g->n_creators - CREATORS_MOST);
    if (g->older > 0) {
        (void)fprintf(p->out, "%*s", INDENT, "");
        number(p, g->older, 0);
        (void)fputs(" older than the trace\n", p->out);
    }
}

static void row(const struct page *p, const struct whereabouts_group *g)
{
    bool waits = g->state == GOTRACE_GO_WAITING && *g->reason;

    number(p, g->at_start, 9);
    (void)fputs(arrow(p), p->out);
    (void)fprintf(p->out, "%s", "");
    number(p, g->count, 8);
    duration(p, g->longest, 11);
    (void)fputs("  ", p->out);
    (void)print_plain(p->out, waits ? g->reason : alive_state(g->state), NAME_MOST);
    if (*g->at.func) {
        (void)fputs("  ", p->out);
        place_print(p->out, &g->own, &g->at, p->view->utf8);
    }
    (void)fprintf(p->out, "\n%*sstarted as  ", INDENT, "");
    (void)print_plain(p->out, *g->name ? g->name : "(start function not told)", NAME_MOST);
    (void)fputc('\n', p->out);
    creators(p, g);
}

static void rest(const struct page *p, size_t n, uint64_t count, size_t all)
{
    if (n == 0)
        return;
    (void)fputs("            ", p->out);
    number(p, count, 8);
    (void)fprintf(p->out, "  in %zu row%s more; --top=%zu shows all\n", n, quantity_plural(n), all);
}

void alive_text(FILE *out, const struct alive_result *a, const struct alive_view *view)
{
    const struct page p = {out, a, view};
    size_t shown = 0, n = 0;
    uint64_t count = 0;

    head(&p);
    left_out(&p);
    for (size_t i = 0; i < a->n; i++) {
        const struct whereabouts_group *g = &a->groups[i];

        if (!alive_is_shown(g, view) || g->count == 0)
            continue;
        if (view->top > 0 && shown == view->top) {
            n++;
            count += g->count;
            continue;
        }
        if (shown++ == 0)
            (void)fputs("\n    START       NOW    LONGEST  WHERE\n", out);
        row(&p, g);
    }
    rest(&p, n, count, shown + n);
    if (shown == 0)
        (void)fputs("\n  no goroutine there has such a start function\n", out);
}
