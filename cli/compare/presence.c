/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compare/presence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SITE_LEAST 0.02 /* of a goroutine, at any time: less is not told */

static const struct {
    const char *name;
    const char *list, *within; /* members of the summary: a list, or one in an object in `sites` */
    const char *called;
} kinds[PRESENCE_KINDS] = {
    [PRESENCE_LABEL] = {"label", NULL, NULL, NULL},
    [PRESENCE_FINDING] = {"finding", "findings", NULL, "code"},
    [PRESENCE_TASK] = {"task", "tasks", NULL, "type"},
    [PRESENCE_REGION] = {"region", "regions", NULL, "type"},
    [PRESENCE_SITE_SCHED] = {"wait for a P", "sites", "sched", "func"},
    [PRESENCE_SITE_SYNC] = {"wait for a lock or channel", "sites", "sync", "func"},
    [PRESENCE_SITE_NET] = {"wait for the network", "sites", "net", "func"},
    [PRESENCE_SITE_SYSCALL] = {"syscall", "sites", "syscall", "func"},
};

const char *presence_kind_name(enum presence_kind kind)
{
    return kinds[kind].name;
}

static int find(struct presences *p, enum presence_kind kind, const char *name,
                struct presence **ret)
{
    for (size_t i = 0; i < p->n; i++) {
        *ret = &p->list[i];
        if ((*ret)->kind == kind && strcmp((*ret)->name, name) == 0)
            return 0;
    }
    if (p->n == PRESENCE_MAX)
        return -E2BIG;
    if (p->n == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 64;
        struct presence *list = reallocarray(p->list, cap, sizeof(*list));

        if (!list)
            return -ENOMEM;
        p->list = list;
        p->cap = cap;
    }
    *ret = &p->list[p->n];
    **ret = (struct presence){.kind = kind, .name = strdup(name)};
    if (!(*ret)->name)
        return -ENOMEM;
    p->n++;
    return 0;
}

/* A trace may have a name more than once: sites of one function. */
static int note(struct presences *p, enum presence_kind kind, const char *name, unsigned side,
                double weight, size_t trace)
{
    struct presence *one;
    int r = find(p, kind, name, &one);

    if (r < 0)
        return r == -E2BIG ? 0 : r;
    one->in[side] += one->last[side] != trace;
    one->last[side] = trace;
    one->weight[side] += weight;
    return 0;
}

/* A note is no finding. */
static bool counts(enum presence_kind kind, const json_t *item)
{
    return kind != PRESENCE_FINDING || json_number_value(json_object_get(item, "score")) > 0;
}

static const char *name_of(enum presence_kind kind, const json_t *item)
{
    const json_t *own = json_object_get(item, "own");
    const char *name = json_string_value(json_object_get(own, "func"));

    return name ? name : json_string_value(json_object_get(item, kinds[kind].called));
}

static int add_kind(struct presences *p, const json_t *summary, enum presence_kind kind,
                    unsigned side, size_t trace)
{
    double window = json_number_value(json_object_get(summary, "window_ns"));
    const json_t *list = json_object_get(summary, kinds[kind].list), *item;
    size_t i;
    int r = 0;

    if (kinds[kind].within)
        list = json_object_get(json_object_get(list, kinds[kind].within), "top");
    json_array_foreach(list, i, item) {
        const char *name = name_of(kind, item);
        double time = json_number_value(json_object_get(item, "total_ns"));

        if (r == 0 && name && counts(kind, item))
            r = note(p, kind, name, side, window > 0 ? time / window : 0, trace);
    }
    return r;
}

static size_t traces_of(const struct presences *p, unsigned side)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++)
        n += p->list[i].kind == PRESENCE_LABEL ? p->list[i].in[side] : 0;
    return n;
}

int presences_add(struct presences *p, const json_t *summary, unsigned side)
{
    const char *label = json_string_value(json_object_get(summary, "label"));
    size_t trace = traces_of(p, side) + 1;
    int r = note(p, PRESENCE_LABEL, label ? label : "none", side, 0, trace);

    for (int kind = PRESENCE_LABEL + 1; r == 0 && kind < PRESENCE_KINDS; kind++)
        r = add_kind(p, summary, (enum presence_kind)kind, side, trace);
    return r;
}

int presence_moved(const struct presence *p, const size_t traces[static 2])
{
    for (unsigned side = 0; side < 2; side++) {
        double time = p->weight[side] / (double)traces[side];

        if (p->in[!side] == 0 && 2 * p->in[side] > traces[side] &&
            (p->kind < PRESENCE_SITE_SCHED || time >= SITE_LEAST))
            return side == 0 ? -1 : 1;
    }
    return 0;
}

void presences_done(struct presences *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->list[i].name);
    free(p->list);
}
