/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The function that a goroutine started with: the outermost frame of any stack of it. Not every
 * event has a stack of the goroutine whose state it changes.
 */

#include <stdint.h>

#include "trace/common/texts.h"
#include "trace/gotrace.h"

/* The stack of the goroutine that changes its state, as far as the event has one; 0: none. */
uint32_t start_stack(const struct gotrace_event *e);

/* Writes the function's text, if that stack tells it. 0, or an error of memory.h. */
int start_name(struct texts *texts, const struct gotrace *trace, const struct gotrace_event *e,
               uint32_t *ret);
