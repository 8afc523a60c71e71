/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sched/live.h"

#include <errno.h>
#include <string.h>

#include "cli/common/print.h"
#include "cli/common/screen.h"

#define HEAD_EVERY 40 /* rows */
#define ROW_MAX (1U << 20)

static void row_as_json(struct live *live, const struct process *p, const struct snapshot *s)
{
    struct buf row;
    int r;

    buf_init(&row, ROW_MAX);
    r = schedtrace_json_row(p, s, &row);
    if (r == 0)
        (void)fwrite(row.data, 1, row.len, stdout);
    else if (live->error == 0)
        live->error = r;
    buf_done(&row);
}

/* The last snapshots, as if there were no others. */
static struct process recent(const struct process *p)
{
    struct process r = *p;

    if (p->n > LIVE_SNAPSHOTS) {
        r.list = p->list + (p->n - LIVE_SNAPSHOTS);
        r.n = LIVE_SNAPSHOTS;
    }
    return r;
}

static void tell_of(unsigned number, const struct pattern *found)
{
    struct print_flow flow = {.out = stdout, .indent = 6, .width = SCHEDTRACE_COLUMNS};
    char text[320];

    (void)snprintf(text, sizeof(text), "%s (%.2f): %s", found->code, found->score, found->says);
    flow.column = (size_t)printf("%2u -> ", number);
    print_flow_words(&flow, text);
    print_flow_end(&flow);
}

/* A pattern is told when it begins, and again when it comes back after it was gone. */
static void tell(struct live *live, const struct process *p)
{
    struct process last = recent(p);
    unsigned *told = &live->found[p->number % PROCESSES_MAX], now = 0;
    struct patterns ps;

    patterns_look(&last, &ps);
    for (size_t i = 0; i < ps.found; i++) {
        const struct pattern *found = &ps.list[i];

        now |= 1U << found->rank;
        if (!(*told & 1U << found->rank))
            tell_of(p->number, found);
    }
    *told = now;
}

static void introduce(struct live *live, const struct process *p)
{
    if (p->number <= live->met)
        return;
    live->met = p->number;
    live->found[p->number % PROCESSES_MAX] = 0;
    if (p->source[0])
        (void)printf("%2u is %s\n", p->number, p->source);
}

void live_snapshot(struct live *live, const struct process *p, const struct snapshot *s)
{
    if (live->json) {
        row_as_json(live, p, s);
        (void)fflush(stdout);
        return;
    }
    introduce(live, p);
    if (live->rows++ % HEAD_EVERY == 0)
        schedtrace_text_head(stdout, true);
    schedtrace_text_row(stdout, s, p->number, live->utf8);
    tell(live, p);
    (void)fflush(stdout);
}

int live_error(const struct live *live)
{
    if (screen_reader_left())
        return -EPIPE;
    return ferror(stdout) ? -EIO : live->error;
}

void live_end(struct live *live, const struct schedlog *log)
{
    const struct processes *all = schedlog_processes(log);

    (void)live;
    for (size_t i = 0; i < processes_count(all); i++) {
        const struct process *p = processes_get(all, i);
        struct patterns ps;

        (void)putchar('\n');
        schedtrace_text_title(stdout, p);
        patterns_look(p, &ps);
        schedtrace_text_patterns(stdout, p, &ps);
    }
    if (processes_count(all) > 0)
        schedtrace_text_foot(stdout, log);
}
