/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_SCAN_H
#define CONTRACE_SPOOL_SCAN_H

/*
 * The scan of the directories at a start: finishes what a crash left half done and fills the index.
 * Files and links that contraced did not make are not followed, deleted or counted.
 */

#include <stdint.h>

#include "lib/spool/core/index.h"
#include "lib/spool/disk/tree.h"

struct scan {
    uint64_t swept_incoming; /* unfinished files in incoming/, deleted */
    uint64_t swept_records;  /* records without their trace, deleted */
    uint64_t reunited;       /* records that were moved back beside their trace */
    uint64_t finished;       /* moves from pending/ to archive/ that were half done */
    uint64_t no_record;      /* traces without a record; kept */
    uint64_t twice;          /* keys in both pending/ and archive/; both are kept */
    uint64_t foreign;        /* files that contraced did not make; left alone */
    char first_foreign[512]; /* path of the first one, relative to storage.path; cut if longer */
};

/* 0, or the negative errno (-EMFILE, -ENOMEM, -EIO, …) that kept the scan from seeing
 * everything. */
int scan_run(const struct tree *t, struct index *ix, struct scan *ret);

/* Logs one line about what is kept, and one for each finding that a person may want to look at. */
void scan_log(const struct scan *s, const struct tree *t, const struct index *ix);

#endif
