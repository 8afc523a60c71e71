/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/agenda.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void agenda_init(struct agenda *a)
{
    *a = (struct agenda){0};
}

void agenda_done(struct agenda *a)
{
    for (size_t i = 1; i <= a->n; i++)
        a->heap[i]->agenda_index = 0;
    free(a->heap);
    agenda_init(a);
}

int agenda_reserve(struct agenda *a, size_t n)
{
    struct lane **heap;

    if (n <= a->cap)
        return 0;
    heap = reallocarray(a->heap, n + 1, sizeof(*heap));
    if (!heap)
        return -ENOMEM;
    a->heap = heap;
    a->cap = n;
    return 0;
}

static void place(struct agenda *a, size_t i, struct lane *l)
{
    a->heap[i] = l;
    l->agenda_index = i;
}

static void sift_up(struct agenda *a, size_t i, struct lane *l)
{
    for (; i > 1 && a->heap[i / 2]->due > l->due; i /= 2)
        place(a, i, a->heap[i / 2]);
    place(a, i, l);
}

static void sift_down(struct agenda *a, size_t i, struct lane *l)
{
    for (size_t child; (child = 2 * i) <= a->n; i = child) {
        if (child < a->n && a->heap[child + 1]->due < a->heap[child]->due)
            child++;
        if (a->heap[child]->due >= l->due)
            break;
        place(a, i, a->heap[child]);
    }
    place(a, i, l);
}

/* Restores the heap's order around place i, where the due time changed or another lane was put: the
 * lane may have to move up or down. */
static void settle(struct agenda *a, size_t i, struct lane *l)
{
    if (i > 1 && a->heap[i / 2]->due > l->due)
        sift_up(a, i, l);
    else
        sift_down(a, i, l);
}

static void take_out(struct agenda *a, struct lane *l)
{
    size_t i = l->agenda_index;
    struct lane *last;

    if (i == 0)
        return;
    l->agenda_index = 0;
    last = a->heap[a->n--];
    if (last != l)
        settle(a, i, last);
}

void agenda_set(struct agenda *a, struct lane *l, usec due)
{
    l->due = due;
    if (due == USEC_NEVER) {
        take_out(a, l);
    } else if (l->agenda_index > 0) {
        settle(a, l->agenda_index, l);
    } else {
        assert(a->n < a->cap);
        sift_up(a, ++a->n, l);
    }
}

struct lane *agenda_first(const struct agenda *a)
{
    return a->n > 0 ? a->heap[1] : NULL;
}
