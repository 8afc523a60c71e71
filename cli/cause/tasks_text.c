/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cause/tasks.h"
#include "cli/common/print.h"
#include "cli/common/quantity.h"
#include "cli/read/place.h"

#define WIDTH 100
#define NAME_WIDTH 40
#define MESSAGE_WIDTH 60
#define INDENT_MOST 12
/* Lines of each kind below a task; --json has all. */
#define SITES_SHOWN 4
#define WORKERS_SHOWN 4
#define MARKS_SHOWN 6
#define CHILDREN_SHOWN 8

struct page {
    FILE *out;
    const struct trees *t;
    const struct tasks_view *view;
};

static void duration(const struct page *p, int64_t ns, size_t width)
{
    char text[QUANTITY_SIZE];

    print_cell(p->out, quantity_duration(ns, p->view->utf8, text), width);
}

static size_t indent_of(unsigned depth)
{
    size_t indent = 2 + 2 * (size_t)depth;

    return indent < INDENT_MOST ? indent : INDENT_MOST;
}

/* A part of what a time was made of, "network 400 ms", if it is any. */
static void part(struct print_flow *flow, const char *what, int64_t ns, bool utf8)
{
    char text[NAME_WIDTH + 2 + QUANTITY_SIZE], took[QUANTITY_SIZE];

    if (ns <= 0)
        return;
    (void)snprintf(text, sizeof(text), "%.*s %s", NAME_WIDTH, what,
                   quantity_duration(ns, utf8, took));
    for (size_t i = 0; text[i] && i < strlen(what); i++)
        text[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    (void)print_flow_piece(flow, text, strlen(text));
    flow->between = ",";
}

static void made_of(const struct page *p, size_t indent, const struct trees_work *work)
{
    struct print_flow flow = {.out = p->out, .indent = indent + 2, .width = WIDTH};
    struct tasks_part waits[TASKS_PARTS_MAX];
    size_t n = tasks_reasons(p->t, work, waits);
    int64_t other = work->ns[TREES_WAIT];

    (void)fprintf(p->out, "%*smade of", (int)indent, "");
    flow.column = indent + strlen("made of");
    part(&flow, "running", work->ns[TREES_RUNNING], p->view->utf8);
    part(&flow, "runnable", work->ns[TREES_RUNNABLE], p->view->utf8);
    part(&flow, "syscalls", work->ns[TREES_SYSCALL], p->view->utf8);
    for (size_t i = 0; i < n; i++) {
        part(&flow, *waits[i].like->why ? waits[i].like->why : "unknown", waits[i].ns,
             p->view->utf8);
        other -= waits[i].ns;
    }
    part(&flow, "other waits", other, p->view->utf8);
    part(&flow, "meant to wait", work->ns[TREES_STANDING], p->view->utf8);
    part(&flow, "of that mark assist", work->assist, p->view->utf8);
    if (!flow.between)
        print_flow_words(&flow, "nothing that the trace tells");
    print_flow_end(&flow);
}

static void more(const struct page *p, size_t indent, size_t n, const char *one, const char *many)
{
    if (n > 0)
        (void)fprintf(p->out, "%*s(%zu %s more; --json has all)\n", (int)indent, "", n,
                      n == 1 ? one : many);
}

static void sites(const struct page *p, size_t indent, const struct trees_work *work, size_t most)
{
    static const char *const words[] = {
        [TREES_SYSCALL] = "syscall", [TREES_STANDING] = "meant to wait", [TREES_WAIT] = "unknown"};
    struct tasks_part list[TASKS_PARTS_MAX];
    size_t n = tasks_parts(p->t, work, list);

    for (size_t i = 0; i < n && i < most; i++) {
        const struct trees_part *like = list[i].like;
        const char *word = *like->why ? like->why : words[like->kind];

        (void)fprintf(p->out, "%*s", (int)indent, "");
        duration(p, list[i].ns, 9);
        (void)fputs("  ", p->out);
        (void)fprintf(p->out, "%*s", (int)(14 - (int)print_plain(p->out, word, 13)), "");
        place_print(p->out, &like->own, &like->site, p->view->utf8);
        (void)fputc('\n', p->out);
    }
    more(p, indent + 2, n > most ? n - most : 0, "site", "sites");
}

static int64_t whole(const struct trees_work *work)
{
    int64_t sum = 0;

    for (size_t i = 0; i < TREES_N_KINDS; i++)
        sum += work->ns[i];
    return sum;
}

/* How many goroutines worked longer for the task, or as long and came earlier. */
static size_t place_of(const struct page *p, const struct trees_node *node,
                       const struct trees_worker *worker)
{
    int64_t ns = whole(&worker->work);
    size_t place = 0;

    for (uint32_t i = node->workers; i != TREES_NONE; i = p->t->workers[i].next) {
        int64_t other = whole(&p->t->workers[i].work);

        place += other > ns || (other == ns && &p->t->workers[i] < worker);
    }
    return place;
}

/* Those that worked for it for longest. */
static void workers(const struct page *p, size_t indent, const struct trees_node *node)
{
    for (uint32_t i = node->workers; i != TREES_NONE; i = p->t->workers[i].next) {
        const struct trees_worker *worker = &p->t->workers[i];

        if (place_of(p, node, worker) >= WORKERS_SHOWN)
            continue;
        (void)fprintf(p->out, "%*s", (int)indent, "");
        duration(p, whole(&worker->work), 9);
        (void)fprintf(p->out, "  goroutine %" PRId64 "  ", worker->g);
        (void)print_plain(p->out, *worker->name ? worker->name : "(start function not told)", 80);
        (void)fputs(", ran ", p->out);
        duration(p, worker->work.ns[TREES_RUNNING], 0);
        (void)fputc('\n', p->out);
    }
    more(p, indent + 2, node->n_workers > WORKERS_SHOWN ? node->n_workers - WORKERS_SHOWN : 0,
         "goroutine", "goroutines");
}

static void standing(const struct page *p, bool open, bool at_start)
{
    (void)fputs(open && at_start ? ", all the time"
                : open           ? ", not over"
                : at_start       ? ", from before"
                                 : "",
                p->out);
}

static void marks(const struct page *p, size_t indent, const struct trees_node *node)
{
    size_t shown = 0;

    for (uint32_t i = node->marks; i != TREES_NONE && shown < MARKS_SHOWN; shown++) {
        const struct trees_mark *mark = &p->t->marks[i];

        (void)fprintf(p->out, "%*s", (int)indent, "");
        if (mark->log)
            print_cell(p->out, "log", 9);
        else
            duration(p, mark->duration, 9);
        (void)fputs(mark->log ? "  " : "  region ", p->out);
        (void)print_plain(p->out, *mark->name ? mark->name : "(no category)", NAME_WIDTH);
        if (mark->log) {
            (void)fputs(": ", p->out);
            (void)print_plain(p->out, mark->message, MESSAGE_WIDTH);
        }
        standing(p, mark->open, mark->at_start);
        (void)fputs(", at ", p->out);
        duration(p, mark->since - p->t->first, 0);
        (void)fputc('\n', p->out);
        i = mark->next;
    }
    more(p, indent + 2, node->n_marks - shown, "region or log", "regions and logs");
}

static void title(const struct page *p, size_t indent, const struct trees_node *node)
{
    (void)fprintf(p->out, "%*s", (int)indent, "");
    (void)print_plain(p->out,
                      *node->name      ? node->name
                      : node->at_start ? "(type not told)"
                                       : "(no type)",
                      NAME_WIDTH);
    (void)fputs("  ", p->out);
    duration(p, node->duration, 0);
    standing(p, node->open, node->at_start);
    (void)fputs(", at ", p->out);
    duration(p, node->since - p->t->first, 0);
    (void)fprintf(p->out, ", task %" PRIu64, node->id);
    if (*node->site.func) {
        (void)fputs("  ", p->out);
        place_print(p->out, &node->own, &node->site, p->view->utf8);
    }
    (void)fputc('\n', p->out);
}

/* How many of a task's children last longer, or as long and began earlier. */
static size_t rank_of(const struct page *p, const struct trees_node *node)
{
    const struct trees_node *list = p->t->list;
    size_t rank = 0;

    for (uint32_t i = list[node->above].below; i != TREES_NONE; i = list[i].next)
        rank += list[i].duration > node->duration ||
                (list[i].duration == node->duration && &list[i] < node);
    return rank;
}

static size_t n_below(const struct page *p, const struct trees_node *node)
{
    size_t n = 0;

    for (uint32_t i = node->below; i != TREES_NONE; i = p->t->list[i].next)
        n++;
    return n;
}

static void put_node(const struct page *p, const struct trees_node *node, unsigned depth)
{
    size_t indent = indent_of(depth), n = n_below(p, node);
    bool root = depth == 0;

    title(p, indent, node);
    made_of(p, indent + 2, &node->work);
    sites(p, indent, &node->work, root ? SITES_SHOWN : 1);
    if (root || node->n_workers > 1)
        workers(p, indent, node);
    if (root)
        marks(p, indent, node);
    more(p, indent + 2, n > CHILDREN_SHOWN ? n - CHILDREN_SHOWN : 0, "task below", "tasks below");
}

/* The slowest children of each task, in the order of their begin. */
static void put_tree(const struct page *p, const struct trees_node *root)
{
    const struct trees_node *list = p->t->list, *node = root;
    unsigned depth = 0;

    (void)fputc('\n', p->out);
    while (node) {
        bool shown = node == root || rank_of(p, node) < CHILDREN_SHOWN;

        if (shown)
            put_node(p, node, depth);
        if (shown && node->below != TREES_NONE) {
            node = &list[node->below];
            depth++;
            continue;
        }
        while (node != root && node->next == TREES_NONE) {
            node = &list[node->above];
            depth--;
        }
        node = node == root ? NULL : &list[node->next];
    }
}

static void none(const struct page *p)
{
    struct print_flow flow = {.out = p->out, .indent = 2, .width = WIDTH};

    if (p->t->wanted->tasks > 0) {
        (void)fputs("  no task is like that\n", p->out);
        return;
    }
    print_flow_words(
        &flow, "No tasks. A program makes one for each request: ctx, task := "
               "trace.NewTask(ctx, \"POST /pay\"), defer task.End(), of runtime/trace. "
               "OpenTelemetry's SDK for Go and Datadog's library make one for each span while "
               "a trace is taken; so does the middleware of contrace's module go/flight.");
    print_flow_end(&flow);
}

static void head(const struct page *p)
{
    const struct tasks_view *v = p->view;
    const struct wanted *w = p->t->wanted;
    char text[QUANTITY_SIZE], of[QUANTITY_SIZE];

    print_name(p->out, v->file);
    (void)fprintf(p->out, "\n  go 1.%u trace, %s, window %s\n  ", v->version,
                  v->failure ? "CUT" : "complete",
                  quantity_duration(p->t->last - p->t->first, v->utf8, text));
    (void)fprintf(p->out, "%s task%s, %s %s", quantity_count(w->tasks, text),
                  quantity_plural(w->tasks), quantity_count(w->matches, of),
                  v->span || v->type || v->by_id ? "as asked for" : "without one above");
    if (w->n < w->matches)
        (void)fprintf(p->out, "; the %zu slowest (--limit)", w->n);
    (void)fputc('\n', p->out);
    if (v->failure) {
        (void)fputs("  broken off: ", p->out);
        (void)print_plain(p->out, v->failure->text, 200);
        (void)fprintf(p->out, " (offset %" PRIu64 ")\n", v->failure->offset);
    }
}

/* What bounds of memory left out. */
static void left_out(const struct page *p)
{
    const struct trees *t = p->t;
    const struct {
        uint64_t n;
        const char *text;
    } rows[] = {
        {t->lost_nodes + t->wanted->left_out, "tasks are left out: there is no room for more"},
        {t->lost_marks, "regions and logs are left out: there is no room for more"},
        {t->lost_workers, "times are in no goroutine's: there is no room for more of these"},
        {t->summary.lost_tasks, "tasks were open beside too many others: their work is not known"},
        {t->summary.lost_workers,
         "goroutines worked beside too many others: their work is missing"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].n > 0)
            (void)fprintf(p->out, "\n  %" PRIu64 " %s\n", rows[i].n, rows[i].text);
}

void tasks_text(FILE *out, const struct trees *t, const struct tasks_view *view)
{
    const struct page p = {out, t, view};
    bool any = false;

    head(&p);
    for (size_t i = 0; i < t->wanted->n; i++) {
        const struct trees_node *root = trees_root(t, &t->wanted->list[i]);

        if (root)
            put_tree(&p, root);
        any = any || root;
    }
    if (!any)
        none(&p);
    left_out(&p);
}
