/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who is captured. A target is a job's settings, an address and labels; it keeps its lanes and
 * their state for as long as it is configured, across reloads. A target that is no longer configured
 * lives on until its capture in flight has ended.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "daemon/capture/lane.h"
#include "daemon/capture/peer.h"
#include "lib/config/config.h"

/* A job's settings as captures use them, shared by its targets and counted. */
struct target_job {
    unsigned refs;
    char *name;
    bool https;
    char *path;         /* of traces */
    char *paths[KINDS]; /* of each kind; NULL: it is not known where that is asked for */
    unsigned artifacts; /* that are captured by schedule: a bit for each kind */
    usec interval, window, timeout;
    uint64_t body_size_limit;
    struct access access; /* requests borrow of it */
    char *pid_file;
};

struct target {
    unsigned refs;
    bool gone; /* not configured any more */
    bool marked;
    struct target_job *job;
    char *address; /* as configured */
    char *url;     /* of its traces, but for `seconds`; holds no secrets */
    char *shown;   /* for logs and records: the URL, or unix:/path followed by the URL's path */
    char *unix_path;
    char *service;       /* of the key: the label `service`, or the job's name */
    char *host;          /* of the key */
    uint16_t local_port; /* where this machine's TCP port is captured, for the pid; else 0 */
    struct label *labels;
    size_t n_labels;
    struct peer_hint peer;
    bool counted_failing; /* the daemon's count of failing targets has it */
    struct lane *lanes;   /* in the order of the artifacts; one that is not wanted any more stays */
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

/* Its first lane that is wanted, whose state is the target's; NULL before it is filled. */
struct lane *target_primary(const struct target *t);

/* The lane of this artifact; NULL: it has none. */
struct lane *target_lane(const struct target *t, const struct artifact *artifact);

/*
 * The same, and if there is none it is made: for captures on demand. 0, -ENOMEM, or -ENOENT: it is
 * not known where the target would be asked for it.
 */
int target_add_lane(struct target *t, const struct artifact *artifact, struct lane **ret);

/* For logs and records: what of it is asked for by this lane. */
const char *target_shown(const struct lane *l);

/* The URL of what is asked for over so long, to be freed by the caller. NULL when memory is short. */
char *target_request(const struct lane *l, usec window);

/* A copy of what captures need of a job; one reference. NULL when memory is short. */
struct target_job *target_job_new(const struct job_config *from);
struct target_job *target_job_ref(struct target_job *j);
void target_job_unref(struct target_job *j);
