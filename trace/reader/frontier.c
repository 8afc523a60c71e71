/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader/frontier.h"

#include <string.h>

void frontier_init(struct frontier *f, struct memory *mem)
{
    memset(f, 0, sizeof(*f));
    f->mem = mem;
}

void frontier_done(struct frontier *f)
{
    memory_free(f->mem, f->cursors, f->cursors_cap * sizeof(*f->cursors));
    memory_free(f->mem, f->heap, f->heap_cap * sizeof(*f->heap));
}

static void swap(struct frontier *f, size_t i, size_t j)
{
    struct frontier_entry e = f->heap[i];

    f->heap[i] = f->heap[j];
    f->heap[j] = e;
}

static size_t rise(struct frontier *f, size_t i)
{
    while (i > 0 && f->heap[(i - 1) / 2].time > f->heap[i].time) {
        swap(f, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
    return i;
}

static void sink(struct frontier *f, size_t i)
{
    for (;;) {
        size_t least = i, left = 2 * i + 1;

        if (left < f->n && f->heap[left].time < f->heap[least].time)
            least = left;
        if (left + 1 < f->n && f->heap[left + 1].time < f->heap[least].time)
            least = left + 1;
        if (least == i)
            return;
        swap(f, i, least);
        i = least;
    }
}

int frontier_fill(struct frontier *f, const struct generation *gen)
{
    int r = memory_grow(f->mem, &f->cursors, &f->cursors_cap, gen->n_threads, sizeof(*f->cursors));

    f->n = 0;
    if (r == 0)
        r = memory_grow(f->mem, &f->heap, &f->heap_cap, gen->n_threads, sizeof(*f->heap));
    if (r < 0)
        return fault_memory(gen->fault, r, gen->offset);
    for (uint32_t i = 0; i < gen->n_threads; i++) {
        struct cursor *c = &f->cursors[i];

        cursor_init(c, gen, i);
        r = cursor_next(c, gen);
        if (r < 0)
            return r;
        /* It has empty batches only; in Go's reader it has a place in the heap even so. */
        if (r == 0)
            continue;
        f->heap[f->n++] = (struct frontier_entry){c->time, c};
        rise(f, f->n - 1);
    }
    return 0;
}

void frontier_moved(struct frontier *f, size_t i)
{
    f->heap[i].time = f->heap[i].cursor->time;
    if (rise(f, i) == i)
        sink(f, i);
}

/* Moves it to the top regardless of times, then replaces it by the last one. */
void frontier_remove(struct frontier *f, size_t i)
{
    while (i > 0) {
        swap(f, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
    f->heap[0] = f->heap[--f->n];
    if (f->n > 0)
        sink(f, 0);
}

/* Go's sort leaves a sorted range as it is, too. */
void frontier_sort(struct frontier *f)
{
    size_t i = 1;

    while (i < f->n && f->heap[i - 1].time <= f->heap[i].time)
        i++;
    if (i < f->n)
        gosort(f->heap, f->n);
}
