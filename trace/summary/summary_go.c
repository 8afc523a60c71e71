/* SPDX-License-Identifier: Apache-2.0 */

/* Goroutines: which there are, why they wait, and what all of them come to in the end. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/summary/summing.h"

#define CHUNK 1024

_Static_assert(sizeof(struct summing_go) == MEMORY_LINE, "one cache line");

static struct summing_go *place(const struct summing *s, uint32_t n)
{
    return &s->chunks[n / CHUNK][n % CHUNK];
}

static void note_recent(struct summing *s, int64_t id, struct summing_go *g)
{
    s->recent[(uint64_t)id % SUMMING_RECENT] = (struct summing_recent){id, g};
}

struct summing_go *summing_go_find_slow(struct summing *s, int64_t id)
{
    uint32_t n = idmap_find(&s->go_ids, (uint64_t)id);

    if (n == IDMAP_NONE)
        return NULL;
    note_recent(s, id, place(s, n));
    return place(s, n);
}

static int new_place(struct summing *s, uint32_t *ret)
{
    size_t chunk = s->n_places / CHUNK;
    int r = 0;

    if (s->n_free > 0) {
        *ret = s->free[--s->n_free];
        return 0;
    }
    if (s->n_places == SUMMING_MAX_GOROUTINES)
        return -E2BIG;
    if (s->n_places % CHUNK == 0) {
        r = memory_grow(&s->mem, &s->chunks, &s->chunks_cap, chunk + 1, sizeof(*s->chunks));
        if (r == 0)
            r = memory_grow(&s->mem, &s->free, &s->free_cap, s->n_places + CHUNK, sizeof(*s->free));
        if (r == 0)
            r = memory_new_aligned(&s->mem, MEMORY_LINE, CHUNK * sizeof(**s->chunks),
                                   &s->chunks[chunk]);
    }
    if (r == 0)
        *ret = s->n_places++;
    return r;
}

/* NULL if there is no place for it. */
static int add(struct summing *s, int64_t id, struct summing_go **ret)
{
    struct summing_go *g;
    uint32_t n = 0;
    int r = new_place(s, &n);

    *ret = NULL;
    if (r == 0)
        r = idmap_add(&s->go_ids, (uint64_t)id, n);
    if (r == -E2BIG) {
        s->out->lost_goroutines++;
        return 0;
    }
    if (r < 0)
        return r;
    g = place(s, n);
    *g = (struct summing_go){.id = id, .p = GOTRACE_NONE};
    note_recent(s, id, g);
    *ret = g;
    return 0;
}

void summing_go_forget(struct summing *s, struct summing_go *g)
{
    uint32_t n = idmap_remove(&s->go_ids, (uint64_t)g->id);

    if (s->recent[(uint64_t)g->id % SUMMING_RECENT].go == g)
        s->recent[(uint64_t)g->id % SUMMING_RECENT].go = NULL;
    s->free[s->n_free++] = n;
}

static int new_reason(struct summing *s, uint32_t handle, uint16_t *ret)
{
    struct summing_reason *reason;
    const char *text;
    uint32_t number, i = 0;
    int r = texts_of(&s->texts, s->trace, handle, &number);

    if (r < 0)
        return r;
    while (i < s->n_reasons && s->reasons[i].text != number)
        i++;
    if (i == SUMMING_MAX_REASONS - 1 && i == s->n_reasons)
        number = TEXTS_OTHER;
    *ret = (uint16_t)(i < SUMMING_MAX_REASONS ? i : SUMMING_MAX_REASONS - 1);
    if (i < s->n_reasons || i >= SUMMING_MAX_REASONS)
        return 0;
    r = memory_grow(&s->mem, &s->reasons, &s->reasons_cap, i + 1, sizeof(*s->reasons));
    if (r < 0)
        return r;
    text = texts_get(&s->texts, number);
    reason = &s->reasons[s->n_reasons++];
    *reason = (struct summing_reason){.text = number, .column = SITES_NOTHING};
    reason->forever = strcmp(text, "forever") == 0;
    if (strcmp(text, "network") == 0) {
        reason->column = SUMMARY_NET;
        reason->classes = s->out->classes.network;
    } else if (strstr(text, "chan") || strstr(text, "sync") || strstr(text, "select")) {
        reason->column = SUMMARY_SYNC;
        reason->classes = s->out->classes.sync;
    } else if (text[0] == '\0') {
        reason->column = SITES_UNKNOWN;
        reason->classes = s->out->classes.unknown;
    }
    return 0;
}

int summing_reason_of(struct summing *s, uint32_t handle, uint16_t *ret)
{
    int r;

    if (handle < s->n_reason_of && s->reason_of[handle] != 0) {
        *ret = (uint16_t)(s->reason_of[handle] - 1);
        return 0;
    }
    r = new_reason(s, handle, ret);
    if (r == 0 && handle < s->n_reason_of)
        s->reason_of[handle] = (uint16_t)(*ret + 1);
    return r;
}

int summing_go_generation(struct summing *s, uint32_t n_strings)
{
    size_t n = (size_t)n_strings + 1;
    int r = memory_grow(&s->mem, &s->reason_of, &s->reason_of_cap, n, sizeof(*s->reason_of));

    if (r < 0)
        return r;
    memset(s->reason_of, 0, n * sizeof(*s->reason_of));
    s->n_reason_of = (uint32_t)n;
    return 0;
}

int summing_go_create(struct summing *s, int64_t id, struct summing_go **ret)
{
    int r;

    s->out->goroutines.created++;
    if (++s->alive > s->alive_max)
        s->alive_max = s->alive;
    r = add(s, id, ret);
    if (r == 0 && *ret)
        (*ret)->created = true;
    return r;
}

int summing_go_meet(struct summing *s, const struct gotrace_event *e, struct summing_go **ret)
{
    if (e->from == GOTRACE_GO_NOT_EXIST)
        return summing_go_create(s, (int64_t)e->args[0], ret);
    if (e->from == GOTRACE_GO_UNDETERMINED) {
        s->out->goroutines.at_start++;
    } else {
        /* There was no place for it when it was created. */
        *ret = NULL;
        return 0;
    }
    return add(s, (int64_t)e->args[0], ret);
}

static void add_tally(struct summary_class *to, const struct tally *tally)
{
    to->count += tally->count;
    to->total += tally->total;
    to->whole += tally->count;
    to->whole_total += tally->total;
    if (tally->max > to->max)
        to->max = tally->max;
}

/* Sums that nobody needed before the end follow from those by stack and by proc. */
static void derive(struct summing *s)
{
    struct summary_classes *classes = &s->out->classes;
    struct summary_class *const of[] = {
        [SUMMARY_SYNC] = classes->sync,
        [SUMMARY_NET] = classes->network,
        [SUMMARY_SYSCALL] = classes->syscall,
        [SITES_UNKNOWN] = classes->unknown,
    };

    for (uint32_t i = 0; i < s->n_ps; i++)
        s->out->goroutines.running += s->ps[i].sums.executing;
    for (uint32_t i = 0; i < s->sites.n_stacks; i++) {
        const struct sites_stack *stack = &s->sites.stacks[i];

        s->out->goroutines.runnable += stack->tallies[SUMMARY_SCHED].total;
        for (size_t j = 0; j < sizeof(of) / sizeof(of[0]); j++)
            if (of[j])
                add_tally(&of[j][stack->class], &stack->tallies[j]);
    }
}

static int by_total(const void *a, const void *b)
{
    const struct summary_wait *x = a, *y = b;

    if (x->total != y->total)
        return x->total > y->total ? -1 : 1;
    return strcmp(x->reason, y->reason);
}

static int list_waits(struct summing *s)
{
    struct summary_goroutines *out = &s->out->goroutines;
    int r = arena_new(&s->texts.arena, s->n_reasons * sizeof(*out->waits), &out->waits);

    for (uint32_t i = 0; r == 0 && i < s->n_reasons; i++) {
        const struct summing_reason *reason = &s->reasons[i];

        if (reason->count == 0 && reason->total == 0)
            continue;
        out->waiting += reason->total;
        out->waits[out->n_waits++] = (struct summary_wait){
            texts_get(&s->texts, reason->text), reason->count, reason->total, reason->max};
    }
    if (out->n_waits > 1)
        qsort(out->waits, out->n_waits, sizeof(*out->waits), by_total);
    return r;
}

int summing_go_finish(struct summing *s)
{
    struct summary_goroutines *out = &s->out->goroutines;
    int64_t window = s->last - s->first;
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->go_ids.n_slots; i++) {
        const struct idmap_slot *slot = &s->go_ids.slots[i];
        struct summing_go *g;

        if (slot->value == 0)
            continue;
        g = place(s, slot->value - 1);
        r = summing_go_leave(s, g, NULL);
        if (r == 0 && (g->flags & SUMMING_ASSIST))
            summing_gc_end_assist(s, g, s->last);
    }
    derive(s);
    out->max_alive = out->at_start + (uint64_t)s->alive_max;
    out->at_end = out->at_start + out->created - out->ended;
    summing_times(&s->latency, &s->out->scheduler.latency);
    summing_times(&s->syscalls, &s->out->syscalls.times);
    s->out->scheduler.runnable_mean = window > 0 ? (double)out->runnable / (double)window : 0;
    s->out->syscalls.longest_active.at =
        sites_frame(&s->sites, s->longest_active_stack, SUMMARY_SYSCALL);
    s->out->syscalls.longest.at = sites_frame(&s->sites, s->longest_syscall_stack, SUMMARY_SYSCALL);
    s->out->longest_hold.at = sites_frame(&s->sites, s->longest_hold_stack, SUMMARY_SCHED);
    s->out->longest_run.at = sites_frame(&s->sites, s->longest_run_stack, SUMMARY_SCHED);
    return r < 0 ? r : list_waits(s);
}

void summing_go_done(struct summing *s)
{
    for (uint32_t i = 0; i < s->n_places; i += CHUNK)
        memory_free(&s->mem, s->chunks[i / CHUNK], CHUNK * sizeof(**s->chunks));
    memory_free(&s->mem, s->chunks, s->chunks_cap * sizeof(*s->chunks));
    memory_free(&s->mem, s->free, s->free_cap * sizeof(*s->free));
    memory_free(&s->mem, s->reasons, s->reasons_cap * sizeof(*s->reasons));
    memory_free(&s->mem, s->reason_of, s->reason_of_cap * sizeof(*s->reason_of));
    idmap_done(&s->go_ids);
}
