/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is known of the trace while it is written, and the parts that write it: each takes events of
 * some kinds. Private to export.c and exporter*.c.
 */

#include "trace/common/idmap.h"
#include "trace/common/texts.h"
#include "trace/export/lanes.h"
#include "trace/export/steps.h"
#include "trace/timeline/gos.h"

enum exporter_counter {
    EXPORTER_RUNNABLE,
    EXPORTER_SYSCALL,
    EXPORTER_PROCS,
    EXPORTER_HEAP,
    EXPORTER_GOAL,
    EXPORTER_N_COUNTERS,
};

/* A goroutine that was chosen, and its lanes. */
struct chosen {
    int64_t g;
    uint32_t states, assists;
    bool named;
};

struct exporter {
    struct memory mem, names_mem;
    struct gotrace *trace;
    struct texts texts;
    struct packets packets;
    struct lanes lanes;
    struct gos gos;
    struct idmap by_g; /* chosen goroutines */
    struct idmap by_p; /* lanes of Ps */
    struct idmap by_m; /* the Ps that threads have */
    struct idmap by_task;
    struct idmap sampled; /* goroutines whose names were told for samples */
    struct chosen *chosen;
    size_t n_chosen;
    uint32_t mark, stopped; /* lanes of the collector */
    struct {
        struct steps steps;
        int64_t value;
        bool known;
        uint64_t track; /* 0: none yet */
    } counters[EXPORTER_N_COUNTERS];
    packets_write_fn write;
    void *userdata;
    bool begun, ended;
    int64_t first, last;  /* the trace's time */
    int64_t since, until; /* likewise; before it has begun: from its begin */
    uint64_t generations, left_out;
};

/* A text of this generation, of any text, and one made of two. Errors of memory.h. */
int exporter_text(struct exporter *x, uint32_t handle, uint32_t *ret);
int exporter_word(struct exporter *x, const char *text, uint32_t *ret);
int exporter_words(struct exporter *x, const char *text, const char *more, uint32_t *ret);

/* A slice with a name that is one of ours. */
int exporter_begin(struct exporter *x, uint32_t lane, int64_t time, const char *name);

/* Adds a lane; one for which there is no room is counted. */
int exporter_lane(struct exporter *x, enum lanes_group group, uint32_t name, int64_t rank,
                  uint32_t *ret);

void exporter_count(struct exporter *x, enum exporter_counter counter, int64_t time, int64_t value);

/* The part that is written begins, or ends. */
void exporter_enter(struct exporter *x, int64_t time);
void exporter_leave(struct exporter *x, int64_t time);

/* The state of a goroutine, or of a P, changes. */
int exporter_go(struct exporter *x, const struct gotrace_event *e);
int exporter_proc(struct exporter *x, const struct gotrace_event *e);

/* A goroutine's own lanes. */
int exporter_chosen_state(struct exporter *x, const struct go *go, const struct gotrace_event *e,
                          int64_t time);
int exporter_chosen_assist(struct exporter *x, const struct gotrace_event *e);
int exporter_chosen_end(struct exporter *x); /* those whose start function is not told */
struct chosen *exporter_chosen(const struct exporter *x, int64_t g);

/* A task or a region begins or ends; a goroutine's regions end with it. */
int exporter_task(struct exporter *x, const struct gotrace_event *e);
int exporter_region(struct exporter *x, const struct gotrace_event *e);
void exporter_regions_end(struct exporter *x, struct go *go, int64_t time);
