/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * When each lane is captured: the agenda of due lanes on one timer, tries after a failure, and
 * suspension. It asks for captures and is told their ends; it knows nothing of how they are made.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/capture/targets.h"

struct timetable;

/* A lane was due at `due` (boot time). Called on the event loop; `name` as in an order of the
 * pipeline, borrowed. */
typedef void (*timetable_due_fn)(void *userdata, struct lane *l, enum reason reason,
                                 const char *name, usec due);

/*
 * `once`: every lane is captured once and tried again only while somebody else is tracing it.
 * `random` seeds the times of retries. 0 or a negative errno.
 */
int timetable_new(sd_event *event, bool once, uint64_t random, timetable_due_fn fn, void *userdata,
                  struct timetable **ret);
void timetable_free(struct timetable *tt);

/* Room for n lanes in all, so that timetable_update cannot fail. 0 or -ENOMEM. */
int timetable_reserve(struct timetable *tt, size_t n);

/* Lanes came, went or changed their interval. First captures are spread, those of one target one
 * after the other; a lane whose interval changed goes on with its schedule. */
void timetable_update(struct timetable *tt, const struct targets_change *change);

/* A capture that was for `reason` and `name` (copied) has ended. True if the lane is tried again
 * for the same before its next due time. */
bool timetable_finished(struct timetable *tt, struct lane *l, enum reason reason, const char *name,
                        enum outcome outcome);

/* While suspended, what is due by the schedule is passed over; but not with `once`, which would never
 * end. */
void timetable_suspend(struct timetable *tt, bool suspended);

/* Nothing is due any more. */
void timetable_stop(struct timetable *tt);
