/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a goroutine waits for, in few classes: by the runtime's reason, or, if it waited before the
 * trace began, by the runtime's functions on its stack.
 */

#include "trace/gotrace.h"

enum waits_class {
    WAITS_CHANNEL, /* a channel, or several in a select */
    WAITS_SYNC,    /* a mutex, a WaitGroup, a Cond: package sync */
    WAITS_NETWORK,
    WAITS_SLEEP, /* time.Sleep */
    WAITS_OTHER, /* the collector, the runtime's own waits, what is not known */
    WAITS_N,
    WAITS_FOREVER = WAITS_N, /* on what never comes: such a goroutine has ended, as in Go's tools */
};

/* By a reason to block (runtime/traceruntime.go); "" is none. */
enum waits_class waits_of_reason(const char *text, size_t len);

/* By a stack; WAITS_OTHER if it does not tell. */
enum waits_class waits_of_stack(const struct gotrace *trace, uint32_t stack);

/* Of a goroutine that begins to wait, or is found waiting. */
enum waits_class waits_of(const struct gotrace *trace, const struct gotrace_event *e);
