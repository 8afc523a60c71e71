/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tells from the numbers of goroutines in successive samples of a target whether it leaks some. One
 * sample cannot tell a leak from a peak that will end. Pure: the state is plain data of the lane.
 */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/capture/lane.h"

/* A leak is told when so many samples, one after the other, each had more goroutines than the one
 * before, by this much in all, and the same `go` statement was ahead in all of them. */
#define GROWTH_SAMPLES 4
#define GROWTH_OVER (5 * USEC_PER_MIN) /* from the first to the last; a start takes less */
#define GROWTH_MIN 1000
#define GROWTH_SHARE 0.5
#define GROWTH_SEVERE 2.0 /* the share that makes the score 1 */

struct growth_sample {
    usec time;           /* of the capture, boot time: the clock may be set */
    uint32_t pid;        /* 0: not known */
    uint64_t goroutines; /* at the end */
    uint64_t site; /* a hash of the `go` statement of which most were left; 0: there is none */
};

struct growth {
    uint64_t from;
    uint64_t to;
    unsigned samples;
    usec over;    /* time from the first of these samples to the last */
    double score; /* as a finding's */
};

/* Adds a sample. Returns whether there is a leak, and how much it grew. */
bool growth_add(struct lane_growth *state, const struct growth_sample *sample, struct growth *ret);
