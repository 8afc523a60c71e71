/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/goroutines/worst.h"

#include <stdlib.h>
#include <string.h>

void worst_init(struct worst *w, const struct worst_order *order, size_t max, struct shares *shares,
                struct memory *mem)
{
    *w = (struct worst){.mem = mem, .shares = shares, .order = *order};
    w->max = max < WORST_MAX ? max : WORST_MAX;
}

void worst_done(struct worst *w)
{
    memory_free(w->mem, w->list, w->cap * sizeof(*w->list));
}

static int64_t time_for(const char *reason, const struct shares *s, const struct times *times)
{
    for (uint32_t i = times->shares; i != SHARES_NONE; i = s->list[i].next) {
        const struct column *c = &s->columns->list[s->list[i].column];

        if (c->kind == COLUMN_BLOCK && strcmp(c->text, reason) == 0)
            return s->list[i].ns;
    }
    return 0;
}

int64_t worst_key(const struct worst_order *order, const struct shares *shares,
                  const struct times *times)
{
    int64_t key = order->reason ? time_for(order->reason, shares, times) : times->ns[order->field];

    return order->reverse ? -key : key;
}

/* Whether `a` comes before `b`. */
static bool worse(const struct worst_row *a, const struct worst_row *b)
{
    return a->key != b->key ? a->key > b->key : a->life.g < b->life.g;
}

static void swap(struct worst_row *a, struct worst_row *b)
{
    struct worst_row row = *a;

    *a = *b;
    *b = row;
}

static void sift_up(struct worst *w, size_t i)
{
    while (i > 0 && worse(&w->list[(i - 1) / 2], &w->list[i])) {
        swap(&w->list[(i - 1) / 2], &w->list[i]);
        i = (i - 1) / 2;
    }
}

static void sift_down(struct worst *w)
{
    for (size_t i = 0, least;; i = least) {
        least = 2 * i + 1;
        if (least + 1 < w->n && worse(&w->list[least], &w->list[least + 1]))
            least++;
        if (least >= w->n || !worse(&w->list[i], &w->list[least]))
            return;
        swap(&w->list[i], &w->list[least]);
    }
}

int worst_offer(struct worst *w, struct life *life)
{
    struct worst_row row = {worst_key(&w->order, w->shares, &life->times), *life};
    int r;

    if (w->n == w->max) {
        w->left_out++;
        if (w->max == 0 || !worse(&row, &w->list[0]))
            return 0;
        times_done(&w->list[0].life.times, w->shares);
        w->list[0] = row;
        life->times.shares = SHARES_NONE;
        sift_down(w);
        return 0;
    }
    r = memory_grow(w->mem, &w->list, &w->cap, w->n + 1, sizeof(*w->list));
    if (r < 0)
        return r;
    w->list[w->n++] = row;
    life->times.shares = SHARES_NONE;
    sift_up(w, w->n - 1);
    return 0;
}

static int compare(const void *a, const void *b)
{
    return worse(a, b) ? -1 : worse(b, a);
}

void worst_sort(struct worst *w)
{
    if (w->n > 1)
        qsort(w->list, w->n, sizeof(*w->list), compare);
}
