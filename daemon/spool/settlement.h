/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_SETTLEMENT_H
#define CONTRACE_SPOOL_SETTLEMENT_H

/*
 * The system calls that move an uploaded trace and its record from pending/ to archive/, durably.
 * Runs on a disk thread.
 *
 * The record gets a second name in archive/ first, then the trace is renamed, both directories are
 * synced, and only then does the record lose its name in pending/. So wherever the process ends,
 * the trace stands in one of the two with its record beside it, and what is too much is a record
 * without a trace, which every start sweeps. Where the file system has no hard links the record is
 * renamed; a start then brings it back to its trace if the trace did not follow.
 */

#include <stdbool.h>

#include "daemon/spool/tree.h"

struct settlement {
    struct tree *tree;
    const char *key;

    bool gone;       /* out: failed, because the trace is no longer in pending/ */
    bool in_archive; /* out: failed, but the trace stands in archive/ and could not be put back */

    bool linked, renamed; /* where the record is; settlement.c's own */
};

/*
 * 0: durable. -EEXIST: something else has the key in archive/. On any error all is as before as far
 * as the flags do not say otherwise.
 */
int settlement_run(struct settlement *m);

#endif
