/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Environment variables in values: ${VAR}, ${VAR:-text} (the text, taken literally up to the next
 * brace, when VAR is unset or empty), and $$ for a dollar sign. A lone $ stands for itself.
 */

#include "base/buf.h"

/*
 * Appends `text`, expanded, to `out`. 0, -ENOMEM, -E2BIG when the buffer is full, or -EINVAL with
 * *ret_why set to an allocated message (NULL if there was no memory for it).
 */
int expand_text(const char *text, struct buf *out, char **ret_why);
