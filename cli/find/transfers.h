/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Pulls many traces at once: each from the spool, or else from the store. Says on stderr what comes
 * of each.
 */

#include <stdbool.h>

#include "cli/find/catalog.h"
#include "cli/find/sources.h"

struct transfers_options {
    const char *directory; /* exists, or is made */
    bool flat, force;
    unsigned concurrency;
};

/*
 * The entries' order is that of the work. Entries that are not in the user's directory afterwards
 * are dropped from the catalog. 0: none was; 1: some; a negative errno: nothing could be begun
 * (said), or -EINTR.
 */
int transfers_run(struct sources *s, const struct transfers_options *o, struct catalog *c);
