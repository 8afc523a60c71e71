/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What systemd is told: sd_notify(3). Without systemd all of it does nothing.
 */

#include <systemd/sd-event.h>

#include "base/clock.h"

/* Lets the event loop feed the watchdog, if there is one. 0 or a negative errno. */
int notify_watchdog(sd_event *event);

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

/* The line that `systemctl status` shows. */
void notify_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
