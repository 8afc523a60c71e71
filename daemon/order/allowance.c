/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/order/allowance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

void allowance_init(struct allowance *a)
{
    *a = (struct allowance){0};
}

void allowance_done(struct allowance *a)
{
    free(a->buckets);
    allowance_init(a);
}

/* A collision is harmless: two targets that share a bucket are allowed less. */
uint64_t allowance_id(const char *job, const char *address)
{
    return random_fnv(random_fnv(RANDOM_FNV, job), address);
}

/* The place of the bucket, or where it would be inserted. */
static size_t place(const struct allowance *a, uint64_t id)
{
    size_t low = 0, high = a->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (a->buckets[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Boot time at which the bucket is full, but at least `now`. */
static usec full_at(const struct allowance *a, uint64_t id, usec now)
{
    size_t i = place(a, id);

    if (i == a->n || a->buckets[i].id != id || a->buckets[i].full < now)
        return now;
    return a->buckets[i].full;
}

usec allowance_wait(const struct allowance *a, uint64_t id, usec window, usec now)
{
    usec room = window < ALLOWANCE_BURST ? ALLOWANCE_BURST - window : 0;
    usec full = full_at(a, id, now), missing = room * ALLOWANCE_SHARE;

    return full - now > missing ? full - now - missing : 0;
}

static void drop_full(struct allowance *a, usec now)
{
    size_t kept = 0;

    for (size_t i = 0; i < a->n; i++) {
        if (a->buckets[i].full > now)
            a->buckets[kept++] = a->buckets[i];
    }
    a->n = kept;
}

static int reserve(struct allowance *a, usec now)
{
    size_t cap = a->cap > 0 ? 2 * a->cap : 16;
    struct allowance_bucket *buckets;

    if (a->n < a->cap)
        return 0;
    drop_full(a, now);
    if (a->n < a->cap / 2) /* with fewer free places this would soon be needed again */
        return 0;
    buckets = reallocarray(a->buckets, cap, sizeof(*buckets));
    if (!buckets)
        return a->n < a->cap ? 0 : -ENOMEM;
    a->buckets = buckets;
    a->cap = cap;
    return 0;
}

int allowance_take(struct allowance *a, uint64_t id, usec window, usec now)
{
    usec full = full_at(a, id, now) + window * ALLOWANCE_SHARE;
    size_t i = place(a, id);

    if (i == a->n || a->buckets[i].id != id) {
        if (reserve(a, now) < 0)
            return -ENOMEM;
        i = place(a, id);
        memmove(a->buckets + i + 1, a->buckets + i, (a->n - i) * sizeof(*a->buckets));
        a->n++;
    }
    a->buckets[i] = (struct allowance_bucket){.id = id, .full = full};
    return 0;
}
