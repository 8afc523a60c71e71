/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_AMENDMENT_H
#define CONTRACE_SPOOL_AMENDMENT_H

/*
 * The system calls that replace the record of a published trace. Runs on a disk thread. The new
 * record is written in incoming/, synced and renamed over the old one. So whenever the process
 * ends, the trace has one of the two records beside it, complete.
 */

#include <stdint.h>

#include "lib/record/record.h"
#include "lib/spool/disk/tree.h"

/* Bytes of the new record; if it would be longer, its summary gives way. */
#define AMENDMENT_RECORD_MAX ((uint64_t)20 << 10)

/* Bytes by which one may grow that is longer already: what is added beside a summary. */
#define AMENDMENT_LABEL_MAX 256

struct amendment {
    struct tree *tree;
    int top;         /* pending/ or archive/ */
    const char *tmp; /* its name in incoming/ */
    const char *key;
    struct record_amendment what;

    uint64_t before, after;         /* out: bytes of the old and of the new record */
    struct record_annotation found; /* out: of the new record */
};

/*
 * 0: the new record is durable. -ENOENT: there is no trace, or it has no record. -EINVAL: the file
 * there is no record. -E2BIG: the old record is too long. Or another negative errno.
 * After an error the old record is in place, or perhaps the new one if only the last fsync failed.
 */
int amendment_run(struct amendment *a);

#endif
