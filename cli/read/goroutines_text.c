/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "cli/common/print.h"
#include "cli/common/quantity.h"
#include "cli/read/goroutines.h"

#define WIDTH 100
#define INDENT 10
#define NAME_MAX_SHOWN 200

struct page {
    FILE *out;
    const struct goroutines_result *g;
    const struct goroutines_view *view;
};

/* The columns of both tables, after the count or the goroutine. */
static const enum times_field columns[] = {
    TIMES_EXEC, TIMES_SCHED_WAIT, TIMES_BLOCK, TIMES_SYSCALL, TIMES_SYSCALL_BLOCK, TIMES_TOTAL,
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))
#define FIRST_WIDTH 9
#define TIME_WIDTH 9
#define SHARE_WIDTH 7
#define BY_WIDTH 11
#define REASON_WIDTH 28 /* Go's longest reason */

static void table_head(const struct page *p, const char *first, const char *last)
{
    (void)fputc('\n', p->out);
    print_cell(p->out, first, FIRST_WIDTH);
    for (size_t i = 0; i < N_COLUMNS; i++) {
        print_cell(p->out, goroutines_fields[columns[i]].head, TIME_WIDTH);
        if (i == 0)
            print_cell(p->out, "%", SHARE_WIDTH);
    }
    if (p->view->by)
        print_cell(p->out, "SORTED BY", BY_WIDTH);
    (void)fprintf(p->out, "  %sSTART FUNCTION\n", last);
}

/* What rows are sorted by. */
static int64_t key_of(const struct page *p, const struct times *t)
{
    int64_t key = p->view->by ? worst_key(p->view->by, p->g->shares, t) : 0;

    return key < 0 ? -key : key;
}

static void row(const struct page *p, const char *first, const int64_t ns[TIMES_N], int64_t key)
{
    double all = (double)p->g->exec;
    char text[QUANTITY_SIZE];

    print_cell(p->out, first, FIRST_WIDTH);
    for (size_t i = 0; i < N_COLUMNS; i++) {
        print_cell(p->out, quantity_duration(ns[columns[i]], p->view->utf8, text), TIME_WIDTH);
        if (i == 0)
            print_cell(p->out, quantity_share(all > 0 ? (double)ns[TIMES_EXEC] / all : 0, text),
                       SHARE_WIDTH);
    }
    if (p->view->by)
        print_cell(p->out, quantity_duration(key, p->view->utf8, text), BY_WIDTH);
    (void)fputs("  ", p->out);
}

static void name(const struct page *p, uint32_t number)
{
    const char *text = groups_shown_name(texts_get(p->g->texts, number));

    (void)print_plain(p->out, text, NAME_MAX_SHOWN);
    (void)fputc('\n', p->out);
}

/* One more of the items of a line, which goes on below if it becomes too long. */
static void item(const struct page *p, const char *what, int64_t ns, size_t *column)
{
    char text[QUANTITY_SIZE];
    size_t n;

    (void)quantity_duration(ns, p->view->utf8, text);
    n = strlen(what) + 1 + print_width(text, strlen(text));

    if (*column > 0)
        (void)fputs(",", p->out);
    if (*column > 0 && *column + n + 2 > WIDTH) {
        (void)fprintf(p->out, "\n%*s", INDENT + 9, "");
        *column = 0;
    } else if (*column > 0) {
        (void)fputs(" ", p->out);
    }
    (void)print_plain(p->out, what, NAME_MAX_SHOWN);
    (void)fprintf(p->out, " %s", text);
    *column = (*column > 0 ? *column + 2 : INDENT + 9) + n;
}

static const char *shown(const char *reason)
{
    return *reason ? reason : "(began before the trace)";
}

static void shares(const struct page *p, const char *head, const struct times *t, bool ranges)
{
    struct goroutines_share list[COLUMNS_MAX];
    size_t n = goroutines_shares(p->g, t, ranges, list), column = 0;

    if (n == 0)
        return;
    (void)fprintf(p->out, "%*s%-9s", INDENT, "", head);
    for (size_t i = 0; i < n; i++)
        item(p, shown(list[i].name), list[i].ns, &column);
    (void)fputc('\n', p->out);
}

static void details(const struct page *p, const struct times *t)
{
    char text[QUANTITY_SIZE];

    shares(p, "blocked", t, false);
    shares(p, "ranges", t, true);
    if (t->ns[TIMES_UNKNOWN] > 0)
        (void)fprintf(p->out, "%*s%-9s%s\n", INDENT, "", "unknown",
                      quantity_duration(t->ns[TIMES_UNKNOWN], p->view->utf8, text));
}

static void head(const struct page *p)
{
    const struct goroutines_view *v = p->view;
    char text[QUANTITY_SIZE], window[QUANTITY_SIZE];

    print_name(p->out, v->file);
    (void)fprintf(p->out, "\n  go 1.%u trace%s, %s: %s, %" PRIu64 " generation%s, window %s\n",
                  v->version, v->version > GOTRACE_NEWEST ? " (newer than is known here)" : "",
                  p->g->complete ? "complete" : "CUT", quantity_bytes(v->bytes, text),
                  p->g->generations, quantity_plural(p->g->generations),
                  quantity_duration(p->g->window, v->utf8, window));
    if (!p->g->complete) {
        (void)fputs("  broken off: ", p->out);
        (void)print_plain(p->out, v->failure ? v->failure->text : "", NAME_MAX_SHOWN);
        (void)fprintf(p->out, " (offset %" PRIu64 ")\n", v->failure ? v->failure->offset : 0);
    }
    (void)fprintf(p->out, "  %s goroutine%s in %zu group%s", quantity_count(p->g->count, text),
                  quantity_plural(p->g->count), p->g->groups->n, quantity_plural(p->g->groups->n));
    (void)fprintf(p->out, "; %s executed %s in all\n", p->g->count == 1 ? "it" : "they",
                  quantity_duration(p->g->exec, v->utf8, text));
}

/* What bounds of memory left out. */
static void left_out(const struct page *p)
{
    char text[QUANTITY_SIZE];

    if (p->g->left_out > 0)
        (void)fprintf(p->out, "  %s goroutine%s left out: there was no memory for more at once\n",
                      quantity_count(p->g->left_out, text), p->g->left_out == 1 ? " is" : "s are");
    if (p->g->left_out_ns > 0)
        (void)fprintf(p->out, "  of %s the reason is left out: there was no memory for more\n",
                      quantity_duration(p->g->left_out_ns, p->view->utf8, text));
}

static void groups(const struct page *p)
{
    const struct goroutines_view *v = p->view;
    size_t n = v->top > 0 && v->top < v->n_groups ? v->top : v->n_groups;
    int64_t rest[TIMES_N] = {0}, key = 0;
    char text[QUANTITY_SIZE];
    uint64_t count = 0;

    table_head(p, "COUNT", "");
    for (size_t i = 0; i < v->n_groups; i++) {
        const struct group *group = v->groups[i];

        if (i < n) {
            row(p, quantity_count(group->count, text), group->times.ns, key_of(p, &group->times));
            name(p, group->name);
            details(p, &group->times);
            continue;
        }
        count += group->count;
        key = times_plus(key, key_of(p, &group->times));
        for (size_t k = 0; k < TIMES_N; k++)
            rest[k] = times_plus(rest[k], group->times.ns[k]);
    }
    if (n == v->n_groups)
        return;
    row(p, quantity_count(count, text), rest, key);
    (void)fprintf(p->out, "(%zu group%s more; --top=%zu shows all)\n", v->n_groups - n,
                  quantity_plural(v->n_groups - n), v->n_groups);
}

/* The reason that it blocked for longest. */
static void most(const struct page *p, const struct times *t)
{
    struct goroutines_share list[COLUMNS_MAX];
    size_t n = 0;

    if (goroutines_shares(p->g, t, false, list) > 0)
        n = print_plain(p->out, shown(list[0].name), REASON_WIDTH);
    (void)fprintf(p->out, "%*s", (int)(REASON_WIDTH + 2 - n), "");
}

static void list(const struct page *p)
{
    const struct worst *worst = p->g->worst;
    char text[QUANTITY_SIZE];

    table_head(p, "GOROUTINE", "MOSTLY BLOCKED BY             ");
    for (size_t i = 0; i < worst->n; i++) {
        const struct life *life = &worst->list[i].life;

        (void)snprintf(text, sizeof(text), "%" PRId64, life->g);
        row(p, text, life->times.ns, key_of(p, &life->times));
        most(p, &life->times);
        name(p, life->name);
    }
    if (worst->left_out == 0)
        return;
    (void)fprintf(p->out, "  (%s goroutine%s more", quantity_count(worst->left_out, text),
                  quantity_plural(worst->left_out));
    if (worst->n < WORST_MAX)
        (void)fprintf(p->out, "; --top=%" PRIu64 " shows %s",
                      worst->n + worst->left_out < WORST_MAX ? worst->n + worst->left_out
                                                             : (uint64_t)WORST_MAX,
                      worst->n + worst->left_out <= WORST_MAX ? "all" : "as many as may be");
    (void)fputs(")\n", p->out);
}

void goroutines_text(FILE *out, const struct goroutines_result *g,
                     const struct goroutines_view *view)
{
    const struct page p = {out, g, view};

    head(&p);
    left_out(&p);
    if (view->n_groups == 0) {
        (void)fputs("\n  no start function has that in its name\n", out);
        return;
    }
    groups(&p);
    if (view->name)
        list(&p);
}
