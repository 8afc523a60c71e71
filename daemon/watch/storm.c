/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch/storm.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/capture/target.h"

void storm_init(struct storm *s)
{
    *s = (struct storm){0};
}

void storm_release(struct storm_entry *e)
{
    target_unref(e->target);
    free(e->rule);
    *e = (struct storm_entry){0};
}

void storm_clear(struct storm *s)
{
    for (size_t i = 0; i < s->n; i++)
        storm_release(&s->entries[i]);
    free(s->entries);
    storm_init(s);
}

double storm_severity(double value, double threshold, bool below)
{
    double over = below ? threshold : value, under = below ? value : threshold;
    double factor = over / under;

    if (isnan(value) || isnan(threshold))
        return 0;
    if (isnan(factor) || factor < 0)
        return 1; /* of zeros and negative numbers there is no factor */
    return factor;
}

bool storm_gathers(const struct storm *s, size_t room, size_t all)
{
    return room > 0 && (s->n > 0 || 2 * room <= all) && all > 1;
}

static bool is_worse(const struct storm_entry *a, const struct storm_entry *b)
{
    if (a->severity != b->severity)
        return a->severity > b->severity;
    return a->order < b->order;
}

static int reserve(struct storm *s)
{
    size_t cap = s->cap ? 2 * s->cap : 16;
    struct storm_entry *entries;

    if (s->n < s->cap)
        return 0;
    entries = reallocarray(s->entries, cap, sizeof(*entries));
    if (!entries)
        return -ENOMEM;
    s->entries = entries;
    s->cap = cap;
    return 0;
}

/* Takes entry i out. */
static struct storm_entry take(struct storm *s, size_t i)
{
    struct storm_entry e = s->entries[i];

    s->entries[i] = s->entries[--s->n];
    return e;
}

static size_t mildest(const struct storm *s)
{
    size_t at = 0;

    for (size_t i = 1; i < s->n; i++) {
        if (is_worse(&s->entries[at], &s->entries[i]))
            at = i;
    }
    return at;
}

int storm_add(struct storm *s, struct target *target, const char *rule, double severity,
              struct storm_entry *ret_out)
{
    struct storm_entry e = {.severity = severity, .order = s->came++}, out = {0};

    if (s->n == STORM_MAX) {
        size_t i = mildest(s);

        if (!is_worse(&e, &s->entries[i]))
            return -ENOSPC;
        out = take(s, i);
    }
    e.rule = strdup(rule);
    if (!e.rule || reserve(s) < 0) {
        free(e.rule);
        *ret_out = out;
        return -ENOMEM;
    }
    e.target = target_ref(target);
    s->entries[s->n++] = e;
    *ret_out = out;
    return 0;
}

bool storm_worst(struct storm *s, struct storm_entry *ret)
{
    size_t at = 0;

    if (s->n == 0)
        return false;
    for (size_t i = 1; i < s->n; i++) {
        if (is_worse(&s->entries[i], &s->entries[at]))
            at = i;
    }
    *ret = take(s, at);
    return true;
}
