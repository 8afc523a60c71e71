/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whether scheduled captures are suspended, and why. Each cause begins and ends on its own; as long
 * as at least one holds, the schedule captures nothing. This module keeps which causes hold and
 * since when, and logs each change. Captures on demand go on.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "lib/config/config.h"

enum suspension_cause {
    SUSPENDED_SIGNAL,       /* SIGUSR2 */
    SUSPENDED_API,          /* POST /api/v1/suspend */
    SUSPENDED_FLAG_FILE,    /* the file suspend.flag_file exists */
    SUSPENDED_CPU_PRESSURE, /* suspend.cpu_pressure is exceeded */
    SUSPENSION_CAUSES,
};

#define SUSPENSION_TEXT_MAX 320

struct suspension;

/*
 * `changed` is called after a cause begins or ends; `suspended` tells whether any cause holds now.
 * It may be called from inside the calls below and on the event loop, and must not be NULL. 0 or a
 * negative errno.
 */
int suspension_new(sd_event *event, void (*changed)(void *userdata, bool suspended), void *userdata,
                   struct suspension **ret);
void suspension_free(struct suspension *s);

/*
 * Sets what is watched, at the start and at each reload. Checks the flag file at once, so that
 * nothing is captured at the start while it exists. Settings that did not change keep their state;
 * a cause that is no longer watched ends. 0; or a negative errno, such as -ENOMEM, and then nothing
 * changed.
 */
int suspension_set(struct suspension *s, const struct suspend_config *config);

/* For SIGUSR2: suspends, or ends the suspension if the operator has asked for one before, by signal
 * or API. */
void suspension_toggle(struct suspension *s);

/*
 * For the API. `on`: suspends, with a reason or NULL; if the API has suspended before, only the
 * reason is replaced, unless it is NULL. Off: ends what the operator asked for, by signal or API.
 */
void suspension_api(struct suspension *s, bool on, const char *reason);

/* Whether any cause holds. */
bool suspension_active(const struct suspension *s);

/*
 * Whether this cause holds. *ret_since: since when (real time). *ret_text: a text for people,
 * borrowed until the next change: the API's reason ("" without one), the file's path, or the
 * pressure. Both may be NULL, and are written only if the cause holds.
 */
bool suspension_cause(const struct suspension *s, enum suspension_cause cause, usec *ret_since,
                      const char **ret_text);

/* "signal", "api", "flag_file", "cpu_pressure". */
const char *suspension_cause_name(enum suspension_cause cause);

/* The names of the causes that hold, such as "flag_file, cpu_pressure"; "" if none does. Returns
 * `out`. */
#define SUSPENSION_NAMES_SIZE 64
const char *suspension_names(const struct suspension *s, char out[static SUSPENSION_NAMES_SIZE]);
