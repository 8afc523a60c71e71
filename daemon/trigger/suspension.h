/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether scheduled captures are suspended, and why: each cause comes and goes on its own, and as
 * long as one holds, nothing is captured by the schedule. It keeps who holds and since when, says
 * each change in the log, and decides nothing else: captures that somebody asks for go on.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "lib/config/config.h"

enum suspension_cause {
    SUSPENDED_SIGNAL,       /* SIGUSR2 */
    SUSPENDED_API,          /* POST /api/v1/suspend */
    SUSPENDED_FLAG_FILE,    /* suspend.flag_file is there */
    SUSPENDED_CPU_PRESSURE, /* suspend.cpu_pressure is exceeded */
    SUSPENSION_CAUSES,
};

#define SUSPENSION_TEXT_MAX 320

struct suspension;

/*
 * `changed` is called after each change of a cause, from each of the calls below and from the event
 * loop, with whether any cause holds now. May not be NULL. 0 or a negative errno.
 */
int suspension_new(sd_event *event, void (*changed)(void *userdata, bool suspended), void *userdata,
                   struct suspension **ret);
void suspension_free(struct suspension *s);

/*
 * At the start and at each reload: what is watched from now on. Looks at the flag file at once, so
 * that nothing is captured at the start while it is there. What did not change keeps its state, a
 * cause that is watched no more ends. 0 or -ENOMEM, and then nothing changed.
 */
int suspension_set(struct suspension *s, const struct suspend_config *config);

/* SIGUSR2: suspends if the operator (by signal or API) has not; else ends what he asked for. */
void suspension_toggle(struct suspension *s);

/*
 * The API: `on` suspends, with a reason or NULL; asked again, it keeps its time and takes the new
 * reason. Off ends what the operator asked for, by signal or API.
 */
void suspension_api(struct suspension *s, bool on, const char *reason);

/* Whether any cause holds. */
bool suspension_active(const struct suspension *s);

/*
 * Whether this cause holds: since when (real time), and its text for people: the API's reason (""
 * without one), the file's path, what the pressure was; borrowed until the next change. The results
 * are optional and only written when it holds.
 */
bool suspension_cause(const struct suspension *s, enum suspension_cause cause, usec *ret_since,
                      const char **ret_text);

/* "signal", "api", "flag_file", "cpu_pressure". */
const char *suspension_cause_name(enum suspension_cause cause);

/* The names of what holds, "flag_file, cpu_pressure"; "" when nothing does. Returns `out`. */
#define SUSPENSION_NAMES_SIZE 64
const char *suspension_names(const struct suspension *s, char out[static SUSPENSION_NAMES_SIZE]);
