/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Has traces looked at by `contrace summary` in a child process (child.h), one at a time, the newest
 * first. It knows traces by their keys and opens none itself. Whatever a trace does to the child, the
 * answer is one of the ends of inspection.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "daemon/label/digest.h"
#include "daemon/outcome/inspection.h"

#define INSPECTOR_QUEUE_MAX 1000 /* what waits beyond it is the oldest, and given up */
#define INSPECTOR_WHY_SIZE 48
#define INSPECTOR_TEXT_SIZE 256

struct inspection {
    enum inspection_end end;
    struct digest digest;           /* INSPECTION_OK, _PARTIAL and _TOO_SHORT */
    char why[INSPECTOR_WHY_SIZE];   /* otherwise, for the record: "timeout", "signal SIGSEGV" */
    char text[INSPECTOR_TEXT_SIZE]; /* more about it for the log, of any bytes; may be empty */
    usec took;
};

struct inspector;

struct inspector_handlers {
    int (*open)(void *userdata, const char *key); /* a descriptor that is taken, or an errno */
    /*
     * Each key that was added comes here once; from the event loop, or, for one that is given up,
     * from inside the call that made it so. Both arguments are valid during the call.
     */
    void (*finished)(void *userdata, const char *key, const struct inspection *result);
};

struct inspector_settings {
    const char *command; /* a path; borrowed during the call */
    usec timeout;
    uint64_t memory; /* bytes, beside what the child maps of the trace */
};

/* SIGCHLD must be blocked in all threads. 0 or a negative errno. */
int inspector_new(sd_event *event, const struct inspector_handlers *handlers, void *userdata,
                  struct inspector **ret);

/* Kills what runs and forgets what waits: nobody is told. NULL is fine. */
void inspector_free(struct inspector *i);

/* Before the first inspector_add; afterwards it counts for those that begin later. 0 or -ENOMEM. */
int inspector_set(struct inspector *i, const struct inspector_settings *settings);

/* 0 or -ENOMEM, and then it is not told of again. */
int inspector_add(struct inspector *i, const char *key);

/* Ends what runs and gives up what waits, and from now on all that is added. */
void inspector_cut(struct inspector *i);

/* Nothing runs and nothing waits. */
bool inspector_idle(const struct inspector *i);
