/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_PUBLICATION_H
#define CONTRACE_SPOOL_PUBLICATION_H

/*
 * The system calls that turn a finished file in incoming/ into a durable trace under its key, in
 * the only order that survives a crash between any two of them. Runs on a disk thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/spool/disk/tree.h"

struct publication {
    struct tree *tree;
    int top;         /* pending/ or archive/ */
    int fd;          /* the trace's */
    const char *tmp; /* its name in incoming/ */
    uint64_t bytes;
    const char *record; /* text */
    const char *key;

    bool tmp_left;   /* out: failed, and tmp could not be unlinked */
    bool trace_left; /* out: failed, and the trace stands under its key and could not be unlinked */
};

/*
 * 0: durable. -EEXIST: the key is taken by something; all is as before, and it may run again with
 * another key. Any other errno: nothing of it stays, as far as `…_left` do not say otherwise.
 */
int publication_run(struct publication *p);

#endif
