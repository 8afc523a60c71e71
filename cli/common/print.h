/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Text in columns. Characters are counted, not bytes.
 */

#include <stddef.h>
#include <stdio.h>

/* How many columns the first n bytes take. */
size_t print_width(const char *text, size_t n);

/* Prints a text right-aligned; one that is wider stands there whole. */
void print_cell(FILE *out, const char *text, size_t width);

/* Prints at most `max` bytes of a text that may contain anything: what is not printable ASCII is a
 * '?'. Returns how many. */
size_t print_plain(FILE *out, const char *text, size_t max);

/* Prints the name of a file whole; control characters are '?'. */
void print_name(FILE *out, const char *name);
