/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One artifact of one target: when it is due, what is under way, and what came of it last. The
 * target owns its lanes and says where they ask; a lane keeps its state for as long as the target
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
    REASON_ALERT,   /* an alert did; its name follows */
    REASON_TRIGGER, /* a rule of ours did; its name follows */
};

/* "schedule", "signal", … */
const char *reason_name(enum reason reason);

/* What is known of the captures of a lane so far. Times are real time; 0: none yet. */
struct lane_last {
    usec tried;           /* the last request that has ended */
    enum outcome outcome; /* what came of it */
    char *text;           /* the same for people; NULL when there is nothing to say */
    usec captured;        /* the request of the last one that was kept */
    char *key;
    uint64_t bytes;
    char *label;    /* of that one; NULL: not known, or not yet */
    double latency; /* nanoseconds: the 99th percentile of its scheduler latency; < 0: not known */
    double covered; /* the share of that trace that both rest on; < 0: not known */
};

struct lane {
    struct target *target; /* it belongs to this one */
    const struct artifact *artifact;
    struct lane *next; /* of the same target, in the order of the artifacts */
    bool wanted;       /* the target's job asks for it by schedule */
    bool scheduled;    /* the timetable was told so */
    char *shown;       /* as the target's, where another path is asked for; else NULL */
    struct schedule schedule;
    usec due;               /* boot time of the next capture; owned by the agenda */
    size_t agenda_index;    /* 1-based place in the agenda's heap; 0: not in it */
    enum reason due_reason; /* a retry of what a signal asked for is not a scheduled capture */
    char *due_name;         /* of that reason, as in an order; or NULL */
    bool retrying;          /* `due` is that of another try, not of the schedule */
    usec last_start;        /* boot time of the last request; 0: none yet */
    usec last_took;         /* how long that was under way */
    bool backing_off;       /* `due` is later than the schedule alone would have it */
    unsigned attempts;      /* failed tries since the last that was kept */
    unsigned failures;      /* in a row, for the log */
    usec patient_since;     /* boot time since which each try was outcome_patient(); 0: not so */
    unsigned patient_tries; /* since then */
    enum outcome state;     /* of the last capture that tells; OUTCOME_OK at first */
    bool told;              /* there was one */
    struct lane_last last;
    struct flight *flight; /* under way or waiting for its turn; owned by the pipeline */
};

/* A lane that nothing is known of yet. NULL when memory is short. */
struct lane *lane_new(struct target *target, const struct artifact *artifact);
void lane_free(struct lane *l);
