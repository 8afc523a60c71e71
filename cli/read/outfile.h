/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One file that a command writes where the user says: a landing by its path. It appears under its
 * name when it is whole and durable, and nothing else is replaced unless the user wants that.
 */

#include <stdbool.h>

#include "cli/common/landing.h"

/*
 * Begins the file; landing_finish and landing_done end it. 0 or a negative errno: -EEXIST, -EISDIR,
 * -EINVAL for what is neither file nor directory.
 */
int outfile_begin(struct landing *l, const char *path, bool replace);

/* Says on stderr what r, an error of this file or of landing.h, was about. Returns r. */
int outfile_complain(const char *path, int r);
