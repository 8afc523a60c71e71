/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "cli/common/print.h"
#include "cli/common/quantity.h"
#include "cli/compare/difference.h"
#include "cli/compare/told.h"

#define NAME_WIDTH 29
#define CELL_WIDTH 26
#define CELL_SIZE (4 * TOLD_SIZE)
#define VERDICT_NUMBERS 3 /* that the first line tells */
#define ONLY_MOST 15      /* call sites that are told of a side */

struct words {
    FILE *out;
    const struct difference *d;
    bool utf8;
};

static const char *arrow(const struct words *w)
{
    return w->utf8 ? "→" : "->";
}

/* Between the pieces of a line: nothing before the first. */
static void begin_piece(const struct words *w, size_t *n, const char *first)
{
    (void)fputs((*n)++ == 0 ? first : "; ", w->out);
}

static void tell_row(const struct words *w, const struct difference_row *row)
{
    char before[TOLD_SIZE], after[TOLD_SIZE];
    const char *unit = number_unit(row->number);

    print_plain(w->out, row->name, 60);
    (void)fprintf(w->out, " %s %s %s", told_number(row->spread.before.median, unit, before),
                  arrow(w), told_number(row->spread.after.median, unit, after));
}

static void tell_rows(const struct words *w, enum difference_change change, size_t *n)
{
    size_t told = 0, left = 0;

    for (size_t i = 0; i < w->d->n_rows; i++) {
        if (w->d->rows[i].change != change)
            continue;
        if (told++ >= VERDICT_NUMBERS) {
            left++;
            continue;
        }
        begin_piece(w, n, ": ");
        tell_row(w, &w->d->rows[i]);
    }
    if (left > 0)
        (void)fprintf(w->out, " and %zu more", left);
}

static void tell_findings(const struct words *w, int moved, size_t *n)
{
    for (size_t i = 0; i < w->d->presences.n; i++) {
        const struct presence *p = &w->d->presences.list[i];

        if (p->kind != PRESENCE_FINDING || presence_moved(p, w->d->traces) != moved)
            continue;
        begin_piece(w, n, ": ");
        (void)fputs(moved > 0 ? "new finding " : "no longer finding ", w->out);
        print_plain(w->out, p->name, 60);
    }
}

static void verdict(const struct words *w)
{
    static const char *const texts[] = {
        [VERDICT_SAME] = "no difference beyond the spread",
        [VERDICT_WORSE] = "worse",
        [VERDICT_BETTER] = "better",
        [VERDICT_MIXED] = "worse and better",
        [VERDICT_OTHER] = "different, neither worse nor better",
    };
    size_t n = 0;

    if (w->d->verdict == VERDICT_SAME && !difference_known(w->d))
        (void)fputs("no number differs by a factor of 2", w->out);
    else
        (void)fputs(texts[w->d->verdict], w->out);
    tell_findings(w, 1, &n);
    tell_rows(w, DIFFERENCE_WORSE, &n);
    tell_findings(w, -1, &n);
    tell_rows(w, DIFFERENCE_BETTER, &n);
    if (w->d->verdict == VERDICT_OTHER)
        tell_rows(w, DIFFERENCE_OTHER, &n);
    (void)fputc('\n', w->out);
}

static void labels(const struct words *w, unsigned side)
{
    size_t n = 0;

    for (size_t i = 0; i < w->d->presences.n; i++) {
        const struct presence *p = &w->d->presences.list[i];

        if (p->kind != PRESENCE_LABEL || p->in[side] == 0)
            continue;
        (void)fputs(n++ == 0 ? " " : ", ", w->out);
        print_plain(w->out, p->name, 60);
        if (w->d->traces[side] > 1)
            (void)fprintf(w->out, " %zu", p->in[side]);
    }
}

static void head(const struct words *w)
{
    const size_t *traces = w->d->traces;

    verdict(w);
    (void)fprintf(w->out, "%zu trace%s %s %zu; labels:", traces[0], quantity_plural(traces[0]),
                  arrow(w), traces[1]);
    labels(w, 0);
    (void)fprintf(w->out, " %s", arrow(w));
    labels(w, 1);
    (void)fputc('\n', w->out);
    if (traces[0] == 1 && traces[1] == 1)
        (void)fputs("one sample each: no spread is known. Shown is what differs by a factor of 2\n",
                    w->out);
    else if (!difference_known(w->d))
        (void)fprintf(
            w->out,
            "%zu and %zu samples: no spread is known below %d each. Shown is what differs "
            "by a factor of 2\n",
            traces[0], traces[1], SPREAD_SAMPLES);
}

/* "300 us", or with the smallest and the largest of several "300 us (280 us..350 us)", where
 * there is room. */
static void side_cell(const struct words *w, const struct spread_side *s, const char *unit,
                      bool several)
{
    char cell[CELL_SIZE], median[TOLD_SIZE], min[TOLD_SIZE], max[TOLD_SIZE];

    (void)told_number(s->median, unit, median);
    (void)snprintf(cell, sizeof(cell), "%s (%s..%s)", median, told_number(s->min, unit, min),
                   told_number(s->max, unit, max));
    (void)fputs(" ", w->out);
    print_cell(w->out, several && strlen(cell) <= CELL_WIDTH ? cell : median, CELL_WIDTH);
}

static const char *ratio_words(double ratio, char out[static TOLD_SIZE])
{
    if (ratio >= 2)
        (void)snprintf(out, TOLD_SIZE, "x%.*f", ratio < 9.95 ? 1 : 0, ratio);
    else
        (void)snprintf(out, TOLD_SIZE, "%+.0f%%", (ratio - 1) * 100);
    return out;
}

static void row_line(const struct words *w, const struct difference_row *row)
{
    static const char *const changes[] = {
        [DIFFERENCE_NONE] = "",
        [DIFFERENCE_WORSE] = "worse",
        [DIFFERENCE_BETTER] = "better",
        [DIFFERENCE_OTHER] = "other",
    };
    const char *unit = number_unit(row->number);
    size_t n = print_plain(w->out, row->name, NAME_WIDTH);
    char ratio[TOLD_SIZE];

    (void)fprintf(w->out, "%*s", (int)(NAME_WIDTH - n), "");
    side_cell(w, &row->spread.before, unit, w->d->traces[0] > 1);
    side_cell(w, &row->spread.after, unit, w->d->traces[1] > 1);
    (void)fprintf(w->out, " %7s", ratio_words(row->spread.ratio, ratio));
    if (row->change != DIFFERENCE_NONE)
        (void)fprintf(w->out, "  %s", changes[row->change]);
    (void)fputc('\n', w->out);
}

static void table(const struct words *w, bool all)
{
    size_t n = 0;

    for (size_t i = 0; i < w->d->n_rows; i++) {
        const struct difference_row *row = &w->d->rows[i];

        if (!all && row->change == DIFFERENCE_NONE)
            continue;
        if (n++ == 0)
            (void)fprintf(w->out, "\n%-*s %*s %*s %7s\n", NAME_WIDTH, "NUMBER, MEDIAN", CELL_WIDTH,
                          "BEFORE", CELL_WIDTH, "AFTER", "CHANGE");
        row_line(w, row);
    }
}

/* What only one side has, labels excepted: the first two lines tell them. */
static void only(const struct words *w, int moved)
{
    unsigned side = moved > 0;
    size_t n = 0;

    for (size_t i = 0; i < w->d->presences.n; i++) {
        const struct presence *p = &w->d->presences.list[i];

        if (p->kind == PRESENCE_LABEL || presence_moved(p, w->d->traces) != moved)
            continue;
        if (n++ == 0)
            (void)fprintf(w->out, "\n%s\n", moved > 0 ? "Came:" : "Went:");
        if (n > ONLY_MOST)
            continue;
        (void)fprintf(w->out, "  %-26s  ", presence_kind_name(p->kind));
        print_plain(w->out, p->name, 60);
        if (w->d->traces[side] > 1)
            (void)fprintf(w->out, "  %zu of %zu", p->in[side], w->d->traces[side]);
        (void)fputc('\n', w->out);
    }
    if (n > ONLY_MOST)
        (void)fprintf(w->out, "  and %zu more\n", n - ONLY_MOST);
}

void difference_text(FILE *out, const struct difference *d, bool all, bool utf8)
{
    const struct words w = {out, d, utf8};

    head(&w);
    table(&w, all);
    only(&w, 1);
    only(&w, -1);
}
