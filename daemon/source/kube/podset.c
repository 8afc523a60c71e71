/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/kube/podset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    struct pod *pod;
    unsigned list; /* in which it was put */
    bool asked;    /* podset_first */
};

struct podset {
    struct slot *slots; /* in the order of pod_compare */
    size_t n, room;
    unsigned list;
};

struct podset *podset_new(void)
{
    return calloc(1, sizeof(struct podset));
}

void podset_free(struct podset *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        pod_free(s->slots[i].pod);
    free(s->slots);
    free(s);
}

size_t podset_count(const struct podset *s)
{
    return s->n;
}

const struct pod *podset_at(const struct podset *s, size_t i)
{
    return s->slots[i].pod;
}

/* Where it is, or would be. */
static size_t place_of(const struct podset *s, const struct pod *p, bool *ret_found)
{
    size_t from = 0, to = s->n;

    *ret_found = false;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int r = pod_compare(s->slots[middle].pod, p);

        if (r == 0) {
            *ret_found = true;
            return middle;
        }
        if (r < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static int make_room(struct podset *s)
{
    size_t room = s->room ? s->room + s->room / 2 : 16;
    struct slot *slots;

    if (s->n >= PODSET_MAX)
        return -E2BIG;
    if (s->n < s->room)
        return 0;
    slots = reallocarray(s->slots, room, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    s->slots = slots;
    s->room = room;
    return 0;
}

int podset_put(struct podset *s, struct pod *p)
{
    bool found, equal;
    size_t at = place_of(s, p, &found);
    int r;

    if (found) {
        equal = pod_equal(s->slots[at].pod, p);
        pod_free(equal ? p : s->slots[at].pod);
        if (!equal)
            s->slots[at] = (struct slot){.pod = p};
        s->slots[at].list = s->list;
        return !equal;
    }
    r = make_room(s);
    if (r < 0) {
        pod_free(p);
        return r;
    }
    memmove(s->slots + at + 1, s->slots + at, (s->n - at) * sizeof(*s->slots));
    s->slots[at] = (struct slot){.pod = p, .list = s->list};
    s->n++;
    return 1;
}

bool podset_first(struct podset *s, size_t i)
{
    bool first = !s->slots[i].asked;

    s->slots[i].asked = true;
    return first;
}

bool podset_remove(struct podset *s, const struct pod *p)
{
    bool found;
    size_t at = place_of(s, p, &found);

    if (!found)
        return false;
    pod_free(s->slots[at].pod);
    s->n--;
    memmove(s->slots + at, s->slots + at + 1, (s->n - at) * sizeof(*s->slots));
    return true;
}

void podset_begin(struct podset *s)
{
    s->list++;
}

size_t podset_sweep(struct podset *s)
{
    size_t kept = 0, swept;

    for (size_t i = 0; i < s->n; i++) {
        if (s->slots[i].list == s->list)
            s->slots[kept++] = s->slots[i];
        else
            pod_free(s->slots[i].pod);
    }
    swept = s->n - kept;
    s->n = kept;
    return swept;
}
