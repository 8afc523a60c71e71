/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The input as gotrace_open reads it, by fuzz_source_read. */

#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "trace/gotrace.h"

struct fuzz_source {
    const uint8_t *data;
    size_t left;
    size_t piece; /* the most that is given at a time; 0: all */
};

static inline ssize_t fuzz_source_read(void *userdata, void *data, size_t n)
{
    struct fuzz_source *s = userdata;

    if (n > s->left)
        n = s->left;
    if (s->piece > 0 && n > s->piece)
        n = s->piece;
    if (n > 0)
        memcpy(data, s->data, n);
    s->data += n;
    s->left -= n;
    return (ssize_t)n;
}
