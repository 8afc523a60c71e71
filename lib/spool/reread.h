/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads the records of an earlier run after a start, so that retention knows which traces are the
 * worst and which belong to an incident. The oldest come first, a few at a time with a pause between
 * them, as nobody waits for this. It ends when all are read.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "lib/spool/core/core.h"
#include "lib/spool/core/items.h"

struct reread_job;

struct reread {
    struct core *core;
    struct items *items;
    sd_event_source *timer; /* NULL: it has ended, or was never begun */
    struct reread_job *job; /* on a disk thread */
};

/* Begins, if it has not begun yet. `core` and `items` are set. 0 or a negative errno. */
int reread_begin(struct reread *r);
void reread_stop(struct reread *r);
