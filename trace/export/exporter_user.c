/* SPDX-License-Identifier: Apache-2.0 */

/* Tasks and regions: each on a lane that is free, so that there are as many as there are at once. */

#include <errno.h>

#include "trace/export/exporter.h"

static int begin_task(struct exporter *x, const struct gotrace_event *e)
{
    struct packets_slice slice = {
        .keys = {PACKETS_TASK, PACKETS_NO_KEY},
        .values = {(int64_t)e->args[0], (int64_t)e->args[1]},
    };
    uint32_t lane, label;
    int r = exporter_text(x, e->string, &slice.name);

    if (r == 0)
        r = exporter_word(x, "tasks", &label);
    if (r == 0)
        r = exporter_lane(x, LANES_TASKS, label, 0, &lane);
    if (r < 0 || lane == LANES_NONE)
        return r;
    r = idmap_add(&x->by_task, e->args[0], lane);
    if (r < 0) {
        lanes_free(&x->lanes, lane);
        x->left_out += r == -E2BIG;
        return r == -E2BIG || r == -EEXIST ? 0 : r;
    }
    if (e->args[1] != (uint64_t)GOTRACE_NONE && e->args[1] != 0)
        slice.keys[1] = PACKETS_PARENT;
    lanes_push(&x->lanes, lane, e->time, &slice);
    return 0;
}

int exporter_task(struct exporter *x, const struct gotrace_event *e)
{
    uint32_t lane;

    if (e->kind == GOTRACE_TASK_BEGIN)
        return begin_task(x, e);
    lane = idmap_remove(&x->by_task, e->args[0]);
    if (lane == IDMAP_NONE)
        return 0; /* it began before the trace, which does not tell more */
    lanes_pop(&x->lanes, lane, e->time);
    lanes_free(&x->lanes, lane);
    return 0;
}

void exporter_regions_end(struct exporter *x, struct go *go, int64_t time)
{
    if (go->lane == LANES_NONE)
        return;
    lanes_pop_all(&x->lanes, go->lane, time);
    lanes_free(&x->lanes, go->lane);
    go->lane = LANES_NONE;
}

static int begin_region(struct exporter *x, struct go *go, const struct gotrace_event *e)
{
    struct packets_slice slice = {
        .keys = {PACKETS_GOROUTINE, e->args[0] > 0 ? PACKETS_TASK : PACKETS_NO_KEY},
        .values = {e->g, (int64_t)e->args[0]},
    };
    uint32_t label;
    int r = exporter_text(x, e->string, &slice.name);

    if (r == 0 && go->lane == LANES_NONE) {
        r = exporter_word(x, "regions", &label);
        if (r == 0)
            r = exporter_lane(x, LANES_REGIONS, label, 0, &go->lane);
    }
    if (r == 0)
        lanes_push(&x->lanes, go->lane, e->time, &slice);
    return r;
}

int exporter_region(struct exporter *x, const struct gotrace_event *e)
{
    struct go *go = gos_find(&x->gos, e->g);

    if (!go)
        return 0;
    if (e->kind == GOTRACE_REGION_BEGIN)
        return begin_region(x, go, e);
    if (e->third == GOTRACE_UNKNOWN || go->lane == LANES_NONE)
        return 0; /* it began before the trace */
    lanes_pop_below(&x->lanes, go->lane, e->time, e->args[1]);
    if (x->lanes.list[go->lane].depth == 0)
        exporter_regions_end(x, go, e->time);
    return 0;
}
