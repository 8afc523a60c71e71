/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Cuts JSON that comes in pieces into documents, so that only one of them is in memory at a time: a
 * watch is one document after another, and a list is one that has them in its member `items`. It
 * finds where each begins and ends and leaves it to a JSON parser whether it is one. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define CUTTER_DOCUMENT_MAX (4u << 20) /* bytes; etcd takes objects of 1.5 MiB */
#define CUTTER_REST_MAX (16u << 10)    /* bytes of a list without its items */

/* Takes one document. 0, or a negative errno that ends the cutting. */
typedef int (*cutter_fn)(void *userdata, const char *document, size_t n);

struct cutter {
    bool items; /* documents are the elements of `items` */
    cutter_fn fn;
    void *userdata;
    struct buf document, rest;
    size_t depth; /* of open brackets */
    bool in_string, escaped;
    bool in_items, in_document;
    struct buf name; /* the last string outside of all but the list's own braces, shortened */
};

/* With `items` the elements of a list are the documents, else the values one after another. */
void cutter_init(struct cutter *c, bool items, cutter_fn fn, void *userdata);
void cutter_done(struct cutter *c);

/*
 * Takes the next bytes. 0, -ENOMEM, -E2BIG for a document that is too long, -EBADMSG for one that
 * is no object, or what fn returned.
 */
int cutter_add(struct cutter *c, const char *data, size_t n);

/* Between two documents, or after the end of the list: nothing is cut off. */
bool cutter_at_end(const struct cutter *c);

/* The list without the elements of `items`, to be parsed at its end. Borrowed. */
const struct buf *cutter_rest(const struct cutter *c);
