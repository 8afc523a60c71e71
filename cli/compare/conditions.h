/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The conditions of --fail-if: read from the command line, and judged on one document after the
 * other. */

#include <stdbool.h>

#include "cli/compare/report.h"
#include "lib/value/expression.h"

#define CONDITIONS_MAX 64

struct condition {
    const char *text;
    struct expression *expression;
    struct expression_seen seen[EXPRESSION_COMPARISONS_MAX]; /* of the document at hand */
    bool known[EXPRESSION_COMPARISONS_MAX]; /* some document could have the value */
    bool unfit; /* a value is of another kind than what it is compared with; this was said */
};

struct conditions {
    struct condition list[CONDITIONS_MAX];
    size_t n;
    size_t documents; /* that were judged */
    json_t *example;  /* the first */
};

/* For a field of this type: see arguments.h. An option that may be given many times. */
const char *conditions_argument(void *field, const char *value);

/* 0, or a negative errno after a message: -EINVAL for what is no condition. */
int conditions_parse(struct conditions *c, const char *command);

/* Adds a line to the report for each condition. 0 or -ENOMEM. */
int conditions_judge(struct conditions *c, const char *file, json_t *document, struct report *r);

/* After all documents: 0, or -EINVAL after messages about values that none of them could have, or
 * that are of another kind. */
int conditions_check(const struct conditions *c, const char *command);

void conditions_done(struct conditions *c);
