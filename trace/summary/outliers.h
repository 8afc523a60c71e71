/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The slowest of each kind: of tasks, regions, waits, syscalls and so on the SUMMARY_SLOWEST
 * longest. Each list has a floor: what does not last longer has no place in it. So most of what a
 * trace contains costs one comparison.
 */

#include <stdbool.h>
#include <stdint.h>

#include "trace/summary/numbers.h"

/* What the runtime's reason says of a wait. With the class of its stack it decides the kind. */
enum outliers_reason {
    OUTLIERS_SYNC,    /* a channel, select, or a primitive of sync */
    OUTLIERS_NETWORK, /* the network */
    OUTLIERS_UNKNOWN, /* it began before the trace */
    OUTLIERS_APART,   /* anything else: in no list */
    OUTLIERS_N_REASONS,
};

struct outlier {
    int64_t since; /* the trace's time */
    int64_t duration;
    int64_t g;       /* GOTRACE_NONE: of none */
    uint64_t task;   /* its number; tasks only */
    uint64_t parent; /* likewise; GOTRACE_NONE if there is none */
    uint32_t stack;  /* a number of sites.h */
    uint32_t text;   /* a number of texts.h: its type, or the runtime's reason */
    bool open;       /* the trace ended first */
    bool at_start;   /* it began before the trace: `since` is the trace's start */
};

struct outliers {
    struct outlier lists[SUMMARY_N_SLOW][SUMMARY_SLOWEST]; /* in no order */
    uint32_t n[SUMMARY_N_SLOW];
    uint64_t standing[SUMMARY_N_SLOW];                  /* see struct summary_slowest */
    int64_t floors[SUMMARY_N_SLOW];                     /* 0 while there are free places */
    int64_t waits[OUTLIERS_N_REASONS][STACK_N_CLASSES]; /* the floors of waits, by class of stack */
};

#define OUTLIERS_NO_PLACE UINT32_MAX

void outliers_init(struct outliers *o);

/* The kind of a wait; SUMMARY_N_SLOW: in no list. */
enum summary_slow outliers_kind(enum outliers_reason reason, enum stack_class class);

/*
 * Adds one that may be among the longest. Returns its place in the list, from which it drove out
 * the shortest, or OUTLIERS_NO_PLACE.
 */
uint32_t outliers_add(struct outliers *o, enum summary_slow kind, const struct outlier *outlier);

/* Sorts a list, the longest first; `order` gets the places in that order. */
void outliers_order(const struct outliers *o, enum summary_slow kind,
                    uint32_t order[SUMMARY_SLOWEST]);

/* The profile by whose rules a kind's call sites are found. */
enum summary_profile outliers_profile(enum summary_slow kind);
