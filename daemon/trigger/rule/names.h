/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A set of metric names, each with a number: of the thousands of lines of a page, a parser asks for
 * each whether any rule wants it. Fixed once it is made.
 */

#include <stddef.h>

#define NAMES_MAX 4096 /* names of one set */

struct names;

/* A copy of `n` names; a name that comes twice has the number of its first. 0; or -E2BIG for too
 * many, or -ENOMEM. */
int names_new(const char *const *names, size_t n, struct names **ret);
void names_free(struct names *s);

/* The number of the name, from 0, in the order of names_new; -1: it is none of them. */
int names_find(const struct names *s, const char *text, size_t len);
