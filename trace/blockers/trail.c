/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/blockers/trail.h"

#include <string.h>

/* Items that a new block takes before the next is begun. */
#define BLOCK_ITEMS 16

void trail_init(struct trail *h)
{
    memset(h, 0, sizeof(*h));
}

void trail_done(struct trail *h, struct memory *mem)
{
    if (h->blocks)
        memory_free(mem, h->blocks, TRAIL_BLOCKS * sizeof(*h->blocks));
    trail_init(h);
}

static const struct trail_item *nth(const struct trail *h, unsigned i)
{
    return &h->recent[(h->first + i) % TRAIL_RECENT];
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What has no place of its own is the difference between the block's length and its parts. */
static void put(struct trail_block *b, uint32_t thing, int64_t ns)
{
    unsigned i = 0;

    if (thing == TRAIL_UNKNOWN)
        return;
    while (i < b->n && b->parts[i].thing != thing)
        i++;
    if (i == TRAIL_PARTS)
        return;
    if (i == b->n)
        b->parts[b->n++] = (struct trail_part){0, thing};
    b->parts[i].ns += ns;
}

static void join(struct trail_block *to, const struct trail_block *from)
{
    for (unsigned i = 0; i < from->n; i++)
        put(to, from->parts[i].thing, from->parts[i].ns);
    to->until = from->until;
    to->items += from->items;
}

/* Joins two neighbours: those that are the shortest in proportion to their age. */
static void make_room(struct trail *h, int64_t now)
{
    double least = 0;
    unsigned best = 0;

    for (unsigned i = 0; i + 1 < h->n_blocks; i++) {
        const struct trail_block *a = &h->blocks[i], *b = a + 1;
        double size = (double)(b->until - a->since) / (double)(now - b->until + 1);

        if (i == 0 || size < least) {
            least = size;
            best = i;
        }
    }
    join(&h->blocks[best], &h->blocks[best + 1]);
    h->n_blocks--;
    memmove(&h->blocks[best + 1], &h->blocks[best + 2],
            (h->n_blocks - best - 1) * sizeof(*h->blocks));
}

/* The oldest of the ring goes into the blocks. */
static void retire(struct trail *h, struct memory *mem, int64_t now)
{
    const struct trail_item *oldest = nth(h, 0);
    struct trail_block item = {.since = oldest->since, .until = nth(h, 1)->since, .items = 1};
    struct trail_block *last;

    put(&item, oldest->thing, item.until - item.since);
    h->first = (h->first + 1) % TRAIL_RECENT;
    h->n--;
    if (!h->blocks && memory_new(mem, TRAIL_BLOCKS * sizeof(*h->blocks), &h->blocks) < 0) {
        h->blocks = NULL;
        return;
    }
    last = h->n_blocks > 0 ? &h->blocks[h->n_blocks - 1] : NULL;
    if (last && last->items < BLOCK_ITEMS && last->until == item.since) {
        join(last, &item);
        return;
    }
    if (h->n_blocks == TRAIL_BLOCKS)
        make_room(h, now);
    h->blocks[h->n_blocks++] = item;
}

void trail_add(struct trail *h, struct memory *mem, int64_t time, uint32_t thing)
{
    if (h->n == TRAIL_RECENT)
        retire(h, mem, time);
    h->recent[(h->first + h->n++) % TRAIL_RECENT] = (struct trail_item){time, thing};
}

int64_t trail_end_of(const struct trail *h, uint32_t thing)
{
    for (unsigned i = h->n; i > 1; i--)
        if (nth(h, i - 2)->thing == thing)
            return nth(h, i - 1)->since;
    return INT64_MIN;
}

/* A block's share of the time: the rest of it, by rounding and without a place, is not known. */
static void ask_block(const struct trail_block *b, int64_t from, int64_t until, trail_fn tell,
                      void *userdata)
{
    int64_t asked = until - from, whole = b->until - b->since, known = 0;

    for (unsigned i = 0; i < b->n; i++) {
        int64_t ns =
            asked == whole ? b->parts[i].ns : (int64_t)((__int128_t)b->parts[i].ns * asked / whole);

        known += ns;
        if (ns > 0)
            tell(userdata, b->parts[i].thing, ns);
    }
    if (known < asked)
        tell(userdata, TRAIL_UNKNOWN, asked - known);
}

void trail_ask(const struct trail *h, int64_t from, int64_t until, trail_fn tell, void *userdata)
{
    int64_t known = 0;

    for (unsigned i = 0; i < h->n_blocks; i++) {
        const struct trail_block *b = &h->blocks[i];
        int64_t a = later(from, b->since), z = earlier(until, b->until);

        if (a < z) {
            ask_block(b, a, z, tell, userdata);
            known += z - a;
        }
    }
    for (unsigned i = 0; i < h->n; i++) {
        const struct trail_item *item = nth(h, i);
        int64_t end = i + 1 < h->n ? nth(h, i + 1)->since : until;
        int64_t a = later(from, item->since), z = earlier(until, end);

        if (a < z) {
            tell(userdata, item->thing, z - a);
            known += z - a;
        }
    }
    if (until - from > known)
        tell(userdata, TRAIL_UNKNOWN, until - from - known);
}
