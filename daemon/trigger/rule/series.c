/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/trigger/rule/series.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_SIZE 64

void series_done(struct series *s)
{
    free(s->slots);
    *s = (struct series){0};
}

/* FNV-1a, the terminating zero included. */
static uint64_t add_text(uint64_t h, const char *text)
{
    do
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    while (*text++);
    return h;
}

/* The order of labels does not matter: a series is their set. */
static uint64_t hash_of(const struct scrape_sample *sample)
{
    uint64_t sum = 0x9e3779b97f4a7c15u * (uint64_t)(sample->name + 1);

    for (size_t i = 0; i < sample->n_labels; i++) {
        uint64_t h = add_text(14695981039346656037u, sample->labels[i].name);

        h = add_text(h, sample->labels[i].value);
        h ^= h >> 32;
        sum += h * 0xd6e8feb86659fd93u;
    }
    return sum ? sum : 1;
}

static bool put(uint64_t *slots, size_t size, uint64_t hash)
{
    size_t i = (size_t)(hash ^ hash >> 29) & (size - 1);

    while (slots[i] != 0 && slots[i] != hash)
        i = (i + 1) & (size - 1);
    if (slots[i] == hash)
        return false;
    slots[i] = hash;
    return true;
}

static int grow(struct series *s)
{
    size_t size = s->size ? 2 * s->size : FIRST_SIZE;
    uint64_t *slots = calloc(size, sizeof(*slots));

    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < s->size; i++) {
        if (s->slots[i] != 0)
            (void)put(slots, size, s->slots[i]);
    }
    free(s->slots);
    s->slots = slots;
    s->size = size;
    return 0;
}

int series_add(struct series *s, const struct scrape_sample *sample)
{
    if (s->n >= SCRAPE_SERIES_MAX)
        return 1;
    if (2 * s->n >= s->size && grow(s) < 0)
        return -ENOMEM;
    if (!put(s->slots, s->size, hash_of(sample)))
        return 0;
    s->n++;
    return 1;
}
