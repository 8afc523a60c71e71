/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A regular expression as RE2 and Go write it, put into PCRE2's words so that it means the same
 * there. What only PCRE2 knows (backreferences, lookaround, possessive quantifiers, verbs, …) is
 * refused, as RE2 refuses it. Syntax: https://pkg.go.dev/regexp/syntax. Pure.
 */

#include <stddef.h>

#include "base/buf.h"

#define PATTERN_GROUPS_MAX 99
#define PATTERN_WHY_MAX 160

/* Names of groups; pattern_names_done releases them. */
struct pattern_names {
    char *of[PATTERN_GROUPS_MAX + 1]; /* NULL: the group has none; [0] is the whole match */
    size_t n;                         /* groups */
};

/*
 * Appends the translation to `out` and the names of its groups to `names`, which is zeroed before.
 * 0, -ENOMEM, -E2BIG if `out` is full, or -EINVAL with what is wrong in `why`.
 */
int pattern_translate(const char *re, struct buf *out, struct pattern_names *names,
                      char why[static PATTERN_WHY_MAX]);
void pattern_names_done(struct pattern_names *names);
