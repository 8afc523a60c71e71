/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_PUBLICATION_H
#define CONTRACE_SPOOL_PUBLICATION_H

/*
 * The system calls that turn a finished file in incoming/ into a durable trace under its key, in
 * the only order that is safe if the system crashes between any two of them. Runs on a disk thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/spool/disk/tree.h"

struct publication {
    struct tree *tree;
    int top;         /* pending/ or archive/ */
    int fd;          /* descriptor of the trace */
    const char *tmp; /* its name in incoming/ */
    uint64_t bytes;
    const char *record; /* JSON text */
    const char *key;

    bool tmp_left;   /* out: it failed, and tmp could not be unlinked */
    bool trace_left; /* out: it failed, but the trace has its key and could not be unlinked */
};

/*
 * 0: the trace is durable. -EEXIST: another file has the key; all is as before, and the caller may
 * try another key. Any other negative errno: nothing of the trace stays, unless one of the `…_left`
 * says otherwise.
 */
int publication_run(struct publication *p);

#endif
