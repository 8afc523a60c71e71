/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Everything that contraced is told: the file, the options over it, and what lib/store says
 * of the store. Nothing is connected to; the same judgement at a start, at a reload and for
 * --check-config.
 */

#include "daemon/settings/options.h"
#include "lib/config/config.h"
#include "lib/spool/spool.h"

/* As options_load, with a store that store_check finds good if there is an upload.url. */
int settings_load(const struct options *o, struct config **ret, const char **ret_file,
                  struct diags *d);

/* The bounds of what is kept. */
struct retention_limits settings_limits(const struct config *c);
