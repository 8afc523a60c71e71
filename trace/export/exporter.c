/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/export/exporter.h"

#include <stdio.h>
#include <string.h>

#define NAME_SIZE 512

static const struct {
    const char *name;
    enum packets_unit unit;
} counters[EXPORTER_N_COUNTERS] = {
    [EXPORTER_RUNNABLE] = {"runnable goroutines", PACKETS_COUNT},
    [EXPORTER_SYSCALL] = {"goroutines in system calls", PACKETS_COUNT},
    [EXPORTER_PROCS] = {"Ps", PACKETS_COUNT},
    [EXPORTER_HEAP] = {"heap", PACKETS_BYTES},
    [EXPORTER_GOAL] = {"heap goal", PACKETS_BYTES},
};

int exporter_text(struct exporter *x, uint32_t handle, uint32_t *ret)
{
    return texts_of(&x->texts, x->trace, handle, ret);
}

int exporter_word(struct exporter *x, const char *text, uint32_t *ret)
{
    return texts_add(&x->texts, text, strlen(text), ret);
}

int exporter_words(struct exporter *x, const char *text, const char *more, uint32_t *ret)
{
    char both[NAME_SIZE];

    (void)snprintf(both, sizeof(both), "%s%s", text, more);
    return exporter_word(x, both, ret);
}

int exporter_begin(struct exporter *x, uint32_t lane, int64_t time, const char *name)
{
    struct packets_slice slice = {0};
    int r = exporter_word(x, name, &slice.name);

    if (r == 0)
        lanes_push(&x->lanes, lane, time, &slice);
    return r;
}

int exporter_lane(struct exporter *x, enum lanes_group group, uint32_t name, int64_t rank,
                  uint32_t *ret)
{
    int r = lanes_new(&x->lanes, group, name, rank, ret);

    x->left_out += r == 0 && *ret == LANES_NONE;
    return r;
}

static void write_steps(struct exporter *x, enum exporter_counter i, const struct step *steps,
                        size_t n)
{
    if (n > 0 && x->counters[i].track == 0)
        x->counters[i].track = lanes_counter(&x->lanes, counters[i].name, counters[i].unit);
    for (size_t k = 0; k < n; k++)
        packets_counter(&x->packets, steps[k].time, x->counters[i].track, steps[k].value);
}

void exporter_count(struct exporter *x, enum exporter_counter i, int64_t time, int64_t value)
{
    struct step steps[2];

    x->counters[i].value = value;
    x->counters[i].known = true;
    if (x->lanes.writing)
        write_steps(x, i, steps, steps_set(&x->counters[i].steps, time, value, steps));
}

void exporter_enter(struct exporter *x, int64_t time)
{
    lanes_enter(&x->lanes, time);
    for (unsigned i = 0; i < EXPORTER_N_COUNTERS; i++)
        if (x->counters[i].known)
            exporter_count(x, i, time, x->counters[i].value);
}

void exporter_leave(struct exporter *x, int64_t time)
{
    struct step steps[2];

    if (!x->lanes.writing)
        return;
    for (unsigned i = 0; i < EXPORTER_N_COUNTERS; i++)
        write_steps(x, i, steps, steps_end(&x->counters[i].steps, time, steps));
    lanes_leave(&x->lanes, time);
}
