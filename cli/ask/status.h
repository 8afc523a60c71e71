/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The text of `contrace status`, from contraced's answers. Pure.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"

#define STATUS_REASONS_MAX 1024

struct status {
    json_t *status;  /* of GET /api/v1/status */
    json_t *targets; /* an array of as many as were asked for */
    uint64_t total;  /* targets that fit, shown or not */
    bool ready;
    char reasons[STATUS_REASONS_MAX]; /* why not: one a line */
};

struct status_options {
    unsigned width; /* of the terminal; 0: no bound */
    bool colour;
    bool utf8;
    usec now; /* real time, for answers that do not tell theirs */
};

/* 0 or -ENOMEM. The caller checks the stream for errors. */
int status_print(FILE *out, const struct status *s, const struct status_options *o);
