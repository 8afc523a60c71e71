/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_AMENDMENT_H
#define CONTRACE_SPOOL_AMENDMENT_H

/*
 * The system calls that give a published trace a new record in place of its old one. Runs on a disk
 * thread. The new one is written in incoming/, synced and renamed over the old: wherever the process
 * ends, the trace stands beside one of the two, whole.
 */

#include <stdint.h>

#include "lib/record/record.h"
#include "lib/spool/disk/tree.h"

#define AMENDMENT_RECORD_MAX ((uint64_t)16 << 10) /* of the new record; a summary gives way first */

struct amendment {
    struct tree *tree;
    int top;         /* pending/ or archive/ */
    const char *tmp; /* its name in incoming/ */
    const char *key;
    struct record_amendment what;

    uint64_t before, after; /* out: bytes of the old and of the new record */
};

/*
 * 0: durable. -ENOENT: there is no trace, or it has no record. -EINVAL: what stands there is no
 * record. After any error the old record is in place, or, when it was the last fsync that failed,
 * perhaps the new one.
 */
int amendment_run(struct amendment *a);

#endif
