/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * SIGINT and SIGTERM on the event loop: a command cleans up first, and then ends by the signal, as
 * its shell expects.
 */

#include <systemd/sd-event.h>

struct interrupt {
    sd_event_source *on_int, *on_term;
    int number; /* the signal that came; 0: none yet */
};

/* 0 or a negative errno. interrupt_close must be called in any case. */
int interrupt_open(struct interrupt *i, sd_event *event);

/* Runs the loop once. 0; -EINTR when a signal asked to stop; else a negative errno after a
 * message. */
int interrupt_wait(struct interrupt *i, sd_event *event);

/* The last thing that a command does: ends the process by the signal, if one came. */
void interrupt_close(struct interrupt *i);
