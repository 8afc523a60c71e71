/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Pulls many traces at a time, each from the spool or else from the store. Prints the result of
 * each on stderr.
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
 * Works in the order of the entries, and drops those that are not in the user's directory at the
 * end. 0: none was dropped; 1: some were; a negative errno: nothing could be started (a message was
 * printed), or -EINTR.
 */
int transfers_run(struct sources *s, const struct transfers_options *o, struct catalog *c);
