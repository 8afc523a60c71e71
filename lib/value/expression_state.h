/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What expression.c judges and expression_parse.c makes. Private to these two. */

#include "lib/value/amount.h"
#include "lib/value/expression.h"

#define EXPRESSION_NODES_MAX (4 * EXPRESSION_COMPARISONS_MAX)

enum relation {
    IS_LESS,
    IS_AT_MOST,
    IS_MORE,
    IS_AT_LEAST,
    IS_EQUAL, /* to one of the operands */
    IS_OTHER, /* than all operands */
    IS_TRUE,  /* without an operand */
};

struct operand {
    enum { OPERAND_NUMBER, OPERAND_TEXT, OPERAND_TRUTH } kind;
    struct amount amount;
    unsigned short text; /* where in struct expression's `texts` */
    bool truth;
};

struct comparison {
    struct path path;
    enum relation relation;
    size_t first, n; /* of the operands */
};

struct node {
    enum { NODE_COMPARISON, NODE_NOT, NODE_AND, NODE_OR } kind;
    size_t left, right; /* nodes; of NODE_COMPARISON `left` is its number */
};

struct expression {
    char text[EXPRESSION_TEXT_MAX];
    char texts[EXPRESSION_TEXT_MAX + EXPRESSION_OPERANDS_MAX]; /* each ends with a zero byte */
    size_t used;                                               /* of `texts` */
    struct comparison comparisons[EXPRESSION_COMPARISONS_MAX];
    size_t n_comparisons;
    struct operand operands[EXPRESSION_OPERANDS_MAX];
    size_t n_operands;
    struct node nodes[EXPRESSION_NODES_MAX]; /* children before their parents */
    size_t n_nodes;
};
