/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads and writes JSON with jansson, whole or not at all. By itself jansson may report a syntax
 * error in a good text, or drop a character of a string, when an allocation fails.
 */

#include <jansson.h>
#include <stddef.h>

/*
 * json_set_alloc_funcs(3) must be called before the first of these, or never. `error` is filled in
 * for a text that is not JSON; it may be NULL. 0, -ENOMEM, or -EINVAL for such a text.
 */
int jsontext_parse(const char *text, size_t n, size_t flags, json_error_t *error, json_t **ret);

/* For locals: releases what they refer to. */
static inline void jsontext_cleanup(json_t **json)
{
    json_decref(*json);
}

#define _cleanup_json_ __attribute__((cleanup(jsontext_cleanup)))

/* As json_dumps(3), to be freed by the caller. NULL when memory is short. */
char *jsontext_print(const json_t *json, size_t flags);
