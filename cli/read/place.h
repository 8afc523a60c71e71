/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Places in a program, as people and programs read them.
 */

#include <stdbool.h>
#include <stdio.h>

#include "base/jsonwriter.h"
#include "trace/summary/numbers.h"

/* The member `own` of a site; nothing if it has no own code. */
void place_own_json(struct jsonwriter *w, const struct summary_own *own);

/* A frame, "main.work  app/main.go:12", in plain characters. */
void place_frame(FILE *out, const struct summary_frame *f);

/* The same, but the program's own code first and the function behind it, "main.post  app/main.go:12
 * ← sync.(*Mutex).Lock", if there is own code. */
void place_print(FILE *out, const struct summary_own *own, const struct summary_frame *at,
                 bool utf8);

/* What a function of the runtime does, in the language's words; another one's name as it is. */
const char *place_word(const char *func);

bool place_frame_equal(const struct summary_frame *a, const struct summary_frame *b);

/* Whether two places look the same when they are printed so. */
bool place_equal(const struct summary_own *own_a, const struct summary_frame *at_a,
                 const struct summary_own *own_b, const struct summary_frame *at_b);
