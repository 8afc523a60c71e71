/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* All patterns, looked for in one process. */

#include "trace/schedtrace/pattern.h"

#define PATTERNS_N 5

struct patterns {
    /* By score, the highest first; those of at least 0.5 are found, the others are how near it
     * was. Proofs refer to the process. */
    struct pattern list[PATTERNS_N];
    size_t found;
    bool too_few; /* snapshots, and no cycles of the collector either */
};

void patterns_look(const struct process *p, struct patterns *ret);
