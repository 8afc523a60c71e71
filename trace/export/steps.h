/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A number that changes too often to be written each time: of each STEPS_SPAN in which it changes
 * the most that it was, from the span's begin on, and, if it goes on otherwise, what it was at the
 * span's end. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEPS_SPAN 100000 /* 0.1 ms */

struct steps {
    int64_t span; /* when the present span began, if `open` */
    int64_t value, most;
    int64_t written; /* the last value that was told, if `known` */
    bool open, known;
};

struct step {
    int64_t time;
    int64_t value;
};

/* The number has another value now; times ascend. Returns how many steps are to be written. */
size_t steps_set(struct steps *s, int64_t time, int64_t value, struct step ret[2]);

/* The same where all ends. */
size_t steps_end(struct steps *s, int64_t end, struct step ret[2]);
