/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who is captured. A target is a job's settings, an address and labels; it keeps its schedule and
 * its state for as long as it is configured, across reloads. A target that is no longer configured
 * lives on until its capture in flight has ended.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "daemon/capture/peer.h"
#include "daemon/capture/schedule.h"
#include "daemon/outcome/outcome.h"
#include "lib/config/config.h"

/* Why a trace is taken, as records call it. */
enum reason {
    REASON_SCHEDULE,
    REASON_SIGNAL,
    REASON_API,     /* somebody asked over HTTP */
    REASON_ALERT,   /* an alert did; its name follows */
    REASON_TRIGGER, /* a rule of ours did; its name follows */
};

/* "schedule", "signal", … */
const char *reason_name(enum reason reason);

/* A job's settings as captures use them, shared by its targets and counted. */
struct target_job {
    unsigned refs;
    char *name;
    bool https;
    char *path;
    usec interval, window, timeout;
    uint64_t body_size_limit;
    struct access access; /* requests borrow of it */
    char *pid_file;
};

/* What is known of the captures of a target so far. Times are real time; 0: none yet. */
struct target_last {
    usec tried;           /* the last request that has ended */
    enum outcome outcome; /* what came of it */
    char *text;           /* the same for people; NULL when there is nothing to say */
    usec captured;        /* the request of the last trace that was kept */
    char *key;
    uint64_t bytes;
    char *label;    /* of that trace; NULL: not known, or not yet */
    double latency; /* nanoseconds: the 99th percentile of its scheduler latency; < 0: not known */
    double covered; /* the share of that trace that both rest on; < 0: not known */
};

struct target {
    unsigned refs;
    bool gone; /* not configured any more */
    bool marked;
    struct target_job *job;
    char *address; /* as configured */
    char *url;     /* what is requested, but for `seconds`; holds no secrets */
    char *shown;   /* for logs and records: the URL, or unix:/path followed by the URL's path */
    char *unix_path;
    char *service;       /* of the key: the label `service`, or the job's name */
    char *host;          /* of the key */
    uint16_t local_port; /* where this machine's TCP port is captured, for the pid; else 0 */
    struct label *labels;
    size_t n_labels;
    struct schedule schedule;
    struct peer_hint peer;
    usec due;               /* boot time of the next capture; owned by the agenda */
    size_t agenda_index;    /* 1-based place in the agenda's heap; 0: not in it */
    enum reason due_reason; /* a retry of what a signal asked for is not a scheduled capture */
    char *due_name;         /* of that reason, as in an order; or NULL */
    bool retrying;          /* `due` is that of another try, not of the schedule */
    usec last_start;        /* boot time of the last request; 0: none yet */
    usec last_took;         /* how long that was under way */
    bool backing_off;       /* `due` is later than the schedule alone would have it */
    unsigned attempts;      /* failed tries since the last kept trace */
    unsigned failures;      /* in a row, for the log */
    usec patient_since;     /* boot time since which each try was outcome_patient(); 0: not so */
    unsigned patient_tries; /* since then */
    bool counted_failing;   /* the daemon's count of failing targets has it */
    enum outcome state;     /* of the last capture that tells; OUTCOME_OK at first */
    bool told;              /* there was one */
    struct target_last last;
    struct flight *flight; /* being captured or waiting for its turn; owned by the pipeline */
};

struct target *target_ref(struct target *t);
void target_unref(struct target *t);

/* A target that is nobody yet: to be filled. One reference; NULL when memory is short. */
struct target *target_new(const char *address);

/*
 * Fills in what follows from job, address and labels; takes a reference to the job. `own_host`
 * names this machine; `shared`: the job has another target on the same host. 0, or -ENOMEM and the
 * target is as it was.
 */
int target_fill(struct target *t, struct target_job *job, const struct target_config *from,
                const char *own_host, bool shared);

/* The URL of a trace of so long, to be freed by the caller. NULL when memory is short. */
char *target_request(const struct target *t, usec window);

/* A copy of what captures need of a job; one reference. NULL when memory is short. */
struct target_job *target_job_new(const struct job_config *from);
struct target_job *target_job_ref(struct target_job *j);
void target_job_unref(struct target_job *j);
