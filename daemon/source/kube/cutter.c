/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/source/kube/cutter.h"

#include <errno.h>
#include <string.h>

#define NAME_MAX_BYTES 16

void cutter_init(struct cutter *c, bool items, cutter_fn fn, void *userdata)
{
    *c = (struct cutter){.items = items, .fn = fn, .userdata = userdata};
    buf_init(&c->document, CUTTER_DOCUMENT_MAX);
    buf_init(&c->rest, CUTTER_REST_MAX);
    buf_init(&c->name, NAME_MAX_BYTES);
}

void cutter_done(struct cutter *c)
{
    buf_done(&c->document);
    buf_done(&c->rest);
    buf_done(&c->name);
}

bool cutter_at_end(const struct cutter *c)
{
    return c->depth == 0;
}

const struct buf *cutter_rest(const struct cutter *c)
{
    return &c->rest;
}

/* The depth at which documents stand. */
static size_t base_depth(const struct cutter *c)
{
    return c->items ? 2 : 0;
}

static bool is_space(char b)
{
    return b == ' ' || b == '\t' || b == '\n' || b == '\r';
}

/* The bytes `data` belong to a document, to the list around it, or to neither. */
static int keep(struct cutter *c, const char *data, size_t n)
{
    if (c->in_document)
        return buf_add(&c->document, data, n);
    return c->items && !c->in_items ? buf_add(&c->rest, data, n) : 0;
}

static int end_document(struct cutter *c)
{
    int r;

    c->in_document = false;
    r = c->fn(c->userdata, c->document.data, c->document.len);
    /* A large one does not stay in memory. */
    buf_done(&c->document);
    return r;
}

/* A byte inside of a string. */
static void step_string(struct cutter *c, char b)
{
    if (c->escaped)
        c->escaped = false;
    else if (b == '\\')
        c->escaped = true;
    else if (b == '"')
        c->in_string = false;
    if (c->in_string && c->items && c->depth == 1)
        (void)buf_add(&c->name, &b, 1);
}

static bool is_items(const struct cutter *c)
{
    return c->items && c->depth == 1 && buf_error(&c->name) == 0 &&
           strcmp(buf_str(&c->name), "items") == 0;
}

/* Whether documents may stand here. */
static bool is_between(const struct cutter *c)
{
    return !c->in_document && c->depth == base_depth(c) && (!c->items || c->in_items);
}

static int open_bracket(struct cutter *c, char b)
{
    if (is_between(c) && b == '{')
        c->in_document = true;
    else if (is_between(c))
        return -EBADMSG;
    c->depth++;
    return 0;
}

static int close_bracket(struct cutter *c)
{
    if (c->depth == 0)
        return -EBADMSG;
    c->depth--;
    if (c->items && c->in_items && c->depth == 1)
        c->in_items = false;
    return 0;
}

/*
 * One byte. `*ret_from` is where the bytes begin that are not kept yet.
 */
static int step(struct cutter *c, const char *at, const char **from)
{
    char b = *at;
    int r = 0;

    if (c->in_string) {
        step_string(c, b);
        return 0;
    }
    switch (b) {
    case '"':
        if (is_between(c))
            return -EBADMSG;
        c->in_string = true;
        if (c->depth == 1)
            buf_clear(&c->name);
        return 0;
    case '[':
        if (is_items(c)) {
            r = keep(c, *from, (size_t)(at + 1 - *from));
            c->in_items = true;
            c->depth++;
            *from = at + 1;
            return r;
        }
        return open_bracket(c, b);
    case '{':
        if (is_between(c))
            *from = at;
        return open_bracket(c, b);
    case ']':
    case '}':
        if (c->in_items && !c->in_document)
            *from = at;
        r = close_bracket(c);
        if (r < 0 || !c->in_document || c->depth != base_depth(c))
            return r;
        r = keep(c, *from, (size_t)(at + 1 - *from));
        *from = at + 1;
        return r < 0 ? r : end_document(c);
    default: return is_between(c) && !is_space(b) && !(b == ',' && c->items) ? -EBADMSG : 0;
    }
}

int cutter_add(struct cutter *c, const char *data, size_t n)
{
    const char *from = data;

    for (size_t i = 0; i < n; i++) {
        int r = step(c, data + i, &from);

        if (r < 0)
            return r;
    }
    return keep(c, from, (size_t)(data + n - from));
}
