/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The segments of a path. Servers, libraries and proxies do not agree on what `.`, `..` and empty
 * segments mean. Pure.
 */

#include <stdbool.h>

enum segments {
    SEGMENTS_FINE,
    SEGMENTS_EMPTY, /* one has nothing: "a//b" */
    SEGMENTS_DOTS,  /* one is `.` or `..` */
};

/*
 * What is wrong with a path that stands in a URL or begins the names of objects. One slash at
 * either end is fine. `escaped`: %2E is a dot.
 */
enum segments segments_check(const char *path, bool escaped);

/* True if a part is `..`. */
bool segments_climb(const char *path);

/* True if `path` is `dir` or lies in it, as far as that can be seen from the texts alone. */
bool segments_within(const char *path, const char *dir);
