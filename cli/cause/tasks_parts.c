/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/cause/tasks.h"
#include "cli/read/place.h"

static int longer(const void *a, const void *b)
{
    const struct tasks_part *x = a, *y = b;

    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    return strcmp(x->like->why, y->like->why);
}

typedef bool (*same_fn)(const struct trees_part *a, const struct trees_part *b);

static bool same_site(const struct trees_part *a, const struct trees_part *b)
{
    return a->kind == b->kind && strcmp(a->why, b->why) == 0 &&
           place_equal(&a->own, &a->site, &b->own, &b->site);
}

static bool same_reason(const struct trees_part *a, const struct trees_part *b)
{
    return a->kind == TREES_WAIT && b->kind == TREES_WAIT && strcmp(a->why, b->why) == 0;
}

static size_t merge(const struct trees *t, const struct trees_work *work, same_fn same,
                    bool waits_only, struct tasks_part *ret)
{
    size_t n = 0;

    for (uint32_t i = work->parts; i != TREES_NONE; i = t->parts[i].next) {
        const struct trees_part *part = &t->parts[i];
        size_t k = 0;

        if (part->ns == 0 || (waits_only && part->kind != TREES_WAIT))
            continue;
        while (k < n && !same(ret[k].like, part))
            k++;
        if (k == n)
            ret[n++] = (struct tasks_part){part, 0};
        ret[k].ns += part->ns;
    }
    qsort(ret, n, sizeof(*ret), longer);
    return n;
}

size_t tasks_parts(const struct trees *t, const struct trees_work *work,
                   struct tasks_part ret[static TASKS_PARTS_MAX])
{
    return merge(t, work, same_site, false, ret);
}

size_t tasks_reasons(const struct trees *t, const struct trees_work *work,
                     struct tasks_part ret[static TASKS_PARTS_MAX])
{
    return merge(t, work, same_reason, true, ret);
}

const char *tasks_kind(enum trees_kind kind)
{
    static const char *const names[] = {
        [TREES_RUNNING] = "running", [TREES_RUNNABLE] = "runnable", [TREES_SYSCALL] = "syscall",
        [TREES_WAIT] = "wait",       [TREES_STANDING] = "standing",
    };

    return names[kind];
}
