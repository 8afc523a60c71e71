/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/read/summary_page.h"

/* What goroutines wait for that are meant to wait, by functions in their stacks. The first row that
 * fits counts. */
static const struct {
    const char *func; /* how its name begins */
    const char *what;
} kinds[] = {
    {"os/signal.", "signals"},
    {"os.(*Process).", "child processes"},
    {"syscall.wait4", "child processes"},
    {"syscall.Wait4", "child processes"},
    {"internal/poll.(*FD).Accept", "accept"},
    {"syscall.Accept", "accept"},
    {"net/http.(*connReader).backgroundRead", "next request"},
    {"net/http.(*conn).serve", "next request"},
    {"github.com/valyala/fasthttp.(*Server).serveConn", "next request"},
    {"runtime/trace.", "tracer"},
    {"net/http/pprof.", "tracer"},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

bool page_is_standing(const struct summary_site *site)
{
    return (STACK_STANDING | STACK_SET(STACK_RUNTIME)) & STACK_SET(site->class);
}

static const char *kind_of(const struct summary_site *site)
{
    for (size_t k = 0; k < N_KINDS; k++) {
        for (size_t i = 0; i < site->n_top; i++) {
            if (strncmp(site->top[i].func, kinds[k].func, strlen(kinds[k].func)) == 0)
                return kinds[k].what;
        }
    }
    switch (site->class) {
    case STACK_LISTENER: return "next message";
    case STACK_PARKED: return "poll";
    case STACK_TRACER: return "tracer";
    default: return "runtime";
    }
}

#define KINDS_MAX 8

struct kind {
    const char *what;
    int64_t total;
};

struct list {
    struct kind kinds[KINDS_MAX];
    size_t n;
};

static void add(struct list *list, const struct summary_site *site)
{
    const char *what;
    size_t i = 0;

    if (!page_is_standing(site))
        return;
    what = kind_of(site);
    while (i < list->n && strcmp(list->kinds[i].what, what) != 0)
        i++;
    if (i == KINDS_MAX)
        return;
    if (i == list->n)
        list->kinds[list->n++] = (struct kind){.what = what};
    list->kinds[i].total += summary_site_all(site).total;
}

static int by_total(const void *a, const void *b)
{
    const struct kind *x = a, *y = b;

    return x->total < y->total ? 1 : x->total > y->total ? -1 : 0;
}

void page_standing(const struct page *p)
{
    struct list list = {.n = 0};
    int64_t total = 0;

    for (unsigned i = SUMMARY_SYNC; i <= SUMMARY_SYSCALL; i++) {
        const struct summary_sites *sites = &p->s->sites[i];

        total += sites->standing.total;
        for (size_t k = 0; k < sites->n; k++)
            add(&list, &sites->list[k]);
    }
    if (list.n == 0 || p->s->window <= 0)
        return;
    qsort(list.kinds, list.n, sizeof(list.kinds[0]), by_total);
    (void)fputs("\n  standing waits, not counted above: ", p->out);
    page_mean(p, (double)total / (double)p->s->window, 0);
    (void)fputs(" goroutines at once\n", p->out);
    for (size_t i = 0; i < list.n; i++)
        (void)fprintf(p->out, "%s%s", i == 0 ? "    (" : ", ", list.kinds[i].what);
    (void)fputs(")\n", p->out);
}
