/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The progress of requested captures as one line, made from what contraced says of their targets.
 * Pure.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* Whose captures: one of these is set; if all are NULL, every target's. */
struct capturing_scope {
    const char *target, *service, *job;
};

/* Whether this entry of GET /api/v1/targets is one of them. */
bool capturing_is_meant(const struct capturing_scope *scope, const json_t *target);

struct capturing {
    unsigned targets;                                 /* that are meant */
    unsigned waiting, capturing, looking, publishing; /* of them */
    uint64_t bytes;                                   /* so far, of those in flight */
    double seconds;                                   /* how long one takes at most; 0: unknown */
    usec since; /* boot time when a capture was first seen; 0: none yet */
};

/* Counts again from a list of targets; `now` is boot time. */
void capturing_count(struct capturing *c, const struct capturing_scope *scope,
                     const json_t *targets, usec now);

/* "checkout: capturing 1.2 s of 2 s, 512.0KiB", at most `width` columns. Returns `out`. */
#define CAPTURING_TEXT_SIZE 256
const char *capturing_text(const struct capturing *c, const char *name, usec now, unsigned width,
                           char out[static CAPTURING_TEXT_SIZE]);
