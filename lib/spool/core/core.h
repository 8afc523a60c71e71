/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What all of the spool stands on: the event loop and its clocks, the disk threads and what is on
 * its way there, the directories, and how long something that fails rests. It knows nothing of what
 * is kept.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/disk.h"
#include "lib/spool/disk/tree.h"

/* What fails rests, first as long as one bad moment lasts, then twice that, and so on. No capture
 * is refused for longer than the first rest after the last failure. */
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
    sd_event_source *wake; /* once, for `advance` */
    uint64_t tmp_counter;
    unsigned jobs;             /* begun and not ended */
    bool closing;              /* nobody is told anything any more */
    usec base_real, base_boot; /* see core_age_now */
};

/*
 * Opens the directories. `advance` is called on the event loop after core_wake; `end` once all jobs
 * have ended after core_close, and may free the core. Logs what is wrong. 0 or a negative errno;
 * core_done in any case.
 */
int core_init(struct core *c, sd_event *event, struct disk *disk, const char *path);
int core_start(struct core *c, core_fn advance, core_fn end, void *userdata);
void core_close(struct core *c);
void core_done(struct core *c);

/* Boot time. */
usec core_now(const struct core *c);

/*
 * The time by which what is kept comes of age. The wall clock may jump years ahead, while we run or
 * before we start, and must not take the whole history with it. So age advances at most as boot time
 * does, from the newest that was found at the start: no start expires what was kept at the end of
 * the run before, except for the time that has since been seen to pass. A machine that was off for a
 * week keeps its traces that much longer; the other bounds still hold. A clock that runs behind is
 * simply believed.
 */
usec core_age_now(const struct core *c);
void core_age_begin(struct core *c, usec newest); /* 0: nothing was found */

/* How long something rests after so many failures before this one. */
usec core_rest(unsigned failures);

/* Something may go on. */
void core_wake(struct core *c);

/* A job is what must end before the spool does. */
void core_job_begins(struct core *c);
void core_job_ended(struct core *c);                    /* may free the core: nothing may follow */
void core_submit(struct core *c, struct disk_job *job); /* begins, and goes to a disk thread */

/* A name for a file in incoming/ that none has in this run; a start sweeps such names. */
void core_tmp_name(struct core *c, const char *suffix, char out[static CORE_TMP_SIZE]);
