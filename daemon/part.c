/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/part.h"

static void free_first(const struct part_table *t, size_t n, struct daemon *d)
{
    while (n-- > 0) {
        if (t->rows[n].free)
            t->rows[n].free(d);
    }
}

int part_table_new(const struct part_table *t, struct daemon *d)
{
    for (size_t i = 0; i < t->n; i++) {
        int r = t->rows[i].new ? t->rows[i].new(d) : 0;

        if (r < 0) {
            free_first(t, i, d);
            return r;
        }
    }
    return 0;
}

void part_table_free(const struct part_table *t, struct daemon *d)
{
    free_first(t, t->n, d);
}

/* Sets the first `n` parts back to a configuration that they had before. */
static void set_back(const struct part_table *t, size_t n, struct daemon *d,
                     const struct config *old)
{
    for (size_t i = 0; i < n; i++) {
        if (t->rows[i].set)
            (void)t->rows[i].set(d, old);
    }
}

int part_table_set(const struct part_table *t, struct daemon *d, const struct config *c,
                   const struct config *old)
{
    for (size_t i = 0; i < t->n; i++) {
        int r = t->rows[i].set ? t->rows[i].set(d, c) : 0;

        if (r < 0) {
            if (old)
                set_back(t, i + 1, d, old);
            return r;
        }
    }
    return 0;
}

void part_table_use(const struct part_table *t, struct daemon *d, const struct config *c)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->rows[i].use)
            t->rows[i].use(d, c);
    }
}

static void drain(const struct part_table *t, struct daemon *d, bool last)
{
    for (size_t i = t->n; i-- > 0;) {
        if (t->rows[i].drain && t->rows[i].last == last)
            t->rows[i].drain(d);
    }
}

void part_table_drain(const struct part_table *t, struct daemon *d)
{
    drain(t, d, false);
}

void part_table_cut(const struct part_table *t, struct daemon *d)
{
    for (size_t i = t->n; i-- > 0;) {
        if (t->rows[i].cut)
            t->rows[i].cut(d);
    }
}

static bool idle(const struct part_table *t, const struct daemon *d, bool last)
{
    for (size_t i = t->n; i-- > 0;) {
        if (t->rows[i].idle && t->rows[i].last == last && !t->rows[i].idle(d))
            return false;
    }
    return true;
}

bool part_table_ended(const struct part_table *t, struct daemon *d)
{
    if (!idle(t, d, false))
        return false;
    drain(t, d, true);
    return idle(t, d, true);
}
