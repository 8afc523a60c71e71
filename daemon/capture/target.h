/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A target: a job's settings, an address and labels. It keeps its lanes and their state across
 * reloads, for as long as it is configured. A target that is no longer configured lives on until
 * its capture in flight has ended.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "daemon/capture/lane.h"
#include "daemon/capture/peer.h"
#include "lib/config/config.h"

/* A job's settings that captures need; shared by its targets, with a reference count. */
struct target_job {
    unsigned refs;
    char *name;
    bool https;
    char *path;                  /* of traces */
    char *query;                 /* of all requests, escaped; NULL: none. It is not shown */
    char *paths[KINDS];          /* of each kind; NULL: its path is not known */
    unsigned artifacts;          /* those captured by schedule: a bit for each kind */
    unsigned incident_artifacts; /* those that an incident takes: a bit for each kind */
    unsigned own_paths;          /* those whose path `artifacts` gives: a bit for each kind */
    unsigned snapshots;    /* those that are asked for without a window: a bit for each kind */
    usec intervals[KINDS]; /* of each kind */
    bool cpu_samples;      /* incidents take a CPU profile beside the trace */
    usec window, timeout;
    uint64_t body_size_limit;
    struct flight_config flight; /* requests borrow from it */
    struct access access;        /* requests borrow from it */
    char *pid_file;
};

struct target {
    unsigned refs;
    bool gone; /* not configured any more */
    bool marked;
    struct target_job *job;
    char *address; /* as configured */
    char *url;     /* of its traces, without `seconds`; holds no secrets */
    char *shown;   /* for logs and records: the URL, or unix:/path followed by the URL's path */
    char *unix_path;
    char *service;       /* of the key: the label `service`, or the job's name */
    char *host;          /* of the key */
    uint16_t local_port; /* the port, if it is one of this machine, to find the pid; else 0 */
    struct label *labels;
    size_t n_labels;
    struct peer_hint peer;
    bool counted_failing;      /* it is included in the daemon's count of failing targets */
    struct incident *incident; /* under way; NULL: none. Owned by incident.h */
    struct lane *lanes;        /* in the order of the artifact table; unwanted ones stay */
};

struct target *target_ref(struct target *t);
void target_unref(struct target *t);

/* A new target, to be filled by target_fill. One reference; NULL when memory is short. */
struct target *target_new(const char *address);

/*
 * Sets all that follows from job, address and labels; takes a reference to the job. `own_host`
 * names this machine; `shared`: the job has another target on the same host. 0, or -ENOMEM and the
 * target is unchanged.
 */
int target_fill(struct target *t, struct target_job *job, const struct target_config *from,
                const char *own_host, bool shared);

/* The target's first wanted lane, whose state stands for the target's; its first lane if none is
 * wanted; NULL before it is filled. */
struct lane *target_primary(const struct target *t);

/* The target's lane of this artifact; NULL if it has none. */
struct lane *target_lane(const struct target *t, const struct artifact *artifact);

/*
 * Like target_lane, but makes the lane if there is none: for captures on demand. 0, -ENOMEM, or
 * -ENOENT if the artifact's path is not known.
 */
int target_add_lane(struct target *t, const struct artifact *artifact, struct lane **ret);

/*
 * Whether the lane fails. What the service does not have is no failure of the lane, unless the
 * target has nothing at all of what its job takes by schedule.
 */
bool target_lane_fails(const struct lane *l);

/* The URL that this lane requests, in the form for logs and records. */
const char *target_shown(const struct lane *l);

/* The URL of another path of the target, which begins with '/'; and its form for logs. The caller
 * frees them. NULL when memory is short. */
char *target_url(const struct target *t, const char *path);
char *target_shown_at(const struct target *t, const char *path);

/* The interval at which the lane's artifact is captured. */
usec target_interval(const struct lane *l);

/* The window to request of the job's artifact if `wanted` is wanted; 0: none, it is a snapshot. */
usec target_window(const struct target_job *job, const struct artifact *artifact, usec wanted);

/* The URL to request, with this window (0: without one); the caller frees it. The job must have the artifact's path.
 * NULL when memory is short. */
char *target_request(const struct lane *l, usec window);

/* Copies a job's settings that captures need; one reference. What a target says otherwise goes
 * first (`to`, or NULL). NULL when memory is short. */
struct target_job *target_job_new(const struct job_config *from, const struct target_config *to);

/* Whether the target says anything otherwise than its job, and whether these settings, made from its
 * job, are what it says. */
bool target_job_differs(const struct target_config *to);
bool target_job_suits(const struct target_job *j, const struct job_config *from,
                      const struct target_config *to);
struct target_job *target_job_ref(struct target_job *j);
void target_job_unref(struct target_job *j);
