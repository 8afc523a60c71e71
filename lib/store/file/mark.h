/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which directory a file:// destination is. A file in it, written at first use, names it; what it
 * was named is kept beside the spool. So an empty mount point, or another disk in the place of the
 * one that has the traces, is told from it, also after a restart. All of this blocks: for a disk
 * thread.
 */

#include <pthread.h>
#include <stdbool.h>

#include "lib/store/interface/store.h"

#define MARK_NAME ".contrace-destination"
#define MARK_ID_SIZE 33

struct mark {
    char *memory; /* the file that remembers, or NULL: nothing is marked */
    bool require_mount;
    pthread_mutex_t lock; /* guards all below */
    bool loaded, known;
    bool kept; /* the file has it, too */
    char id[MARK_ID_SIZE];
    bool mounted; /* it was a mounted file system when it was marked */
};

/* `memory` is copied and may be NULL. 0 or -ENOMEM; mark_done is due in any case. */
int mark_init(struct mark *m, const char *memory, bool require_mount);
void mark_done(struct mark *m);

/* Whether the directory `base`, open as dir, is the one that it was; the first one ever is. If not,
 * false and *ret is filled: a person must act. */
bool mark_check(struct mark *m, int dir, const char *base, struct store_result *ret);
