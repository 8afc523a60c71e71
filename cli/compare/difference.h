/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How two sides of summaries differ: number by number, and in what only one of them has. Takes
 * JSON, and knows nothing of files. */

#include <jansson.h>
#include <stdio.h>

#include "cli/compare/numbers.h"
#include "cli/compare/presence.h"
#include "cli/compare/spread.h"

enum difference_change {
    DIFFERENCE_NONE,
    DIFFERENCE_WORSE,
    DIFFERENCE_BETTER,
    DIFFERENCE_OTHER, /* neither worse nor better */
};

struct difference_row {
    const struct number *number;
    char *name;
    char *path; /* in the summary */
    struct spread spread;
    enum difference_change change;
    size_t at; /* of all numbers, in the order of the tables */
};

enum difference_verdict {
    VERDICT_SAME,
    VERDICT_WORSE,
    VERDICT_BETTER,
    VERDICT_MIXED, /* something is worse, something better */
    VERDICT_OTHER,
};

struct difference {
    size_t traces[2];
    struct difference_row *rows; /* those that differ most first, what is worse before the rest */
    size_t n_rows;
    struct presences presences;
    enum difference_verdict verdict;
};

struct difference_side {
    const json_t **summaries;
    size_t n; /* at least 1 */
};

/* 0 or -ENOMEM; difference_done in any case. */
int difference_find(const struct difference_side sides[static 2], struct difference *ret);
void difference_done(struct difference *d);

/* Whether a spread is known of both sides. */
bool difference_known(const struct difference *d);
const char *difference_verdict_name(enum difference_verdict verdict);

/* Within 100 columns; `all`: also what does not differ. */
void difference_text(FILE *out, const struct difference *d, bool all, bool utf8);

/* The same as JSON, which docs/DIFF.md describes. NULL without memory. */
json_t *difference_json(const struct difference *d);
