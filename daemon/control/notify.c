/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "base/cleanup.h"

int notify_watchdog(sd_event *event)
{
    int r = sd_event_set_watchdog(event, 1);

    return r < 0 ? r : 0;
}

void notify_ready(void)
{
    (void)sd_notify(0, "READY=1");
}

/* Type=notify-reload requires MONOTONIC_USEC; Type=notify ignores it. */
void notify_reloading(void)
{
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)clock_monotonic());
}

void notify_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1");
}

void notify_status(const char *fmt, ...)
{
    _cleanup_free_ char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        text = NULL;
        return;
    }
    (void)sd_notifyf(0, "STATUS=%s", text);
}
