/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/value/expression_state.h"

#define OPERAND_MAX 200 /* bytes of a number or a word */

struct parser {
    struct expression *e;
    struct expression_error *error;
    const char *at;
    unsigned depth;
};

/* Each of these returns 0 or -EINVAL after an error; *ret is a node. */
static int disjunction(struct parser *p, size_t *ret);
static int negation(struct parser *p, size_t *ret);

static int fault(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int fault(struct parser *p, const char *fmt, ...)
{
    va_list args;

    p->error->at = (size_t)(p->at - p->e->text);
    va_start(args, fmt);
    (void)vsnprintf(p->error->text, sizeof(p->error->text), fmt, args);
    va_end(args);
    return -EINVAL;
}

static void blanks(struct parser *p)
{
    p->at += strspn(p->at, " \t\n");
}

static bool is_of_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

/* Takes a sign, or a word that nothing continues. */
static bool take(struct parser *p, const char *word)
{
    size_t n = strlen(word);

    blanks(p);
    if (strncmp(p->at, word, n) != 0 || (is_of_word(word[0]) && is_of_word(p->at[n])))
        return false;
    p->at += n;
    return true;
}

static int node(struct parser *p, struct node node, size_t *ret)
{
    struct expression *e = p->e;

    if (e->n_nodes == EXPRESSION_NODES_MAX)
        return fault(p, "this expression is too long: cut it into several");
    e->nodes[e->n_nodes] = node;
    *ret = e->n_nodes++;
    return 0;
}

static void keep_char(struct parser *p, char c)
{
    p->e->texts[p->e->used++] = c; /* no more than the text has, and a zero byte each operand */
}

static int quoted(struct parser *p, struct operand *ret)
{
    const char *begin = p->at;
    char quote = *p->at++;

    *ret = (struct operand){.kind = OPERAND_TEXT, .text = (unsigned short)p->e->used};
    for (; *p->at != quote; p->at++) {
        p->at += *p->at == '\\';
        if (*p->at == '\0') {
            p->at = begin;
            return fault(p, "this text has no closing quote");
        }
        keep_char(p, *p->at);
    }
    p->at++;
    keep_char(p, '\0');
    return 0;
}

/* How long the number or word is: bytes beyond ASCII are for µs. */
static size_t bare_length(const char *text)
{
    size_t n = text[0] == '-';

    while (is_of_word(text[n]) || text[n] == '%' || (unsigned char)text[n] >= 0x80)
        n++;
    return n;
}

static int bare(struct parser *p, struct operand *ret)
{
    char text[OPERAND_MAX];
    size_t n = bare_length(p->at);

    if (n == 0 || n >= sizeof(text))
        return fault(p, "expected a number such as 50ms, 1%% or 4MiB, or a text");
    memcpy(text, p->at, n);
    text[n] = '\0';
    *ret = (struct operand){.kind = OPERAND_NUMBER};
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        ret->kind = OPERAND_TRUTH;
        ret->truth = text[0] == 't';
    } else if (strchr("-0123456789", text[0])) {
        if (amount_parse(text, &ret->amount) < 0)
            return fault(p, "expected a number such as 50ms, 1%% or 4MiB, got %.60s", text);
    } else {
        ret->kind = OPERAND_TEXT;
        ret->text = (unsigned short)p->e->used;
        for (size_t i = 0; i <= n; i++)
            keep_char(p, text[i]);
    }
    p->at += n;
    return 0;
}

static int operand(struct parser *p, struct comparison *c)
{
    struct expression *e = p->e;
    int r;

    if (e->n_operands == EXPRESSION_OPERANDS_MAX)
        return fault(p, "more than %d values in an expression", EXPRESSION_OPERANDS_MAX);
    blanks(p);
    r = *p->at == '"' || *p->at == '\'' ? quoted(p, &e->operands[e->n_operands])
                                        : bare(p, &e->operands[e->n_operands]);
    if (r == 0) {
        e->n_operands++;
        c->n++;
    }
    return r;
}

static int list(struct parser *p, struct comparison *c)
{
    int r;

    if (!take(p, "["))
        return fault(p, "expected a list such as [healthy, idle]");
    do {
        r = operand(p, c);
    } while (r == 0 && take(p, ","));
    return r == 0 && !take(p, "]") ? fault(p, "expected , or ]") : r;
}

/* The two-byte signs come before those that they begin with. */
static const struct {
    const char *sign;
    enum relation relation;
} signs[] = {
    {"<=", IS_AT_MOST}, {">=", IS_AT_LEAST}, {"==", IS_EQUAL}, {"!=", IS_OTHER},
    {"<", IS_LESS},     {">", IS_MORE},      {"=", IS_EQUAL},
};

/* What follows the path. */
static int relation(struct parser *p, struct comparison *c)
{
    const char *before = p->at;

    if (take(p, "in")) {
        c->relation = IS_EQUAL;
        return list(p, c);
    }
    if (take(p, "not")) {
        if (take(p, "in")) {
            c->relation = IS_OTHER;
            return list(p, c);
        }
        p->at = before;
    }
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (take(p, signs[i].sign)) {
            c->relation = signs[i].relation;
            return operand(p, c);
        }
    }
    c->relation = IS_TRUE;
    return 0;
}

static int comparison(struct parser *p, size_t *ret)
{
    struct expression *e = p->e;
    struct comparison *c = &e->comparisons[e->n_comparisons];
    int n, r;

    if (e->n_comparisons == EXPRESSION_COMPARISONS_MAX)
        return fault(p, "more than %d comparisons in an expression", EXPRESSION_COMPARISONS_MAX);
    n = path_scan(p->at, &c->path);
    if (n < 0)
        return fault(p, "expected the path of a value, such as scheduler.latency.p99_ns");
    p->at += n;
    *c = (struct comparison){.path = c->path, .first = e->n_operands};
    r = relation(p, c);
    return r < 0 ? r : node(p, (struct node){NODE_COMPARISON, e->n_comparisons++, 0}, ret);
}

static int inner(struct parser *p, size_t *ret)
{
    int r;

    if (take(p, "not") || take(p, "!")) {
        r = negation(p, ret);
        return r < 0 ? r : node(p, (struct node){NODE_NOT, *ret, 0}, ret);
    }
    if (!take(p, "("))
        return comparison(p, ret);
    r = disjunction(p, ret);
    return r == 0 && !take(p, ")") ? fault(p, "expected )") : r;
}

static int negation(struct parser *p, size_t *ret)
{
    int r;

    blanks(p);
    if (++p->depth > EXPRESSION_DEPTH_MAX)
        return fault(p, "more than %d levels of an expression", EXPRESSION_DEPTH_MAX);
    r = inner(p, ret);
    p->depth--;
    return r;
}

static int conjunction(struct parser *p, size_t *ret)
{
    size_t right = 0;
    int r = negation(p, ret);

    while (r == 0 && (take(p, "and") || take(p, "&&"))) {
        r = negation(p, &right);
        if (r == 0)
            r = node(p, (struct node){NODE_AND, *ret, right}, ret);
    }
    return r;
}

static int disjunction(struct parser *p, size_t *ret)
{
    size_t right = 0;
    int r = conjunction(p, ret);

    while (r == 0 && (take(p, "or") || take(p, "||"))) {
        r = conjunction(p, &right);
        if (r == 0)
            r = node(p, (struct node){NODE_OR, *ret, right}, ret);
    }
    return r;
}

int expression_parse(const char *text, struct expression_error *error, struct expression **ret)
{
    struct expression *e;
    struct parser p = {.error = error};
    size_t root;
    int r;

    *error = (struct expression_error){0};
    if (strlen(text) >= EXPRESSION_TEXT_MAX) {
        (void)snprintf(error->text, sizeof(error->text), "longer than %d bytes",
                       EXPRESSION_TEXT_MAX - 1);
        return -EINVAL;
    }
    e = calloc(1, sizeof(*e));
    if (!e)
        return -ENOMEM;
    strcpy(e->text, text);
    p.e = e;
    p.at = e->text;
    r = disjunction(&p, &root);
    blanks(&p);
    if (r == 0 && *p.at != '\0')
        r = fault(&p, "expected and, or, or the end");
    if (r < 0) {
        expression_free(e);
        return r;
    }
    *ret = e;
    return 0;
}
