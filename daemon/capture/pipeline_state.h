/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Shared by the pipeline's own files only. pipeline_order.c takes orders, pipeline.c takes capture
 * jobs through their states, pipeline_queue.c gives them their turn, pipeline_purpose.c combines the
 * orders that they are for, pipeline_pair.c takes a CPU profile beside a trace, pipeline_look.c looks up the process and what the host knows of it, pipeline_record.c writes the
 * record, pipeline_log.c the log.
 */

#include "daemon/capture/capture.h"
#include "daemon/capture/pipeline.h"
#include "daemon/capture/turns.h"
#include "daemon/context/readings.h"

enum capture_job_state {
    CAPTURE_JOB_WAITING,    /* for its turn */
    CAPTURE_JOB_ROOM,       /* the spool makes room */
    CAPTURE_JOB_LEAD,       /* the CPU profile beside it begins first */
    CAPTURE_JOB_CAPTURING,  /* the trace streams */
    CAPTURE_JOB_LOOKING_UP, /* the transfer has ended, the process look-up may go on */
    CAPTURE_JOB_PUBLISHING, /* the spool makes it durable */
};

/* Waits to be told the end of a capture job. */
struct pipeline_waiter {
    struct pipeline_waiter *next;
    pipeline_ended_fn fn; /* NULL: forgotten */
    void *userdata;
};

/* The purpose of a capture job: one order, combined with those that joined it. */
struct purpose {
    enum reason reason;
    char *name;   /* as in an order */
    usec window;  /* the longest window that an order named; 0: none */
    bool whole;   /* some order wants the job's window */
    bool samples; /* some order wants CPU samples */
    usec due;
    struct incident_tag *incident; /* of the incident that it belongs to; NULL: none */
    struct pipeline_waiter *waiters;
};

/* What is looked up beside the transfer. */
struct look {
    struct disk_job job;
    void (*fn)(struct capture_job *c);
    bool begun, busy;
    bool ended;                /* there is, or will be, no other reading */
    uint32_t peer;             /* of a unix socket; 0: unknown */
    uint16_t port;             /* of this machine; 0: none */
    struct peer_hint hint;     /* who listens on it */
    uint32_t pid;              /* the result; 0: unknown */
    struct readings *readings; /* NULL: none */
};

struct pair_steps;

/* The CPU profile beside a trace. */
struct pair {
    struct capture_job *profile;    /* of a trace: under way; NULL: none, or it has ended */
    struct capture_job *trace;      /* of a profile: the trace that waits for it; NULL: none */
    const struct pair_steps *steps; /* of a trace */
    sd_event_source *timer;         /* of a trace: the profile's lead is over; or NULL */
    bool begun;                     /* of a trace: `samples` say what came of it */
    struct pipeline_samples samples;
    char text[CAPTURE_TEXT_MAX]; /* its texts */
    char key[NAME_KEY_MAX];
};

struct capture_job {
    struct pipeline *pipeline;
    struct capture_job *prev, *next; /* in a list of `waiting`, in `parked` or in `flying` */
    enum turn turn;                  /* the class in which it waits or was given its place */
    enum capture_job_state state;
    struct target *target;
    struct lane *lane; /* of the target */
    bool parked;       /* it waits, outside of the queue, for another lane of its target */
    usec unparked;     /* boot time when that ended; 0: it never did */
    struct purpose purpose;
    bool again; /* orders came meanwhile that need another capture: `after` */
    struct purpose after;
    usec since; /* boot time when it began to wait; then when it got its turn */
    struct spool_file *file;
    uint64_t room; /* bytes reserved or requested */
    struct capture *capture;
    struct capture_result result;
    usec start;             /* real time of the request; 0: none was sent */
    usec sent;              /* the same in boot time */
    usec window;            /* of the request */
    struct target_job *job; /* the settings at the time of the request */
    struct look look;
    struct pair pair;
};

struct capture_job_list {
    struct capture_job *first, *last;
    unsigned n;
};

struct pipeline {
    sd_event *event;
    struct http *http;
    struct disk *disk;
    struct spool *spool;
    struct meters *meters;
    pipeline_ended_fn fn;
    void *userdata;
    bool once;
    unsigned max;
    struct capture_job_list waiting[TURNS], parked, flying;
    struct turns turns;        /* counts of `waiting` and `flying` */
    sd_event_source *wake;     /* starts waiting jobs from the event loop, not inside a call */
    unsigned storage_failures; /* captures in a row that failed because of the disk; logged once */
    bool crowded;              /* it was logged that captures wait longer than an interval */
    const struct capture_job *stalled; /* it was logged that this one does not end; or NULL */
    bool drained;
};

/* What pipeline_pair.c has pipeline.c do. The job may have ended, and be gone, when one returns. */
struct pair_steps {
    void (*start)(struct capture_job *c);   /* it has a place: reserves room, and goes on */
    void (*send)(struct capture_job *c);    /* there is room: sends the request */
    void (*advance)(struct capture_job *c); /* something has ended that the job waited for */
};

/* pipeline_pair.c: whether a trace that is about to be sent wants CPU samples. If so, its CPU profile
 * is begun, and the trace is sent when that has its lead, or has failed. `steps` is static. */
bool pair_begin(struct capture_job *trace, const struct pair_steps *steps);

/* For any job: its request is about to be sent; its transfer has ended; it has ended, `key` as in
 * struct pipeline_end. */
void pair_connected(struct capture_job *c);
void pair_captured(struct capture_job *c);
void pair_ended(struct capture_job *c, const char *key);

void pair_done(struct capture_job *c);

/* pipeline_queue.c: adds the job to those that wait for a place. */
void queue_add(struct capture_job *c);

/* Moves a waiting job ahead if somebody waits for it now. */
void queue_raise(struct capture_job *c);

/* Starts waiting jobs soon, from the event loop. */
void queue_wake(struct pipeline *p);

/* The next job that may have a place; NULL: none. It stays in the queue until queue_take. */
struct capture_job *queue_next(struct pipeline *p);
void queue_take(struct capture_job *c);

/* Gives a waiting job a place at once, also beyond the most. */
void queue_pull(struct capture_job *c);

/* Removes the job from the queue, or frees its place. */
void queue_leave(struct capture_job *c);

/* Whether another lane of its target is under way. If so, queue_park makes it wait outside of the
 * queue, where it takes no turn. */
bool queue_must_park(const struct capture_job *c);
void queue_park(struct capture_job *c);

/* The target is free again: its parked jobs go back into the queue. */
void queue_unpark(struct pipeline *p, const struct target *t);

/*
 * pipeline_purpose.c: adds an order to a purpose. The first order that is not scheduled gives it
 * reason, name and due time; the longest window counts. *ret as in pipeline_capture. 0, or -ENOMEM
 * and nothing changed.
 */
int purpose_join(struct purpose *u, const struct pipeline_order *order,
                 struct pipeline_waiter **ret);

/* The window of its capture. */
usec purpose_window(const struct purpose *u, const struct target_job *job);

/* Calls the fn of each order with the end. */
void purpose_tell(const struct purpose *u, const struct pipeline_end *end);
void purpose_done(struct purpose *u);

/*
 * pipeline_look.c: begins to look, as the request is about to be sent. `peer`: the process at the
 * other end of a unix socket, or 0. fn is called on the loop whenever something that was under way
 * has ended.
 */
void look_begin(struct capture_job *c, uint32_t peer, void (*fn)(struct capture_job *c));

/* The transfer has ended: looks once more, if that makes sense. Whether something is under way. */
bool look_end(struct capture_job *c);

/* What the host knew meanwhile; false: nothing. */
bool look_context(const struct capture_job *c, struct context *ret);
void look_done(struct capture_job *c);

/* pipeline_log.c: what came of the CPU samples of a trace; NULL: none were wanted. */
const struct pipeline_samples *pipeline_samples(const struct capture_job *c);

/* Updates the state of the lane and of the disk, and logs changes. */
void pipeline_report(struct pipeline *p, struct capture_job *c, const char *key);

/* A lane is due while its last capture has not ended. Logged once for all when it is an interval
 * late, and once when that is over. */
void pipeline_report_late(struct pipeline *p, const struct capture_job *late);
void pipeline_report_in_time(struct pipeline *p, const struct capture_job *ended);

/* pipeline_record.c: the capture's record as JSON text, to be freed. NULL when memory is short. */
char *pipeline_record(const struct capture_job *c, const struct name *name);

/* The state as a word for people and programs: "waiting". */
const char *pipeline_state_name(enum capture_job_state state);
