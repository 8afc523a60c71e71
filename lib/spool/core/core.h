/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The base of all layers of the spool: the event loop and its clocks, the disk threads and the
 * count of jobs, the directories, and how long an operation rests after a failure. It does not know
 * which traces are kept.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/disk.h"
#include "lib/spool/disk/tree.h"

/* An operation that failed rests before the next try: first for CORE_REST_FIRST, then twice as long
 * after each further failure, up to CORE_REST_MOST. But no capture is refused for longer than
 * CORE_REST_FIRST after the last failure. */
#define CORE_REST_FIRST (5 * USEC_PER_SEC)
#define CORE_REST_MOST (10 * USEC_PER_MIN)

#define CORE_TMP_SIZE 40 /* bytes of a name in incoming/ */

typedef void (*core_fn)(void *userdata);

struct core {
    sd_event *event;
    struct disk *disk;
    struct tree tree;
    core_fn advance, end;
    void *userdata;
    sd_event_source *wake; /* fires once to call `advance` */
    uint64_t tmp_counter;
    unsigned jobs;             /* jobs that have begun and not ended */
    bool closing;              /* no function is called back any more */
    usec base_real, base_boot; /* see core_age_now */
};

/*
 * core_init opens the directories and logs what is wrong. `advance` is called on the event loop
 * after core_wake. `end` is called after core_close, when all jobs have ended; it may free the
 * core. 0 or a negative errno; call core_done in either case.
 */
int core_init(struct core *c, sd_event *event, struct disk *disk, const char *path);
int core_start(struct core *c, core_fn advance, core_fn end, void *userdata);
void core_close(struct core *c);
void core_done(struct core *c);

/* The event loop's boot time. */
usec core_now(const struct core *c);

/*
 * The time that counts for max_age. The wall clock may jump years ahead, while contraced runs or
 * before it starts; that must not delete the whole history. So this time starts at most at the time
 * of the newest trace that was found at the start, and from there advances at most as fast as boot
 * time. What was kept at the end of the run before therefore comes of age only by time that passes
 * in this run. A machine that was off for a week keeps its traces that much longer; the other
 * bounds still hold. A wall clock that is behind is simply believed.
 */
usec core_age_now(const struct core *c);
void core_age_begin(struct core *c, usec newest); /* 0: no trace was found */

/* How long an operation rests after a failure; `failures` is how many came before it. */
usec core_rest(unsigned failures);

/* Has `advance` called: something may have become possible. */
void core_wake(struct core *c);

/* Counts jobs. All jobs must end before the spool is freed. */
void core_job_begins(struct core *c);
void core_job_ended(struct core *c); /* may free the core: use it no more after this */
/* Calls core_job_begins, then gives the job to a disk thread. */
void core_submit(struct core *c, struct disk_job *job);

/* A new name for a file in incoming/, unique in this run. A start deletes files with such names. */
void core_tmp_name(struct core *c, const char *suffix, char out[static CORE_TMP_SIZE]);
