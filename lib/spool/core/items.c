/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/core/items.h"

#include "lib/record/name.h"

void items_init(struct items *s, struct core *core, const struct reserved *reserved)
{
    *s = (struct items){.core = core, .reserved = reserved};
    index_init(&s->index);
}

void items_done(struct items *s)
{
    index_done(&s->index);
}

void items_set_idle_fn(struct items *s, items_idle_fn fn, void *userdata)
{
    s->idle = fn;
    s->userdata = userdata;
}

struct retention_item *items_at(const struct items *s, size_t at)
{
    return &index_items(&s->index)[at];
}

bool items_find(const struct items *s, const char *key, size_t *ret)
{
    struct name name;

    return name_parse(key, &name) >= 0 && (index_find(&s->index, key, name.time, false, ret) ||
                                           index_find(&s->index, key, name.time, true, ret));
}

uint64_t items_bytes(const struct items *s)
{
    return s->index.sums[false].bytes + s->index.sums[true].bytes;
}

void items_idle(struct items *s, size_t at)
{
    items_at(s, at)->busy = false;
    if (s->idle)
        s->idle(s->userdata);
}

/* Room became free: wakes the spool if a reservation waits for it. */
static void freed(const struct items *s)
{
    if (s->reserved->waiting)
        core_wake(s->core);
}

void items_drop(struct items *s, size_t at)
{
    index_remove(&s->index, at);
    freed(s);
}

void items_hold(struct items *s, size_t at)
{
    struct retention_item *item = items_at(s, at);

    if (item->held)
        return;
    item->held = true;
    s->index.held++;
    index_resize(&s->index, at, item->bytes + ITEMS_AMEND_ROOM);
}

void items_unhold(struct items *s, size_t at)
{
    struct retention_item *item = items_at(s, at);

    if (!item->held)
        return;
    item->held = false;
    s->index.held--;
    index_resize(&s->index, at, item->bytes - ITEMS_AMEND_ROOM);
    freed(s);
}
