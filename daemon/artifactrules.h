/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a configuration may say of artifacts, as far as only their rows know it. */

#include <stdbool.h>

#include "lib/config/config.h"

/* Checks the artifacts of all jobs; `file` is where they stand (NULL: in no file). With `once`
 * there are no intervals. 0, or -EINVAL and each error is in `d`. */
int artifact_rules(const struct config *c, bool once, const char *file, struct diags *d);
