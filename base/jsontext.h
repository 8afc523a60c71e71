/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads JSON with jansson, whole or not at all. Where memory is short, jansson itself may call a
 * good text a syntax error, or hand out strings that lack a character.
 */

#include <jansson.h>
#include <stddef.h>

/* `error`, of a text that is none, may be NULL. 0, -ENOMEM, or -EINVAL. */
int jsontext_parse(const char *text, size_t n, size_t flags, json_error_t *error, json_t **ret);
