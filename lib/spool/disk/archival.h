/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_ARCHIVAL_H
#define CONTRACE_SPOOL_ARCHIVAL_H

/*
 * The system calls that move uploaded traces and their records from pending/ to archive/, durably.
 * Runs on a disk thread. Traces of one day are moved together, so that a backlog costs two fsyncs
 * for many of them.
 *
 * A record gets a second name in archive/ first, then its trace is renamed; when all are, both
 * directories are synced, and only then do the records lose their names in pending/. So wherever
 * the process ends, a trace stands in one of the two with its record beside it, and what is too
 * much is a record without a trace, which every start sweeps. Where the file system has no hard
 * links the record is renamed; a start then brings it back to its trace if the trace did not follow.
 */

#include <stdbool.h>

#include "lib/spool/disk/tree.h"

struct archival {
    const char *key;

    /* Out. 0: durable. -EEXIST: something else has the key in archive/. On any error all is as
     * before as far as the flags do not say otherwise. */
    int result;
    bool gone;       /* failed, because the trace is no longer in pending/ */
    bool in_archive; /* failed, but the trace stands in archive/ and could not be put back */

    bool placed, linked, renamed; /* where trace and record are; archival.c's own */
};

/* All keys are of one service, host and day; n > 0. */
void archival_run(struct tree *tree, struct archival *const *batch, size_t n);

#endif
