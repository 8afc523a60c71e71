/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Replaces the records of published traces when more is known of the traces. If a trace is being
 * uploaded, moved or deleted, the replacement waits until the item is idle; amending_kick tells
 * that one has become idle.
 */

#include "lib/record/record.h"
#include "lib/spool/core/core.h"
#include "lib/spool/core/items.h"
#include "lib/spool/queue.h"

struct amending_job;

/* See spool_amended_fn. */
typedef void (*amending_fn)(int r, const char *key, void *userdata);

struct amending {
    struct core *core;
    struct items *items;
    struct queue *queue;
    struct amending_job *jobs; /* oldest request first */
    sd_event_source *wake;     /* fires once when a waiting job may be able to start */
};

/* 0 or a negative errno; call amending_stop in either case. Jobs that have not begun by then are
 * dropped. */
int amending_start(struct amending *a, struct core *core, struct items *items, struct queue *queue);
void amending_stop(struct amending *a);

void amending_kick(struct amending *a);

/* As spool_amend. */
int amending_add(struct amending *a, const char *key, const struct record_amendment *what,
                 amending_fn fn, void *userdata);
