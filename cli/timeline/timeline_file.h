/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes a part of a trace as a file for Perfetto (ui.perfetto.dev). Private to timeline*.c.
 */

#include <stdbool.h>

#include "cli/timeline/timeline_choice.h"

struct timeline_file {
    const char *out;        /* "-" for standard output */
    bool force;             /* replace it if there is one */
    gotrace_spill_fn spill; /* as in gotrace_spill, or NULL */
    const struct timeline_choice *choice;
};

/*
 * Reads the trace of a file from its begin. 0; 1 after a message if the trace breaks off behind
 * something, which is written; a negative errno after one: -EINVAL if the part is behind the trace's
 * end.
 */
int timeline_file(const char *file, int fd, const struct timeline_file *f);
