/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Regular expressions with RE2's syntax and meaning, which match a text as a whole, as in
 * Prometheus's relabel_configs. PCRE2 does the matching, without its compiler to machine code. It
 * tries one way after the other, where RE2 follows all at once: what takes more than
 * REGEX_STEPS_MAX steps is given up, so that no text can keep the daemon busy.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define REGEX_STEPS_MAX 100000 /* calls of PCRE2's match(): about 2 ms */
#define REGEX_WHY_MAX 256

struct regex;

/* 0, -ENOMEM, or -EINVAL with what is wrong in `why`. */
int regex_new(const char *text, struct regex **ret, char why[static REGEX_WHY_MAX]);
void regex_free(struct regex *re);

/*
 * Matches the whole text, which the regex borrows until it has been expanded. 1: it matches; 0: it
 * does not; -ENOMEM; -ELOOP: it was given up.
 */
int regex_match(struct regex *re, const char *text);

/*
 * Appends the template after a match, with $1, ${1}, $name and ${name} replaced, as Go's Expand
 * does. 0, -ENOMEM or -E2BIG.
 */
int regex_expand(const struct regex *re, const char *template, struct buf *out);
