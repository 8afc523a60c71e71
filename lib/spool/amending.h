/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Records that are replaced by new ones when more is known of their traces. One that is being
 * uploaded, moved or deleted just then is waited for: amending_kick tells that an item is idle.
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
    struct amending_job *jobs; /* in the order in which they came */
    sd_event_source *wake;     /* once, when some of them may go on */
};

/* 0 or a negative errno; amending_stop in any case: what has not begun never will. */
int amending_start(struct amending *a, struct core *core, struct items *items, struct queue *queue);
void amending_stop(struct amending *a);

void amending_kick(struct amending *a);

/* As spool_amend. */
int amending_add(struct amending *a, const char *key, const struct record_amendment *what,
                 amending_fn fn, void *userdata);
