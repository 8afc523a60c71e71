/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Messages to systemd: sd_notify(3). Without systemd these functions do nothing.
 */

#include <systemd/sd-event.h>

#include "base/clock.h"

/* Has the event loop feed systemd's watchdog, if that is enabled. 0 or a negative errno. */
int notify_watchdog(sd_event *event);

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

/* Sets the line that `systemctl status` shows. */
void notify_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
