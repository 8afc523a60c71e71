/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How far captures that were asked for are, in a line: what contraced says of the targets that they
 * are of. Pure.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* Whose captures: one of these; NULL all: every target. */
struct capturing_scope {
    const char *target, *service, *job;
};

/* Whether a target of GET /api/v1/targets is meant. */
bool capturing_is_meant(const struct capturing_scope *scope, const json_t *target);

struct capturing {
    unsigned targets;                                 /* that are meant */
    unsigned waiting, capturing, looking, publishing; /* of them */
    uint64_t bytes;                                   /* so far, of those in flight */
    double seconds;                                   /* how long one takes at most; 0: unknown */
    usec since;                                       /* boot time when one was first seen; 0 */
};

/* Counts a list of targets anew; `now` is boot time. */
void capturing_count(struct capturing *c, const struct capturing_scope *scope,
                     const json_t *targets, usec now);

/* "checkout: capturing 1.2 s of 2 s, 512.0KiB", at most `width` columns. Returns `out`. */
#define CAPTURING_TEXT_SIZE 256
const char *capturing_text(const struct capturing *c, const char *name, usec now, unsigned width,
                           char out[static CAPTURING_TEXT_SIZE]);
