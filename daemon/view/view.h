/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What can be made of a trace for those who look at it: a view is a command of contrace, and the
 * type of what that prints. A new one is a row.
 */

#include <stddef.h>
#include <stdint.h>

#define VIEW_OPTIONS_MAX 4

struct view {
    const char *name; /* in the API, which appends `suffix` to the name of a file */
    const char *options[VIEW_OPTIONS_MAX]; /* the command and its options; then NULL */
    const char *content_type;
    const char *suffix; /* NULL: it is not for a file */
};

/* NULL: there is no such view. */
const struct view *view_named(const char *name);

/* The i-th view, or NULL beyond the last. */
const struct view *view_at(size_t i);
