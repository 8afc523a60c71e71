/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Two threads for system calls that wait for a disk: fsync, rename, unlink. A job is handed over,
 * run on a thread, and its end is told on the event loop. The threads own no state.
 */

#include <systemd/sd-event.h>

#define DISK_THREADS 2

struct disk;

/* Embedded in the caller's own job, which must stay alive until done() is called. */
struct disk_job {
    int (*run)(struct disk_job *job);          /* runs on a thread; its result is handed to done */
    void (*done)(struct disk_job *job, int r); /* on the event loop; may free the job */
    struct disk_job *next;                     /* the queue's */
    int result;                                /* the queue's */
};

int disk_new(sd_event *event, struct disk **ret);

/* Waits for all submitted jobs, calls their done(), and frees the pool. */
void disk_free(struct disk *d);

/* Jobs run in the order of submission, DISK_THREADS at a time. */
void disk_submit(struct disk *d, struct disk_job *job);
