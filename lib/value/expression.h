/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Conditions on the values of a JSON document, as the command line has them:
 *
 *   scheduler.latency.p99_ns > 50ms and not (label in [healthy, idle])
 *
 * A comparison is a path, one of < <= > >= == !=, and a number (amount.h), a text in quotes, a word,
 * true or false; or `in` and a list. A path alone is a value that is true or false. `and`, `or` and
 * `not` join them, also as && || !. Logic has three values: what compares an absent value is
 * absent, unless the rest of the condition decides. Pure.
 */

#include <jansson.h>

#include "lib/value/path.h"

#define EXPRESSION_TEXT_MAX 4096
#define EXPRESSION_COMPARISONS_MAX 32
#define EXPRESSION_OPERANDS_MAX 128
#define EXPRESSION_DEPTH_MAX 32

enum expression_truth {
    EXPRESSION_FALSE,
    EXPRESSION_TRUE,
    EXPRESSION_ABSENT,
};

/* What a comparison met. */
enum expression_met {
    EXPRESSION_COMPARED,
    EXPRESSION_NOTHING, /* the value is absent */
    EXPRESSION_UNKNOWN, /* there is never such a value */
    EXPRESSION_UNFIT,   /* it is of another kind than what it is compared with */
};

struct expression_seen {
    enum expression_met met;
    const json_t *value; /* borrowed from the document; NULL: absent or unknown */
    enum expression_truth truth;
};

struct expression_error {
    size_t at; /* bytes before the fault */
    char text[160];
};

struct expression;

/* 0; -EINVAL with the error; -ENOMEM. */
int expression_parse(const char *text, struct expression_error *error, struct expression **ret);
void expression_free(struct expression *e);

const char *expression_text(const struct expression *e);

/* Its comparisons, in the order of the text. */
size_t expression_comparisons(const struct expression *e);
const struct path *expression_path(const struct expression *e, size_t i);

/* `seen` has room for expression_comparisons. A comparison that is unknown or does not fit counts
 * as absent. */
enum expression_truth expression_judge(const struct expression *e, const json_t *document,
                                       struct expression_seen *seen);
