/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "cli/common/print.h"
#include "cli/common/quantity.h"
#include "cli/timeline/timeline.h"

#define MILLISECOND 1000000
#define MEGABYTE 1e6
#define CELL_SIZE 24
#define NAME_MAX_SHOWN 200

struct page {
    FILE *out;
    const struct timeline_result *t;
    const struct timeline_view *view;
};

/* How full a piece of the strip is; the last one is what it is while all is frozen. */
static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█", "×"};
static const char *const letters[] = {" ", ".", ":", "-", "=", "+", "*", "%", "#", "x"};

#define FULL 8
#define FROZEN 9

#define TIME_WIDTH 7
#define COUNT_WIDTH 5
#define MEAN_WIDTH 9
#define HEAP_WIDTH 13

/* A mean or a count in four characters. */
static const char *few(double value, char out[static CELL_SIZE])
{
    if (value < 0.005)
        return "0";
    if (value < 9.95 && (double)(int)value == value)
        (void)snprintf(out, CELL_SIZE, "%.0f", value);
    else if (value < 9.95)
        (void)snprintf(out, CELL_SIZE, value < 0.0995 ? "%.2f" : "%.1f", value);
    else if (value < 9999.5)
        (void)snprintf(out, CELL_SIZE, "%.0f", value);
    else if (value < 999500)
        (void)snprintf(out, CELL_SIZE, "%.0fk", value / 1000);
    else
        (void)snprintf(out, CELL_SIZE, "%.1fM", value / 1000000);
    return out;
}

static void count(const struct page *p, double value, size_t width)
{
    char text[CELL_SIZE];

    print_cell(p->out, few(value, text), width);
}

static const char *piece(const struct page *p, const struct bin *bin)
{
    const char *const *levels = p->view->utf8 ? blocks : letters;
    double step = (double)p->view->pieces / TIMELINE_PIECES * (double)p->t->bins->step;
    double ps = (double)bin->last[BINS_PROCS];
    double share = ps > 0 ? (double)bin->ns[BINS_RUNNING] / step / ps : 0;
    int level = (int)(share * FULL + 0.5);

    if ((double)bin->ns[BINS_FROZEN] > step / 2)
        return levels[FROZEN];
    if (level == 0 && bin->ns[BINS_RUNNING] > 0 && share >= 0.01)
        level = 1;
    return levels[level > FULL ? FULL : level];
}

/* How much of the Ps ran Go code in each tenth of the line. */
static void strip(const struct page *p, size_t line)
{
    size_t n = p->view->pieces / TIMELINE_PIECES;

    (void)fputs("  |", p->out);
    for (size_t i = 0; i < TIMELINE_PIECES; i++) {
        struct bin sum = bins_sum(p->t->bins, line * p->view->pieces + i * n, n);

        (void)fputs(piece(p, &sum), p->out);
    }
    (void)fputs("|", p->out);
}

static void duration(const struct page *p, int64_t ns)
{
    char text[QUANTITY_SIZE];

    print_cell(p->out, ns > 0 ? quantity_duration(ns, p->view->utf8, text) : "-", TIME_WIDTH + 1);
}

static void share(const struct page *p, int64_t ns, int64_t of)
{
    char text[QUANTITY_SIZE];

    (void)snprintf(text, sizeof(text), "%.0f%%", 100 * (double)ns / (double)of);
    print_cell(p->out, ns > 0 ? text : "-", COUNT_WIDTH);
}

static const char *megabytes(const struct bin *bin, enum bins_level level,
                             char out[static CELL_SIZE])
{
    return bin->told & 1u << level ? few((double)bin->last[level] / MEGABYTE, out) : "-";
}

/* "30.2/64": what is on the heap, and what is its goal. */
static void heap(const struct page *p, const struct bin *bin)
{
    char live[CELL_SIZE], goal[CELL_SIZE], text[2 * CELL_SIZE];

    (void)snprintf(text, sizeof(text), "%s/%s", megabytes(bin, BINS_HEAP, live),
                   megabytes(bin, BINS_GOAL, goal));
    print_cell(p->out, text, HEAP_WIDTH);
}

static void row(const struct page *p, const struct timeline_line *line, size_t i)
{
    static const enum bins_share blocked[] = {BINS_SYSCALL, BINS_CHANNEL, BINS_SYNC, BINS_NETWORK,
                                              BINS_SLEEP};
    const struct bin *sum = &line->sum;
    double ns = (double)line->ns, mean = (double)sum->ns[BINS_RUNNABLE] / ns;
    char text[QUANTITY_SIZE];

    (void)snprintf(text, sizeof(text), "%" PRId64, line->at / MILLISECOND);
    print_cell(p->out, text, TIME_WIDTH);
    strip(p, i);
    count(p, (double)sum->ns[BINS_RUNNING] / ns, COUNT_WIDTH);
    count(p, mean, MEAN_WIDTH);
    count(p, (double)timeline_most(sum, line->ns), COUNT_WIDTH);
    for (size_t k = 0; k < sizeof(blocked) / sizeof(blocked[0]); k++)
        count(p, (double)sum->ns[blocked[k]] / ns,
              blocked[k] == BINS_SLEEP ? COUNT_WIDTH + 1 : COUNT_WIDTH);
    share(p, sum->ns[BINS_MARK], line->ns);
    duration(p, sum->ns[BINS_STOPPED]);
    duration(p, sum->ns[BINS_FROZEN]);
    heap(p, sum);
    (void)fputc('\n', p->out);
}

static void head(const struct page *p)
{
    const struct timeline_view *v = p->view;
    const struct timeline_result *t = p->t;
    char text[QUANTITY_SIZE], window[QUANTITY_SIZE];

    print_name(p->out, v->file);
    (void)fprintf(p->out, "\n  go 1.%u trace%s, %s: %s, %" PRIu64 " generation%s", v->version,
                  v->version > GOTRACE_NEWEST ? " (newer than is known here)" : "",
                  t->complete ? "complete" : "CUT", quantity_bytes(v->bytes, text), t->generations,
                  quantity_plural(t->generations));
    (void)fprintf(p->out, ", shown from %s",
                  quantity_duration(t->start - t->first, v->utf8, window));
    (void)fprintf(p->out, " to %s\n", quantity_duration(t->end - t->first, v->utf8, window));
    if (!t->complete) {
        (void)fputs("  broken off: ", p->out);
        (void)print_plain(p->out, v->failure ? v->failure->text : "", NAME_MAX_SHOWN);
        (void)fprintf(p->out, " (offset %" PRIu64 ")\n", v->failure ? v->failure->offset : 0);
    }
    if (t->left_out > 0)
        (void)fprintf(p->out, "  %s goroutine%s left out: there was no memory for more at once\n",
                      quantity_count(t->left_out, text), t->left_out == 1 ? " is" : "s are");
}

/* What the strips and the letters in them are. */
static void legend(const struct page *p)
{
    const struct timeline_result *t = p->t;
    int64_t frozen = 0, step = (int64_t)p->view->pieces / TIMELINE_PIECES * t->bins->step;
    char text[QUANTITY_SIZE];

    for (size_t i = 0; i < t->bins->n; i++)
        frozen += t->bins->list[i].ns[BINS_FROZEN];
    (void)fprintf(p->out, "  RUNNING: the share of the Ps that ran Go code, %s a character",
                  quantity_duration(step, p->view->utf8, text));
    if (frozen > 0) {
        (void)fprintf(p->out, "; %s: frozen,\n  no thread did anything although there was ",
                      p->view->utf8 ? blocks[FROZEN] : letters[FROZEN]);
        (void)fprintf(p->out, "something to run: %" PRIu64 " time%s, %s in all", t->freezes,
                      quantity_plural(t->freezes), quantity_duration(frozen, p->view->utf8, text));
    }
    (void)fputs("\n\n", p->out);
}

void timeline_text(FILE *out, const struct timeline_result *t, const struct timeline_view *view)
{
    static const struct {
        const char *head;
        size_t width;
    } columns[] = {
        {"Ps", COUNT_WIDTH},     {"RUNNABLE", MEAN_WIDTH},   {"MOST", COUNT_WIDTH},
        {"SYSC", COUNT_WIDTH},   {"CHAN", COUNT_WIDTH},      {"SYNC", COUNT_WIDTH},
        {"NET", COUNT_WIDTH},    {"SLEEP", COUNT_WIDTH + 1}, {"GC", COUNT_WIDTH},
        {"STW", TIME_WIDTH + 1}, {"FROZEN", TIME_WIDTH + 1}, {"HEAP/GOAL MB", HEAP_WIDTH},
    };
    const struct page p = {out, t, view};
    struct timeline_line line;

    head(&p);
    legend(&p);
    print_cell(out, "MS", TIME_WIDTH);
    (void)fputs("  |RUNNING   |", out);
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        print_cell(out, columns[i].head, columns[i].width);
    (void)fputc('\n', out);
    for (size_t i = 0; timeline_line(t, view, i, &line); i++)
        row(&p, &line, i);
}
