/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/value/expression.h"

#include <stdlib.h>
#include <string.h>

#include "lib/value/expression_state.h"

void expression_free(struct expression *e)
{
    free(e);
}

const char *expression_text(const struct expression *e)
{
    return e->text;
}

size_t expression_comparisons(const struct expression *e)
{
    return e->n_comparisons;
}

const struct path *expression_path(const struct expression *e, size_t i)
{
    return &e->comparisons[i].path;
}

/* Numbers order as numbers, texts by their bytes; what is true or false is only equal or not. */
static bool compare(const struct expression *e, const struct comparison *c, const struct operand *o,
                    const json_t *value, int *ret)
{
    const char *unit = path_unit(&c->path);

    if (o->kind == OPERAND_TRUTH) {
        *ret = json_is_true(value) != o->truth;
        return json_is_boolean(value) && (c->relation == IS_EQUAL || c->relation == IS_OTHER);
    }
    if (o->kind == OPERAND_TEXT) {
        if (json_is_string(value))
            *ret = strcmp(json_string_value(value), e->texts + o->text);
        return json_is_string(value);
    }
    if (json_is_number(value)) {
        double x = json_number_value(value), y = amount_in(&o->amount, unit);

        *ret = (x > y) - (x < y);
    }
    return json_is_number(value) && amount_fits(&o->amount, unit);
}

static bool holds(enum relation relation, int order)
{
    switch (relation) {
    case IS_LESS: return order < 0;
    case IS_AT_MOST: return order <= 0;
    case IS_MORE: return order > 0;
    case IS_AT_LEAST: return order >= 0;
    case IS_EQUAL:
    case IS_OTHER:
    case IS_TRUE: break;
    }
    return order == 0;
}

static enum expression_met meet(const struct expression *e, const struct comparison *c,
                                const json_t *value, enum expression_truth *truth)
{
    bool any = false;
    int order;

    if (c->relation == IS_TRUE) {
        *truth = json_is_true(value) ? EXPRESSION_TRUE : EXPRESSION_FALSE;
        return json_is_boolean(value) ? EXPRESSION_COMPARED : EXPRESSION_UNFIT;
    }
    for (size_t i = 0; i < c->n; i++) {
        if (!compare(e, c, &e->operands[c->first + i], value, &order))
            return EXPRESSION_UNFIT;
        any = any || holds(c->relation, order);
    }
    *truth = any != (c->relation == IS_OTHER) ? EXPRESSION_TRUE : EXPRESSION_FALSE;
    return EXPRESSION_COMPARED;
}

static void see(const struct expression *e, const struct comparison *c, const json_t *document,
                struct expression_seen *ret)
{
    enum path_found found;

    *ret = (struct expression_seen){.truth = EXPRESSION_ABSENT};
    found = path_find(&c->path, document, &ret->value);
    if (found == PATH_FOUND)
        ret->met = meet(e, c, ret->value, &ret->truth);
    else
        ret->met = found == PATH_ABSENT ? EXPRESSION_NOTHING : EXPRESSION_UNKNOWN;
    if (ret->met != EXPRESSION_COMPARED)
        ret->truth = EXPRESSION_ABSENT;
}

static enum expression_truth join(enum expression_truth a, enum expression_truth b,
                                  enum expression_truth decides)
{
    if (a == decides || b == decides)
        return decides;
    return a == EXPRESSION_ABSENT ? a : b;
}

enum expression_truth expression_judge(const struct expression *e, const json_t *document,
                                       struct expression_seen *seen)
{
    enum expression_truth truths[EXPRESSION_NODES_MAX] = {EXPRESSION_FALSE}, left;

    for (size_t i = 0; i < e->n_comparisons; i++)
        see(e, &e->comparisons[i], document, &seen[i]);
    for (size_t i = 0; i < e->n_nodes; i++) {
        const struct node *node = &e->nodes[i];

        if (node->kind == NODE_COMPARISON) {
            truths[i] = seen[node->left].truth;
            continue;
        }
        left = truths[node->left];
        if (node->kind == NODE_NOT)
            truths[i] = left == EXPRESSION_ABSENT ? left
                      : left == EXPRESSION_FALSE  ? EXPRESSION_TRUE
                                                  : EXPRESSION_FALSE;
        else
            truths[i] = join(left, truths[node->right],
                             node->kind == NODE_AND ? EXPRESSION_FALSE : EXPRESSION_TRUE);
    }
    return truths[e->n_nodes - 1];
}
