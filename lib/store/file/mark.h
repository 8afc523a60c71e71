/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Recognises the directory of a file:// store. A file in it, the mark, is written at first use; its
 * id is remembered beside the spool. So an empty mount point or another disk in its place is
 * noticed, also after a restart. All functions block: call them on a disk thread.
 */

#include <pthread.h>
#include <stdbool.h>

#include "lib/store/interface/store.h"

#define MARK_NAME ".contrace-destination"
#define MARK_ID_SIZE 33

struct mark {
    char *memory; /* path of the remembered id; NULL: no marks are used */
    bool require_mount;
    pthread_mutex_t lock; /* guards all below */
    bool loaded, known;
    bool kept; /* the file has it, too */
    char id[MARK_ID_SIZE];
    bool mounted; /* it was a mounted file system when it was marked */
};

/* `memory` is copied and may be NULL. 0 or -ENOMEM. Call mark_done in any case. */
int mark_init(struct mark *m, const char *memory, bool require_mount);
void mark_done(struct mark *m);

/* Whether the directory `base`, open as dir, is the same as before; at first use any is. If not,
 * false and *ret is filled: a person must act. */
bool mark_check(struct mark *m, int dir, const char *base, struct store_result *ret);
