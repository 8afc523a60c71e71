/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The one error that ends a reader: noted by whoever finds it, told by gotrace_last_error. */

#include <stdint.h>

#define FAULT_TEXT_MAX 240

struct fault {
    int code; /* 0: none */
    uint64_t offset;
    uint64_t generation;
    int64_t thread;
    unsigned newer; /* 28: the trace is of go 1.28, which nobody knew here: no contradiction */
    char text[FAULT_TEXT_MAX];
};

/* Notes the error, unless there is one, and returns its code. */
int fault_set(struct fault *fault, int code, uint64_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5), cold));

/* The same for an error of memory.h, which has no text of its own. */
int fault_memory(struct fault *fault, int code, uint64_t offset) __attribute__((cold));
