/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Inspects traces with `contrace summary` in a child process (child.h), one at a time, the newest
 * first. It knows traces by their keys and does not open them itself. Whatever a trace does to the
 * child, the result is one of the ends of inspection.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "daemon/label/digest.h"
#include "daemon/outcome/inspection.h"

#define INSPECTOR_QUEUE_MAX 1000 /* if more wait, the oldest is given up */
#define INSPECTOR_WHY_SIZE 48
#define INSPECTOR_TEXT_SIZE 256

struct inspection {
    enum inspection_end end;
    struct digest digest;           /* for INSPECTION_OK, _PARTIAL and _TOO_SHORT */
    char why[INSPECTOR_WHY_SIZE];   /* unless OK, for the record: "timeout", "signal SIGSEGV" */
    char text[INSPECTOR_TEXT_SIZE]; /* details for the log, arbitrary bytes; may be empty */
    usec took;
};

struct inspector;

struct inspector_handlers {
    int (*open)(void *userdata, const char *key); /* a descriptor, now the inspector's, or -errno */
    /*
     * Called once for each key that was added: from the event loop, or, if the key is given up,
     * from inside the call that causes that. Both arguments are valid during the call. The digest
     * may be changed in it; it is released afterwards.
     */
    void (*finished)(void *userdata, const char *key, struct inspection *result);
};

struct inspector_settings {
    const char *command; /* a path; borrowed during the call */
    usec timeout;
    uint64_t memory; /* bytes that the child may use, besides its mapping of the trace */
};

/* SIGCHLD must be blocked in all threads. 0 or a negative errno. */
int inspector_new(sd_event *event, const struct inspector_handlers *handlers, void *userdata,
                  struct inspector **ret);

/* Kills the child and drops the keys that wait; finished() is not called. NULL is fine. */
void inspector_free(struct inspector *i);

/* To be called before the first inspector_add. A later call applies to inspections that begin after
 * it. 0 or -ENOMEM. */
int inspector_set(struct inspector *i, const struct inspector_settings *settings);

/*
 * Queues a trace. `context`: what the host knew meanwhile, as JSON (lib/record/context.h) that the
 * child is given; NULL: nothing. Both are copied. 0, or -ENOMEM; then finished() is not called for
 * it.
 */
int inspector_add(struct inspector *i, const char *key, const char *context);

/* Ends the running inspection and gives up all that wait; from now on, gives up every key at
 * once. */
void inspector_cut(struct inspector *i);

/* No inspection runs or waits. */
bool inspector_idle(const struct inspector *i);
