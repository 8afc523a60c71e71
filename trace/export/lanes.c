/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/export/lanes.h"

#include <errno.h>

/* The file's own track, and below it the groups'. */
#define TRACK_ROOT 1
#define TRACK_GROUPS 2

static const char *const groups[LANES_N_GROUPS] = {
    [LANES_COUNTERS] = "counters",
    [LANES_COLLECTOR] = "garbage collector",
    [LANES_PS] = "Ps",
    [LANES_GOROUTINES] = "goroutines",
    [LANES_TASKS] = "tasks",
    [LANES_REGIONS] = "regions",
};

static void tell(struct packets *packets, uint64_t track, uint64_t parent, const char *name,
                 int64_t rank)
{
    packets_track(packets,
                  &(struct packets_track){
                      .id = track, .parent = parent, .name = name, .rank = rank, .by_rank = true});
}

void lanes_init(struct lanes *l, struct memory *mem, struct packets *packets)
{
    *l = (struct lanes){.mem = mem, .packets = packets, .tracks = TRACK_GROUPS + LANES_N_GROUPS};
    for (unsigned i = 0; i < LANES_N_GROUPS; i++)
        l->free[i] = LANES_NONE;
    tell(packets, TRACK_ROOT, 0, "Go execution trace", 0);
}

void lanes_done(struct lanes *l)
{
    memory_free(l->mem, l->list, l->cap * sizeof(*l->list));
}

int lanes_new(struct lanes *l, enum lanes_group group, uint32_t name, int64_t rank, uint32_t *ret)
{
    uint32_t i = l->free[group];
    int r;

    *ret = i;
    if (i != LANES_NONE) {
        l->free[group] = l->list[i].next_free;
        return 0;
    }
    if (l->n >= LANES_MAX)
        return 0;
    r = memory_grow(l->mem, &l->list, &l->cap, l->n + 1, sizeof(*l->list));
    if (r < 0)
        return r == -E2BIG ? 0 : r;
    i = (uint32_t)l->n++;
    l->list[i] = (struct lane){
        .track = ++l->tracks,
        .rank = rank,
        .name = name,
        .next_free = LANES_NONE,
        .group = (uint8_t)group,
    };
    *ret = i;
    return 0;
}

void lanes_free(struct lanes *l, uint32_t i)
{
    struct lane *lane = &l->list[i];

    lane->next_free = l->free[lane->group];
    l->free[lane->group] = i;
}

static uint64_t group_track(struct lanes *l, enum lanes_group group)
{
    if (!l->told[group])
        tell(l->packets, TRACK_GROUPS + group, TRACK_ROOT, groups[group], (int64_t)group + 1);
    l->told[group] = true;
    return TRACK_GROUPS + group;
}

uint64_t lanes_counter(struct lanes *l, const char *name, enum packets_unit unit)
{
    uint64_t group = group_track(l, LANES_COUNTERS), track = ++l->tracks;

    packets_track(
        l->packets,
        &(struct packets_track){
            .id = track, .parent = group, .name = name, .rank = (int64_t)track, .unit = unit});
    return track;
}

/* The descriptor comes with the first slice, and again when the name is known. */
static void describe(struct lanes *l, struct lane *lane)
{
    uint64_t parent = group_track(l, lane->group);

    lane->told = true;
    packets_track(l->packets, &(struct packets_track){
                                  .id = lane->track,
                                  .parent = parent,
                                  .name = texts_get(l->packets->texts, lane->name),
                                  .rank = lane->rank,
                                  .alone = lane->rank > 0,
                              });
}

void lanes_name(struct lanes *l, uint32_t i, uint32_t name)
{
    l->list[i].name = name;
    if (l->list[i].told)
        describe(l, &l->list[i]);
}

static void write_begin(struct lanes *l, struct lane *lane, int64_t time,
                        const struct packets_slice *slice)
{
    if (!lane->told)
        describe(l, lane);
    packets_slice_begin(l->packets, time, lane->track, slice);
}

void lanes_push(struct lanes *l, uint32_t i, int64_t time, const struct packets_slice *slice)
{
    struct lane *lane;

    if (i == LANES_NONE)
        return;
    lane = &l->list[i];
    lane->used = true;
    if (lane->depth++ >= LANES_DEPTH)
        return;
    lane->open[lane->depth - 1] = *slice;
    if (l->writing)
        write_begin(l, lane, time, slice);
}

void lanes_pop(struct lanes *l, uint32_t i, int64_t time)
{
    struct lane *lane;

    if (i == LANES_NONE || l->list[i].depth == 0)
        return;
    lane = &l->list[i];
    if (lane->depth-- > LANES_DEPTH)
        return;
    if (l->writing)
        packets_slice_end(l->packets, time, lane->track);
}

/* A slice's end is that of the innermost one, so the others begin anew. Of what is too deep to be
 * written it makes no difference which one ends. */
void lanes_pop_below(struct lanes *l, uint32_t i, int64_t time, uint64_t above)
{
    struct packets_slice others[LANES_DEPTH];
    uint32_t n = 0;

    if (i == LANES_NONE || above >= l->list[i].depth)
        return;
    if (l->list[i].depth > LANES_DEPTH)
        above = 0;
    while (n < above) {
        others[n++] = l->list[i].open[l->list[i].depth - 1];
        lanes_pop(l, i, time);
    }
    lanes_pop(l, i, time);
    while (n-- > 0)
        lanes_push(l, i, time, &others[n]);
}

void lanes_pop_all(struct lanes *l, uint32_t i, int64_t time)
{
    while (i != LANES_NONE && l->list[i].depth > 0)
        lanes_pop(l, i, time);
}

void lanes_enter(struct lanes *l, int64_t time)
{
    l->writing = true;
    for (size_t i = 0; i < l->n; i++) {
        struct lane *lane = &l->list[i];

        for (uint32_t k = 0; k < lane->depth && k < LANES_DEPTH; k++)
            write_begin(l, lane, time, &lane->open[k]);
    }
}

void lanes_leave(struct lanes *l, int64_t time)
{
    for (size_t i = 0; i < l->n; i++)
        lanes_pop_all(l, (uint32_t)i, time);
    l->writing = false;
}
