/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/common/idmap.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define FIRST_SLOTS 64

void idmap_init(struct idmap *map, struct memory *mem, uint64_t secret)
{
    memset(map, 0, sizeof(*map));
    map->mem = mem;
    map->factor = IDMAP_GOLDEN;
    map->secret = secret | 1;
}

void idmap_done(struct idmap *map)
{
    memory_free(map->mem, map->slots, map->n_slots * sizeof(*map->slots));
    memory_free(map->mem, map->dense, map->dense_cap * sizeof(*map->dense));
    map->slots = NULL;
    map->dense = NULL;
    map->n_slots = map->n = map->n_dense = map->dense_cap = 0;
}

void idmap_clear(struct idmap *map)
{
    if (map->n > 0)
        memset(map->slots, 0, map->n_slots * sizeof(*map->slots));
    map->n = 0;
    map->n_dense = 0;
    map->n_placed = 0;
    map->max_id = 0;
}

static size_t home(const struct idmap *map, uint64_t id)
{
    return (size_t)(id * map->factor >> map->shift);
}

/* The slot of the id, or the free slot for it, and its distance from the home slot. The table must
 * not be full. */
static struct idmap_slot *find_place(const struct idmap *map, uint64_t id, size_t *ret_steps)
{
    size_t mask = map->n_slots - 1, i = home(map, id), steps = 0;

    for (; map->slots[i].value != 0 && map->slots[i].id != id; steps++)
        i = (i + 1) & mask;
    *ret_steps = steps;
    return &map->slots[i];
}

/* Moves everything into a new table of n slots. */
static int rebuild(struct idmap *map, size_t n)
{
    size_t old_n = map->n_slots;
    struct idmap_slot *old = map->slots, *slots;
    size_t steps;
    int r = memory_new(map->mem, n * sizeof(*slots), &slots);

    if (r < 0)
        return r;
    map->slots = slots;
    map->n_slots = n;
    map->shift = 64U - (unsigned)__builtin_ctzll(n);
    for (size_t i = 0; i < old_n; i++)
        if (old[i].value != 0)
            *find_place(map, old[i].id, &steps) = old[i];
    memory_free(map->mem, old, old_n * sizeof(*old));
    return 0;
}

static int grow(struct idmap *map)
{
    return rebuild(map, map->n_slots ? map->n_slots * 2 : FIRST_SLOTS);
}

static int use_secret(struct idmap *map)
{
    int r;

    map->factor = map->secret;
    r = rebuild(map, map->n_slots);
    if (r < 0)
        map->factor = IDMAP_GOLDEN; /* the old table is unchanged */
    return r;
}

/* Puts the id into a free slot. */
static inline int put(struct idmap *map, struct idmap_slot *slot, uint64_t id, uint32_t value)
{
    *slot = (struct idmap_slot){id, value + 1};
    map->n++;
    if (id > map->max_id)
        map->max_id = id;
    return 0;
}

static bool is_full(const struct idmap *map)
{
    return map->n + map->n / 2 >= map->n_slots;
}

static bool is_crowded(const struct idmap *map, size_t steps)
{
    return __builtin_expect(steps > IDMAP_CROWDED, 0) && map->factor != map->secret;
}

/* The part of idmap_add for an id that is not there, in a table that must change first. */
static __attribute__((noinline)) int add_slow(struct idmap *map, uint64_t id, uint32_t value)
{
    struct idmap_slot *slot;
    size_t steps;
    int r = is_full(map) ? grow(map) : 0;

    if (r < 0)
        return r;
    slot = find_place(map, id, &steps);
    if (is_crowded(map, steps)) {
        r = use_secret(map);
        if (r < 0)
            return r;
        slot = find_place(map, id, &steps);
    }
    return put(map, slot, id, value);
}

int idmap_add(struct idmap *map, uint64_t id, uint32_t value)
{
    struct idmap_slot *slot;
    size_t steps;

    if (__builtin_expect(map->n_slots == 0, 0))
        return add_slow(map, id, value);
    slot = find_place(map, id, &steps);
    if (slot->value != 0)
        return -EEXIST;
    if (__builtin_expect(is_full(map), 0) || is_crowded(map, steps))
        return add_slow(map, id, value);
    return put(map, slot, id, value);
}

void idmap_set(struct idmap *map, uint64_t id, uint32_t value)
{
    size_t steps;

    if (map->n > 0 && find_place(map, id, &steps)->value != 0)
        find_place(map, id, &steps)->value = value + 1;
}

/* Deletion without tombstones: entries behind the gap that may fill it move up. */
static void close_gap(struct idmap *map, size_t gap)
{
    size_t mask = map->n_slots - 1;

    for (size_t i = (gap + 1) & mask; map->slots[i].value != 0; i = (i + 1) & mask) {
        size_t from_home = (i - home(map, map->slots[i].id)) & mask;

        if (from_home < ((i - gap) & mask))
            continue;
        map->slots[gap] = map->slots[i];
        gap = i;
    }
    map->slots[gap].value = 0;
    map->slots[gap].id = 0;
}

uint32_t idmap_remove(struct idmap *map, uint64_t id)
{
    struct idmap_slot *slot;
    uint32_t value;
    size_t steps;

    if (map->n == 0)
        return IDMAP_NONE;
    slot = find_place(map, id, &steps);
    value = slot->value - 1;
    if (value != IDMAP_NONE) {
        close_gap(map, (size_t)(slot - map->slots));
        map->n--;
    }
    return value;
}

/* Whether an array that includes the id is worth its memory. */
static bool is_dense(const struct idmap *map, uint64_t id)
{
    return id / 4 <= map->n + map->n_placed + 1024;
}

/* An array up to the id. */
static int extend(struct idmap *map, uint64_t id)
{
    size_t n = (size_t)id + 1;
    int r = memory_grow(map->mem, &map->dense, &map->dense_cap, n, sizeof(*map->dense));

    if (r < 0)
        return r;
    memset(map->dense + map->n_dense, 0, (n - map->n_dense) * sizeof(*map->dense));
    map->n_dense = n;
    return 0;
}

int idmap_add_dense(struct idmap *map, uint64_t id, uint32_t value)
{
    if (__builtin_expect(id >= map->n_dense, 0)) {
        int r = is_dense(map, id) ? extend(map, id | 63) : -ERANGE; /* some at a time */

        if (r == -ERANGE)
            return idmap_add(map, id, value);
        if (r < 0)
            return r;
    }
    if (map->dense[id] != 0 || idmap_find_slot(map, id) != IDMAP_NONE)
        return -EEXIST;
    map->dense[id] = value + 1;
    map->n_placed++;
    return 0;
}

int idmap_seal(struct idmap *map)
{
    int r = 0;

    if (map->n == 0)
        return 0;
    if (map->max_id >= map->n_dense && is_dense(map, map->max_id))
        r = extend(map, map->max_id);
    for (size_t i = 0; r == 0 && i < map->n_slots; i++)
        if (map->slots[i].value != 0 && map->slots[i].id < map->n_dense)
            map->dense[map->slots[i].id] = map->slots[i].value;
    return r;
}
