/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Decides when each lane is captured: by an agenda of due lanes on one timer, with retries after
 * failures, and suspension. It asks for captures and is told their ends; it does not know how they
 * are made.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/capture/targets.h"

struct timetable;

/* Called from the event loop when a lane is due; `due` is the boot time at which it was. `name` is
 * that of a pipeline_order, borrowed. */
typedef void (*timetable_due_fn)(void *userdata, struct lane *l, enum reason reason,
                                 const char *name, usec due);

/*
 * `once`: every lane is captured once, and retried only while somebody else is tracing its target.
 * `random` seeds the times of retries. 0 or a negative errno.
 */
int timetable_new(sd_event *event, bool once, uint64_t random, timetable_due_fn fn, void *userdata,
                  struct timetable **ret);
void timetable_free(struct timetable *tt);

/* Makes room for n lanes in total, so that timetable_update cannot fail. 0 or -ENOMEM. */
int timetable_reserve(struct timetable *tt, size_t n);

/* Applies added, removed and rescheduled lanes. First captures are spread over time, those of one
 * target one after the other; a lane whose interval changed goes on by its schedule. */
void timetable_update(struct timetable *tt, const struct targets_change *change);

/* A capture for `reason` and `name` (copied) has ended. True if the lane is retried before its next
 * due time. */
bool timetable_finished(struct timetable *tt, struct lane *l, enum reason reason, const char *name,
                        enum outcome outcome);

/* While suspended, lanes that are due by the schedule are not captured. Has no effect with `once`,
 * which would never end. */
void timetable_suspend(struct timetable *tt, bool suspended);

/* Nothing is due any more. */
void timetable_stop(struct timetable *tt);
