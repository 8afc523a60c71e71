/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The goroutines that a trace has so far and whose times may still change, by their numbers: what
 * GoroutineSummary in internal/trace/summary.go is of one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/common/idmap.h"
#include "trace/common/memory.h"
#include "trace/goroutines/times.h"

struct life {
    int64_t g;
    int64_t created; /* or the last SYNC before the first that is known of it */
    int64_t started; /* its first run; 0: none */
    int64_t ended;   /* 0: not yet */
    int64_t since;   /* when it entered its state; 0: nothing is counted now */
    int64_t lost_p;  /* when it lost its P in its syscall; 0: it did not */
    struct times times;
    uint32_t name; /* of its start function, in texts */
    uint32_t next_free;
    int32_t p;      /* in a syscall: the P that it went in with, or GOTRACE_NONE */
    uint16_t block; /* the column of what it waits for */
    uint8_t state;  /* enum gotrace_go_state */
    bool used;
};

struct lives {
    struct memory *mem;
    struct shares *shares;
    struct idmap numbers;
    struct life *list;
    size_t n, cap;
    uint32_t free;
};

void lives_init(struct lives *l, struct shares *shares, struct memory *mem, uint64_t seed);
void lives_done(struct lives *l);

/* NULL if there is none. Valid until the next call of lives_new. */
static inline struct life *lives_find(const struct lives *l, int64_t g)
{
    uint32_t i = idmap_find(&l->numbers, (uint64_t)g);

    return i == IDMAP_NONE ? NULL : &l->list[i];
}

/*
 * A goroutine begins. If its number was another's, that one is forgotten, as in Go: threads of C
 * have a number for all their calls. 0, or an error of memory.h.
 */
int lives_new(struct lives *l, int64_t g, struct life **ret);

/* Its number will not be used again. Its shares are given back, too. */
void lives_forget(struct lives *l, struct life *life);
