/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which task each goroutine works for and in which region it is, by the rules of
 * trace/summary/tasks.h: the task is that of the region or task which it began last and which is not
 * over, and a new goroutine works for its creator's, if it is none of the runtime.
 */

#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/gotrace.h"
#include "trace/profile/sums.h"

/* A region, or a task that the goroutine began or was created for. */
struct mark {
    uint64_t task;
    int64_t start;
    uint32_t region; /* its type, a string of the sums; SUMS_NONE: a task */
    uint32_t below;  /* the enclosing one, or the next free one; SUMS_NONE: none */
};

struct marks {
    struct memory *mem;
    struct sums *sums;  /* which has the texts */
    struct idmap tasks; /* the open ones, to the strings that are their types */
    struct idmap tops;  /* goroutines to their innermost marks */
    struct mark *list;
    size_t n, cap;
    uint32_t free;
};

void marks_init(struct marks *m, struct memory *mem, struct sums *sums, uint64_t seed);
void marks_done(struct marks *m);

/* Nothing is marked any more. */
void marks_clear(struct marks *m);

/* Takes an event, of any kind. 0 or an error of memory.h. */
int marks_take(struct marks *m, const struct gotrace *trace, const struct gotrace_event *e);

/* The types of the goroutine's task and region as strings of the sums, each SUMS_NONE if it has
 * none. */
void marks_of(struct marks *m, uint64_t g, uint32_t *ret_task, uint32_t *ret_region);
