/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The spool's own view of all files in incoming/. A published file joins the index and the queue.
 */

#include <stdbool.h>

#include "lib/spool/core/core.h"
#include "lib/spool/disk/publication.h"
#include "lib/spool/core/expiry.h"
#include "lib/spool/file.h"
#include "lib/spool/core/items.h"
#include "lib/spool/queue.h"
#include "lib/spool/reservation.h"

enum file_state {
    FILE_WAITS_NEW,     /* waits for its first room; has no descriptor */
    FILE_OPEN,          /* the caller writes to it */
    FILE_WAITS_GROW,    /* open, for more room */
    FILE_WAITS_PUBLISH, /* handed to spool_file_publish; waits for the room of a long record */
    FILE_PUBLISHING,    /* on a disk thread */
    FILE_DISCARDING,    /* on a disk thread */
    FILE_STUCK,         /* could not be unlinked; keeps its room until a later try succeeds */
};

struct spool_file {
    struct disk_job job;
    struct files *files;
    struct spool_file *prev, *next; /* all files */
    enum file_state state;
    int fd;
    char tmp[CORE_TMP_SIZE]; /* its name in incoming/ */
    struct reservation room;
    spool_room_fn room_fn;
    void *room_userdata;

    /* Set by spool_file_publish. */
    spool_published_fn published_fn;
    void *published_userdata;
    struct name name;
    struct publication publication;
    char *record;
    char *key;
    unsigned foreign; /* how many keys were taken by files that are not in the index */
    int error;        /* why it is discarded instead of published */
};

/* See spool_set_hold_fn. */
typedef usec (*file_hold_fn)(void *userdata, const char *key, const char *record);

struct files {
    struct core *core;
    struct items *items;
    struct reservations *reservations;
    struct queue *queue;
    struct expiry *expiry;
    bool upload; /* true: publish into pending/; false: into archive/ */
    file_hold_fn hold_fn;
    void *hold_userdata;

    struct spool_file *all;
    unsigned publishing;
    /* Boot time before which missing directories are not made again, as the last try failed. */
    usec mend_retry;
    unsigned stuck; /* files in FILE_STUCK, which rest before the next try */
    /* Rounds of tries in a row in which at least one file could not be unlinked. */
    unsigned stuck_rounds;
    usec stuck_last, stuck_retry;
};

/* All borrowed. Call files_done when nothing is on the disk threads any more. */
void files_init(struct files *s, struct core *core, struct items *items,
                struct reservations *reservations, struct queue *queue, struct expiry *expiry);
void files_done(struct files *s);

void files_set_hold_fn(struct files *s, file_hold_fn fn, void *userdata);

/* As spool_file_new. */
int files_new(struct files *s, uint64_t room, spool_room_fn fn, void *userdata,
              struct spool_file **ret);

/* Tries again to unlink stuck files if their rest is over. `needed`: room is needed, so the rest is
 * CORE_REST_FIRST at most. */
void files_retry_stuck(struct files *s, bool needed);
