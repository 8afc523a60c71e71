/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The names of metrics on a page, and those among them that are like one that is missing. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#define NEAR_NAMES_MAX 10000 /* names that are kept; pages with more have similar ones enough */
#define NEAR_NAME_MAX 200    /* bytes of a name */
#define NEAR_FOUND 3

struct near {
    char (*names)[NEAR_NAME_MAX + 1]; /* as they come, without those that follow themselves */
    size_t n, cap;
    char part[NEAR_NAME_MAX + 1]; /* of the name that is being read */
    size_t len;
    bool skips; /* the rest of the line is no name */
};

void near_init(struct near *s);
void near_done(struct near *s);

/* Takes the next piece of a page in Prometheus's text. Without memory it keeps what it has. */
void near_feed(struct near *s, const char *data, size_t n);

/* Whether the name is there; also as a histogram's, with `_bucket`. */
bool near_has(const struct near *s, const char *name);

/* Whether it is there with this end, such as "_bucket" or "". */
bool near_has_with(const struct near *s, const char *name, const char *end);

/* Those most like `name`, the nearest first, without their `_bucket`, `_sum` and `_count`. Returns
 * how many there are. Borrowed until near_done or near_feed. */
size_t near_find(const struct near *s, const char *name,
                 char found[static NEAR_FOUND][NEAR_NAME_MAX + 1]);
