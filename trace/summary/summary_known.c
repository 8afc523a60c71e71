/* SPDX-License-Identifier: Apache-2.0 */

/* Which goroutines are known, the reasons for which they wait, and for summary_turn.c what is known
 * of a stack or string by its id in the trace. */

#include <errno.h>
#include <string.h>

#include "trace/reader/reader.h"
#include "trace/summary/accumulator.h"

_Static_assert(sizeof(struct accumulator_go) == MEMORY_LINE, "one cache line");
_Static_assert(SITES_FIRST + SITES_MAX_STACKS + SITES_MORE_STACKS <= UINT16_MAX, "for creator");

static void note_recent(struct accumulator *s, int64_t id, struct accumulator_go *g)
{
    s->recent[(uint64_t)id % ACCUMULATOR_RECENT] = (struct accumulator_recent){id, g};
}

struct accumulator_go *accumulator_go_find_slow(struct accumulator *s, int64_t id)
{
    uint32_t n = idmap_find(&s->go_ids, (uint64_t)id);

    if (n == IDMAP_NONE)
        return NULL;
    note_recent(s, id, accumulator_place(s, n));
    return accumulator_place(s, n);
}

static int new_place(struct accumulator *s, uint32_t *ret)
{
    size_t chunk = s->n_places / ACCUMULATOR_CHUNK;
    int r = 0;

    if (s->n_free > 0) {
        *ret = s->free[--s->n_free];
        return 0;
    }
    if (s->n_places == ACCUMULATOR_MAX_GOROUTINES)
        return -E2BIG;
    if (s->n_places % ACCUMULATOR_CHUNK == 0) {
        r = memory_grow(&s->mem, &s->chunks, &s->chunks_cap, chunk + 1, sizeof(*s->chunks));
        if (r == 0)
            r = memory_grow(&s->mem, &s->free, &s->free_cap, s->n_places + ACCUMULATOR_CHUNK,
                            sizeof(*s->free));
        if (r == 0)
            r = memory_new_aligned(&s->mem, MEMORY_LINE, ACCUMULATOR_CHUNK * sizeof(**s->chunks),
                                   &s->chunks[chunk]);
    }
    if (r == 0)
        *ret = s->n_places++;
    return r;
}

/* Adds a goroutine. *ret is NULL if there is no place for it. */
static int add(struct accumulator *s, int64_t id, struct accumulator_go **ret)
{
    struct accumulator_go *g;
    uint32_t n = 0;
    int r = new_place(s, &n);

    *ret = NULL;
    if (r == 0) {
        r = idmap_add(&s->go_ids, (uint64_t)id, n);
        if (r < 0)
            s->free[s->n_free++] = n;
    }
    if (r == -E2BIG) {
        s->out->lost_goroutines++;
        return 0;
    }
    if (r < 0)
        return r;
    g = accumulator_place(s, n);
    *g = (struct accumulator_go){.id = id, .p = GOTRACE_NONE, .creator = SITES_OLDER};
    note_recent(s, id, g);
    *ret = g;
    return 0;
}

void accumulator_go_forget(struct accumulator *s, struct accumulator_go *g)
{
    uint32_t n = idmap_remove(&s->go_ids, (uint64_t)g->id);

    if (s->recent[(uint64_t)g->id % ACCUMULATOR_RECENT].go == g)
        s->recent[(uint64_t)g->id % ACCUMULATOR_RECENT].go = NULL;
    s->free[s->n_free++] = n;
}

static int new_reason(struct accumulator *s, uint32_t handle, uint16_t *ret)
{
    struct accumulator_reason *reason;
    const char *text;
    uint32_t number, i = 0;
    int r = texts_of(&s->texts, s->trace, handle, &number);

    if (r < 0)
        return r;
    while (i < s->n_reasons && s->reasons[i].text != number)
        i++;
    if (i == ACCUMULATOR_MAX_REASONS - 1 && i == s->n_reasons)
        number = TEXTS_OTHER;
    *ret = (uint16_t)(i < ACCUMULATOR_MAX_REASONS ? i : ACCUMULATOR_MAX_REASONS - 1);
    if (i < s->n_reasons || i >= ACCUMULATOR_MAX_REASONS)
        return 0;
    r = memory_grow(&s->mem, &s->reasons, &s->reasons_cap, i + 1, sizeof(*s->reasons));
    if (r < 0)
        return r;
    text = texts_get(&s->texts, number);
    reason = &s->reasons[s->n_reasons++];
    *reason = (struct accumulator_reason){
        .text = number, .column = SITES_NOTHING, .sort = OUTLIERS_APART};
    reason->forever = strcmp(text, "forever") == 0;
    if (strcmp(text, "network") == 0) {
        reason->column = SUMMARY_NET;
        reason->sort = OUTLIERS_NETWORK;
        reason->classes = s->out->classes.network;
    } else if (strstr(text, "chan") || strstr(text, "sync") || strstr(text, "select")) {
        reason->column = SUMMARY_SYNC;
        reason->sort = OUTLIERS_SYNC;
        reason->classes = s->out->classes.sync;
    } else if (strcmp(text, "sleep") == 0) {
        reason->column = SITES_SLEEP;
        reason->classes = s->out->classes.sleep;
    } else if (text[0] == '\0') {
        reason->column = SITES_UNKNOWN;
        reason->sort = OUTLIERS_UNKNOWN;
        reason->classes = s->out->classes.unknown;
    }
    reason->yields = strcmp(text, "runtime.Gosched") == 0;
    reason->placed = reason->classes || reason->forever;
    return 0;
}

int accumulator_reason_of(struct accumulator *s, uint32_t handle, uint16_t *ret)
{
    uint64_t known;
    int r;

    if (handles_find(&s->reason_of, handle, &known)) {
        *ret = (uint16_t)known;
        return 0;
    }
    r = new_reason(s, handle, ret);
    if (r == 0)
        handles_set(&s->reason_of, handle, *ret);
    return r;
}

int accumulator_go_create(struct accumulator *s, int64_t id, struct accumulator_go **ret)
{
    s->out->goroutines.created++;
    if (++s->alive > s->alive_max)
        s->alive_max = s->alive;
    return add(s, id, ret);
}

int accumulator_go_meet(struct accumulator *s, const struct gotrace_event *e,
                        struct accumulator_go **ret)
{
    if (e->from == GOTRACE_GO_NOT_EXIST)
        return accumulator_go_create(s, (int64_t)e->args[0], ret);
    if (e->from == GOTRACE_GO_UNDETERMINED) {
        s->out->goroutines.at_start++;
    } else {
        /* It existed in the trace before, but had found no place. */
        *ret = NULL;
        return 0;
    }
    return add(s, (int64_t)e->args[0], ret);
}

/* Makes room for n ids, all unknown. Returns n, or 0 if memory does not suffice. */
static size_t forget_ids(struct accumulator *s, void *pp, size_t *cap, size_t n, size_t size)
{
    void *p;

    if (n == 0 || memory_grow(&s->mem, pp, cap, n, size) < 0)
        return 0;
    memcpy(&p, pp, sizeof(p));
    memset(p, 0, n * size);
    return n;
}

void accumulator_turns_generation(struct accumulator *s)
{
    const struct generation *gen = &s->trace->gen;
    size_t n_strings = gen->strings.ids.n_dense;

    s->n_stack_ids = forget_ids(s, &s->stack_of_id, &s->stack_of_id_cap, gen->stacks.ids.n_dense,
                                sizeof(*s->stack_of_id));
    s->n_reason_ids =
        forget_ids(s, &s->reason_of_id, &s->reason_of_id_cap,
                   n_strings < HANDLES_MAX ? n_strings : HANDLES_MAX, sizeof(*s->reason_of_id));
}

void accumulator_turns_done(struct accumulator *s)
{
    memory_free(&s->mem, s->stack_of_id, s->stack_of_id_cap * sizeof(*s->stack_of_id));
    memory_free(&s->mem, s->reason_of_id, s->reason_of_id_cap * sizeof(*s->reason_of_id));
    if (s->trace)
        resources_leave_users(&s->trace->order.res);
}
