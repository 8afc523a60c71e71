/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_SCAN_H
#define CONTRACE_SPOOL_SCAN_H

/*
 * What a start finds: finishes what a crash left half done and fills the index. Nothing that we did
 * not make is followed, deleted or counted.
 */

#include <stdint.h>

#include "lib/spool/core/index.h"
#include "lib/spool/disk/tree.h"

struct scan {
    uint64_t swept_incoming; /* files that were being written */
    uint64_t swept_records;  /* without their trace */
    uint64_t reunited;       /* records put back beside their trace */
    uint64_t finished;       /* moves from pending/ to archive/ that had been half done */
    uint64_t no_record;      /* traces without their record: kept */
    uint64_t twice;          /* keys in both pending/ and archive/: kept */
    uint64_t foreign;        /* left alone */
    char first_foreign[512]; /* where the first one is, below storage.path; cut if longer */
};

/* 0, or the errno (EMFILE, ENOMEM, EIO, …) that kept it from seeing everything. */
int scan_run(const struct tree *t, struct index *ix, struct scan *ret);

/* One line for what is kept, and one for each thing that a person may want to look at. */
void scan_log(const struct scan *s, const struct tree *t, const struct index *ix);

#endif
