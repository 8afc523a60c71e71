/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads and writes JSON with jansson, whole or not at all. Where memory is short, jansson itself may
 * call a good text a syntax error, and read or write strings that lack a character.
 */

#include <jansson.h>
#include <stddef.h>

/*
 * json_set_alloc_funcs is to be called before the first of these, or not at all.
 * `error`, of a text that is none, may be NULL. 0, -ENOMEM, or -EINVAL.
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
