/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the host knew over a trace's window (trace/findings/context.h) as the JSON object `context`
 * of records and summaries. Numbers that are absent are left out, and so are objects that would be
 * empty.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/jsonwriter.h"
#include "trace/findings/context.h"

#define CONTEXT_JSON_MAX 4096 /* bytes, without blanks */

/* Whether there is anything to tell. */
bool context_tells(const struct context *c);

/* Writes the object: at most CONTEXT_JSON_MAX bytes. A cgroup's path that would need too many of
 * them is null. */
void context_write(struct jsonwriter *w, const char *key, const struct context *c);

/*
 * Reads the object; of a record or a summary, which have it as a member, that member. Whatever is
 * not as expected is absent. 0, -ENOMEM, -EINVAL for what is no JSON object, or -ENOENT if it has
 * nothing of this.
 */
int context_parse(const char *json, size_t n, struct context *ret);
int context_of_json(const json_t *o, struct context *ret);
