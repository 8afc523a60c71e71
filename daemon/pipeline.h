/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The way of one capture from due to published: wait for a turn, reserve room in the spool, stream
 * the trace, find out whose it is, publish. The only place that knows both captures and the spool.
 * It reports each end once: counters, the target's state, the log.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/capture/target.h"
#include "daemon/control/counters.h"
#include "daemon/disk/disk.h"
#include "daemon/net/http.h"
#include "daemon/spool/spool.h"

struct pipeline;

/* A capture of this target has ended, one way or another. The target may be gone afterwards. */
typedef void (*pipeline_finished_fn)(void *userdata, struct target *t, enum reason reason,
                                     enum outcome outcome);

/* Everything is borrowed. `once`: a failed target is not tried again. 0 or -ENOMEM. */
int pipeline_new(sd_event *event, struct http *http, struct disk *disk, struct spool *spool,
                 struct counters *counters, bool once, pipeline_finished_fn fn, void *userdata,
                 struct pipeline **ret);

/* Nothing may be in flight. */
void pipeline_free(struct pipeline *p);

/* How many captures may be in flight at once; the others wait in the order in which they came. */
void pipeline_set_concurrency(struct pipeline *p, unsigned max);

/*
 * Captures the target, now or as soon as it is its turn. One at a time: with one in flight or
 * waiting a scheduled capture is skipped and counted, and a signalled one follows a scheduled one;
 * so that however often it is asked for, at most one is queued. fn is called later, never from
 * here.
 */
void pipeline_capture(struct pipeline *p, struct target *t, enum reason reason);

/* Ends what waits for its turn; what is in flight goes on to its end. */
void pipeline_drain(struct pipeline *p);

/* Ends the transfers, too: what is whole of them is published. */
void pipeline_cut(struct pipeline *p);

/* Nothing waits and nothing is in flight. */
bool pipeline_idle(const struct pipeline *p);
