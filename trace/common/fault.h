/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The error that ends a reader. The code that finds it stores it here; gotrace_last_error returns
 * it. */

#include <stdint.h>

#define FAULT_TEXT_MAX 240

struct fault {
    int code; /* 0: none */
    uint64_t offset;
    uint64_t generation;
    int64_t thread;
    /* 28: the trace is of go 1.28, which is unknown here, so an error may mean a newer format. */
    unsigned newer;
    char text[FAULT_TEXT_MAX];
};

/* Stores the error unless there is one already, and returns its code. */
int fault_set(struct fault *fault, int code, uint64_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5), cold));

/* The same for an error of memory.h, which has no text. */
int fault_memory(struct fault *fault, int code, uint64_t offset) __attribute__((cold));
