/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What `contrace advise` found, and how it is printed. */

#include <stdio.h>

#include "base/buf.h"
#include "cli/advise/rules.h"

#define ADVISE_SCHEMA 1
#define ADVISE_JSON_MAX (64u << 10)

struct advise_view {
    const char *of; /* whose samples these are; "": not known */
    const struct samples *samples;
    const struct advice *advice; /* RULES of them, in order */
    bool utf8;
};

/* On one screen. */
void advise_text(FILE *out, const struct advise_view *v);

/* An object of docs/advise.schema.json. 0 or a negative errno. */
int advise_json(const struct advise_view *v, struct buf *out);

/* The times of the first and the last sample, and of all samples' windows the sum; 0: not known. */
void advise_span(const struct samples *s, usec *ret_first, usec *ret_last, double *ret_ns);
