/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One artifact of one target: when it is due, what is under way, and its last result. The target
 * owns its lanes and knows the address to ask; a lane keeps its state for as long as the target
 * lives.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "daemon/artifact/artifact.h"
#include "daemon/capture/schedule.h"
#include "daemon/outcome/outcome.h"

/* Why an artifact is captured, as records call it. */
enum reason {
    REASON_SCHEDULE,
    REASON_SIGNAL,
    REASON_API,     /* somebody asked over HTTP */
    REASON_ALERT,   /* an alert asked; its name is added */
    REASON_TRIGGER, /* a configured rule asked; its name is added */
};

/* "schedule", "signal", … */
const char *reason_name(enum reason reason);

/* The last results of a lane. Times are real time; 0: none yet. */
struct lane_last {
    usec tried;           /* time of the last request that has ended */
    enum outcome outcome; /* of that request */
    char *text;           /* its message for people; NULL: nothing to say */
    usec captured;        /* time of the request whose capture was kept last */
    char *key;
    uint64_t bytes;
    char *label;    /* of the capture kept last; NULL: not known, or not yet */
    double latency; /* 99th percentile of its scheduler latency, in nanoseconds; < 0: not known */
    double covered; /* the share of the trace that label and latency rest on; < 0: not known */
};

/* Samples of a process, one after the other, each with more goroutines than the one before. */
struct lane_growth {
    uint32_t pid;
    unsigned samples;
    usec first_time; /* of the captures, boot time */
    usec last_time;
    uint64_t first; /* goroutines at the end of the first sample, */
    uint64_t last;  /* and of the last */
    uint64_t site;  /* a hash of the `go` statement that was ahead in all of them; 0: unknown */
};

struct lane {
    struct target *target; /* it belongs to this one */
    const struct artifact *artifact;
    struct lane *next; /* of the same target, in the order of the artifact table */
    bool wanted;       /* the target's job asks for it by schedule */
    bool scheduled;    /* the timetable knows it */
    char *shown;       /* like the target's, if its path is another; else NULL */
    struct schedule schedule;
    usec due;               /* boot time of the next capture; owned by the agenda */
    size_t agenda_index;    /* 1-based place in the agenda's heap; 0: not in it */
    enum reason due_reason; /* a retry keeps the reason of the failed try */
    char *due_name;         /* the reason's name, as in an order; or NULL */
    bool retrying;          /* `due` is the time of a retry, not of the schedule */
    usec last_start;        /* boot time of the last request; 0: none yet */
    usec last_took;         /* how long that request was under way */
    bool backing_off;       /* `due` is later than by the schedule alone */
    unsigned attempts;      /* retries of OUTCOME_RETRY_DOWN since the last published capture */
    unsigned failures;      /* in a row, for the log */
    usec patient_since;     /* boot time since when all tries were outcome_patient(); 0: not so */
    unsigned patient_tries; /* since then */
    enum outcome state; /* outcome of the last capture that tells something; OUTCOME_OK at first */
    bool told;          /* there was such a capture */
    struct lane_last last;
    struct lane_growth growth;
    struct capture_job *capture_job; /* under way or waiting for its turn; owned by the pipeline */
};

/* A new lane without results, not scheduled. NULL when memory is short. */
struct lane *lane_new(struct target *target, const struct artifact *artifact);
void lane_free(struct lane *l);
