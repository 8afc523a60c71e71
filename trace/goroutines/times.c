/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/goroutines/times.h"

#include <errno.h>
#include <string.h>

const uint8_t times_field_of[] = {
    [COLUMN_BLOCK] = TIMES_BLOCK,
    [COLUMN_ASSIST] = TIMES_ASSIST,
    [COLUMN_SWEEP] = TIMES_SWEEP,
    [COLUMN_STW] = TIMES_STW,
};

void shares_init(struct shares *s, const struct columns *columns, struct memory *mem)
{
    *s = (struct shares){.mem = mem, .columns = columns, .free = SHARES_NONE};
}

void shares_done(struct shares *s)
{
    memory_free(s->mem, s->list, s->cap * sizeof(*s->list));
}

void times_init(struct times *t)
{
    *t = (struct times){.shares = SHARES_NONE};
}

void times_done(struct times *t, struct shares *s)
{
    uint32_t last = t->shares;

    if (last == SHARES_NONE)
        return;
    while (s->list[last].next != SHARES_NONE)
        last = s->list[last].next;
    s->list[last].next = s->free;
    s->free = t->shares;
    t->shares = SHARES_NONE;
}

static int new_share(struct shares *s, uint32_t *ret)
{
    int r;

    if (s->free != SHARES_NONE) {
        *ret = s->free;
        s->free = s->list[*ret].next;
        return 0;
    }
    if (s->n >= SHARES_NONE)
        return -E2BIG;
    r = memory_grow(s->mem, &s->list, &s->cap, s->n + 1, sizeof(*s->list));
    if (r == 0)
        *ret = (uint32_t)s->n++;
    return r;
}

struct share *times_share(const struct times *t, const struct shares *s, uint16_t column)
{
    for (uint32_t i = t->shares; i != SHARES_NONE; i = s->list[i].next) {
        if (s->list[i].column == column)
            return &s->list[i];
    }
    return NULL;
}

int times_need(struct times *t, struct shares *s, uint16_t column, struct share **ret)
{
    struct share *share = times_share(t, s, column);
    uint32_t i = SHARES_NONE;
    int r;

    *ret = share;
    if (share)
        return 0;
    r = new_share(s, &i);
    if (r < 0)
        return r == -E2BIG ? 0 : r;
    s->list[i] = (struct share){.column = column, .next = t->shares};
    t->shares = i;
    *ret = &s->list[i];
    return 0;
}

int times_add_elsewhere(struct times *t, struct shares *s, uint16_t column, int64_t ns)
{
    struct share *share;
    int r = times_need(t, s, column, &share);

    if (r == 0 && share)
        share->ns = times_plus(share->ns, ns);
    else if (r == 0)
        s->left_out = times_plus(s->left_out, ns);
    return r;
}

int times_merge(struct times *t, struct shares *s, const struct times *from)
{
    int r = 0;

    for (unsigned i = 0; i < TIMES_N; i++)
        t->ns[i] = times_plus(t->ns[i], from->ns[i]);
    for (uint32_t i = from->shares; r == 0 && i != SHARES_NONE; i = s->list[i].next)
        r = times_add_elsewhere(t, s, s->list[i].column, s->list[i].ns);
    return r;
}
