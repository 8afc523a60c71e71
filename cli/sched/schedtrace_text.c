/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "cli/common/print.h"
#include "cli/common/quantity.h"
#include "cli/sched/shown.h"

#define BARS 16 /* columns for the queues of all Ps */

/* "0.10 s", "1:05:09": since the start of the process. */
static const char *time_text(uint64_t ms, char out[static QUANTITY_SIZE])
{
    uint64_t seconds = ms / 1000;

    if (seconds < 600)
        (void)snprintf(out, QUANTITY_SIZE, "%" PRIu64 ".%02u s", seconds,
                       (unsigned)(ms % 1000 / 10));
    else
        (void)snprintf(out, QUANTITY_SIZE, "%" PRIu64 ":%02u:%02u", seconds / 3600,
                       (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
    return out;
}

/* How high the bar of a queue is: each step is twice as many; eight are 128 and more. */
static unsigned height(uint64_t queue)
{
    unsigned steps = 0;

    for (; queue > 0 && steps < 8; queue /= 2)
        steps++;
    return steps;
}

/* A column for each P, or for some of them together, of which the longest queue is shown. */
static void print_bars(FILE *out, const struct snapshot *s, bool utf8)
{
    static const char *const blocks[] = {"·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char plain[] = ".12345678";
    uint32_t each = (s->head.n + BARS - 1) / BARS;
    unsigned columns = 0;

    for (uint32_t i = 0; i < s->head.n; i += each, columns++) {
        uint32_t most = 0;

        for (uint32_t j = i; j < i + each && j < s->head.n; j++)
            if (s->ps[j].queue > most)
                most = s->ps[j].queue;
        if (utf8)
            (void)fputs(blocks[height(most)], out);
        else
            (void)putc(plain[height(most)], out);
    }
    (void)fprintf(out, "%*s", (int)(BARS - columns), "");
}

static void print_gcs(FILE *out, const struct process_gcs *gcs, bool utf8)
{
    char pause[QUANTITY_SIZE], text[96];

    if (!gcs)
        return;
    (void)snprintf(text, sizeof(text), "%" PRIu64 " gc %s %" PRIu64 "%s%" PRIu64 " MB", gcs->cycles,
                   quantity_duration(quantity_whole(gcs->pause_max * 1e6), utf8, pause), gcs->peak,
                   utf8 ? "→" : ">", gcs->live);
    (void)fprintf(out, " %s", text);
}

void schedtrace_text_head(FILE *out, bool tagged)
{
    if (tagged)
        (void)fputs(" #", out);
    (void)fputs(
        "    TIME    P IDLE THREADS SPIN IDLE  GLOBAL  QUEUES            SUM  GC PAUSE HEAP\n",
        out);
}

void schedtrace_text_row(FILE *out, const struct snapshot *s, unsigned tag, bool utf8)
{
    const struct schedline_head *h = &s->head;
    char time[QUANTITY_SIZE];

    if (tag > 0)
        (void)fprintf(out, "%2u", tag);
    (void)fprintf(out, "%8s %4u %4u %7u %4u %4u %7u  ", time_text(s->ms, time), h->procs, h->idle,
                  h->threads, h->spinning, h->idle_threads, h->runqueue);
    print_bars(out, s, utf8);
    (void)fprintf(out, " %4" PRIu64 "%s", snapshot_queued(s),
                  h->gcwaiting ? "!"
                  : s->gcs     ? " "
                               : "");
    print_gcs(out, s->gcs, utf8);
    (void)putc('\n', out);
}

static void flow(FILE *out, size_t indent, const char *lead, const char *text)
{
    struct print_flow f = {.out = out, .indent = indent, .width = SCHEDTRACE_COLUMNS};

    print_flow_words(&f, lead);
    print_flow_words(&f, text);
    print_flow_end(&f);
}

/* Without what would not fit. */
static void print_proof(FILE *out, const struct pattern_proof *proof)
{
    int used = fprintf(out, "    line %" PRIu64 ": ", proof->line);
    size_t room = SCHEDTRACE_COLUMNS - (size_t)(used > 0 ? used : 0), n = strlen(proof->text);

    (void)print_plain(out, proof->text, n <= room ? n : room - 3);
    (void)fputs(n <= room ? "\n" : "...\n", out);
}

static void print_found(FILE *out, const struct pattern *p)
{
    (void)fprintf(out, "\n%s (%.2f)\n", p->code, p->score);
    flow(out, 2, "", p->says);
    for (size_t i = 0; i < p->n_proofs; i++)
        print_proof(out, &p->proofs[i]);
    flow(out, 2, "What this cannot tell:", p->limits);
    if (p->lacking)
        flow(out, 2, "To know more, have printed:", p->lacking);
    flow(out, 2, "Next:", p->next);
}

static void print_near(FILE *out, const struct patterns *ps)
{
    char line[320];

    for (size_t i = ps->found; i < PATTERNS_N && i < ps->found + 2; i++) {
        const struct pattern *p = &ps->list[i];

        if (p->score <= 0 && !p->lacking)
            continue;
        (void)snprintf(line, sizeof(line), "%s (%.2f of 0.50)%s %s%s%s", p->code, p->score,
                       p->says[0] ? ":" : "", p->says, p->lacking ? "; lacking: " : "",
                       p->lacking ? p->lacking : "");
        flow(out, 4, "", line);
    }
}

void schedtrace_text_patterns(FILE *out, const struct process *p, const struct patterns *ps)
{
    if (ps->too_few) {
        (void)fprintf(
            out,
            "\nToo little to judge: %zu snapshots, and %d are needed. GODEBUG=schedtrace=1000 "
            "prints one a second.\n",
            p->n, PATTERN_SNAPSHOTS);
        return;
    }
    for (size_t i = 0; i < ps->found; i++)
        print_found(out, &ps->list[i]);
    if (ps->found > 0)
        return;
    (void)fputs("\nNone of the five patterns. The nearest:\n", out);
    print_near(out, ps);
}

/* Which Go it is, as far as the form of its lines tells. */
static const char *form_of(const struct process *p)
{
    if (p->n == 0)
        return "only gctrace";
    if (p->ticks)
        return "Go 1.25 or later";
    if (p->list[p->n - 1]->head.detailed)
        return "with details";
    return p->needspinning ? "Go 1.20 to 1.24" : "before Go 1.20";
}

void schedtrace_text_title(FILE *out, const struct process *p)
{
    char count[QUANTITY_SIZE], window[QUANTITY_SIZE], cycles[QUANTITY_SIZE];
    struct process_gcs gcs;

    process_gcs(p, &gcs);
    (void)fprintf(out, "Process %u", p->number);
    if (p->source[0])
        (void)fprintf(out, " of %s", p->source);
    (void)fprintf(out, ": %s snapshot%s in %s, %s gc cycle%s, %s\n", quantity_count(p->n, count),
                  quantity_plural(p->n),
                  quantity_duration((int64_t)process_window(p) * 1000000, false, window),
                  quantity_count(gcs.cycles, cycles), quantity_plural(gcs.cycles), form_of(p));
}

static void print_table(FILE *out, const struct process *p, const struct schedtrace_view *view)
{
    size_t from = view->rows > 0 && view->rows < p->n ? p->n - view->rows : 0;

    if (p->n == 0)
        return;
    schedtrace_text_head(out, false);
    if (from + p->forgotten > 0)
        (void)fprintf(out, "      ... %ju earlier\n", (uintmax_t)(from + p->forgotten));
    for (size_t i = from; i < p->n; i++)
        schedtrace_text_row(out, p->list[i], 0, view->utf8);
}

void schedtrace_text_foot(FILE *out, const struct schedlog *log)
{
    const struct processes *all = schedlog_processes(log);
    struct schedlog_counts c = schedlog_counts(log);

    if (c.torn + processes_stray(all) > 0)
        (void)fprintf(
            out,
            "\n%ju lines are torn (something else was printed into them), and %ju of details "
            "belong to no snapshot.\n",
            (uintmax_t)c.torn, (uintmax_t)processes_stray(all));
    if (processes_forgotten(all) > 0)
        (void)fprintf(out, "\n%ju more processes came before; the last %d are shown.\n",
                      (uintmax_t)processes_forgotten(all), PROCESSES_MAX);
    (void)fputs("\nEach row is a moment, not a mean: what was between two rows, no row tells.\n",
                out);
}

void schedtrace_text(FILE *out, const struct schedlog *log, const struct schedtrace_view *view)
{
    const struct processes *all = schedlog_processes(log);

    for (size_t i = 0; i < processes_count(all); i++) {
        const struct process *p = processes_get(all, i);
        struct patterns ps;

        if (i > 0)
            (void)putc('\n', out);
        schedtrace_text_title(out, p);
        print_table(out, p, view);
        patterns_look(p, &ps);
        schedtrace_text_patterns(out, p, &ps);
    }
    schedtrace_text_foot(out, log);
}
