/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_ARCHIVAL_H
#define CONTRACE_SPOOL_ARCHIVAL_H

/*
 * The system calls that move uploaded traces and their records from pending/ to archive/, durably.
 * Runs on a disk thread. Traces of one day are moved together, so that a backlog costs two fsyncs
 * for many of them.
 *
 * First each record gets a second name (a hard link) in archive/, then its trace is renamed. When
 * all traces are renamed, both directories are synced, and only then do the records lose their
 * names in pending/. So whenever the process ends, each trace is in one of the two directories with
 * its record beside it. At most a record without a trace is left over, which the next start
 * deletes. Where the file system has no hard links, the record is renamed; if its trace does not
 * follow, the next start moves the record back to the trace.
 */

#include <stdbool.h>

#include "lib/spool/disk/tree.h"

struct archival {
    const char *key;

    /* Out. 0: the move is durable. -EEXIST: another file has the key in archive/. After an error
     * all is as before, unless a flag below says otherwise. */
    int result;
    bool gone;       /* it failed because the trace is no longer in pending/ */
    bool in_archive; /* it failed, but the trace is in archive/ and could not be moved back */

    bool placed, linked, renamed; /* where trace and record are; only archival.c uses these */
};

/* All keys are of one service, host and day; n > 0. */
void archival_run(struct tree *tree, struct archival *const *batch, size_t n);

#endif
