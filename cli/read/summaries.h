/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Summaries of trace files as JSON documents (docs/summary.schema.json), for commands that look
 * numbers up in them. A file may also be what `contrace summary --json` printed, of any number of
 * traces.
 */

#include <jansson.h>

#include "cli/read/failure.h"

#define SUMMARIES_MAX 10000

struct summaries_item {
    char *name;
    json_t *json;           /* NULL: the file could not be read, and `failure` says why */
    bool complete;          /* else `failure` says where the trace breaks off */
    struct failure failure; /* code 0: a saved summary, whose own member `error` says it */
};

struct summaries {
    struct summaries_item *list;
    size_t n;
    size_t cap;
};

/* Adds what the file has, at least one item; what could not be read is an item, too. 0, -ENOMEM, or
 * -E2BIG beyond SUMMARIES_MAX. */
int summaries_add(struct summaries *s, const char *file);

/* Says on stderr what could not be read, or not to its end. Whether there was such a thing. */
bool summaries_complain(const struct summaries_item *item);

/* Forgets all items, and keeps the room for them. */
void summaries_clear(struct summaries *s);
void summaries_done(struct summaries *s);
