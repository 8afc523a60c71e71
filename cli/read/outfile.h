/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A file that a command writes to a path of the user's choice. It appears when it is whole and
 * durable, and replaces an existing file only if the user said so.
 */

#include <stdbool.h>

#include "cli/common/landing.h"

/*
 * Opens the file; landing_finish and landing_done end it. 0 or a negative errno: -EEXIST, -EISDIR,
 * -EINVAL if the path is neither file nor directory.
 */
int outfile_begin(struct landing *l, const char *path, bool replace);

/* Prints the message for `r`, an error of these functions or of landing.h. Returns r. */
int outfile_complain(const char *path, int r);
