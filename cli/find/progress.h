/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The progress of a pull on stderr: a bar on a terminal, else a line for each file.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct progress {
    unsigned width; /* of the terminal; 0: there is none */
    size_t files, files_done;
    uint64_t bytes, bytes_done; /* bytes: of all files, as far as known */
    usec start, drawn;          /* boot time */
    bool shown;
};

void progress_init(struct progress *p, size_t files, uint64_t bytes, usec now);

/* Redraws the bar, at most ten times a second; `now` is boot time. */
void progress_draw(struct progress *p, usec now);

/* Removes the bar: before a message and at the end. */
void progress_clear(struct progress *p);

/* The bar's text, without moving the cursor. Pure. Returns `out`. */
#define PROGRESS_TEXT_SIZE 256
const char *progress_text(const struct progress *p, usec now, char out[static PROGRESS_TEXT_SIZE]);
