/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the pipeline's own files share and nobody else sees. pipeline.c carries flights to their
 * end, pipeline_queue.c gives them their turn, pipeline_purpose.c knows what they are for, pipeline_record.c and pipeline_log.c say what came of them.
 */

#include "daemon/capture/capture.h"
#include "daemon/capture/pipeline.h"
#include "daemon/capture/turns.h"

enum flight_state {
    FLIGHT_WAITING,    /* for its turn */
    FLIGHT_ROOM,       /* the spool makes room */
    FLIGHT_CAPTURING,  /* the trace streams */
    FLIGHT_LOOKING_UP, /* the trace is there, the process that it is of is still being looked for */
    FLIGHT_PUBLISHING, /* the spool makes it durable */
};

/* Somebody who is told the end of a flight. */
struct pipeline_wish {
    struct pipeline_wish *next;
    pipeline_ended_fn fn; /* NULL: forgotten */
    void *userdata;
};

/* What a flight is for: one order, and those that joined it. */
struct purpose {
    enum reason reason;
    char *name;  /* as in an order */
    usec window; /* the longest that was asked for by itself */
    bool whole;  /* the job's window is asked for, too */
    usec due;
    struct pipeline_wish *wishes;
};

struct flight {
    struct pipeline *pipeline;
    struct flight *prev, *next; /* in one of `waiting`, in `parked` or in `flying` */
    enum turn turn;             /* as which it waits, or was given its place */
    enum flight_state state;
    struct target *target;
    struct lane *lane; /* of the target */
    bool parked;       /* it waits for another lane of its target, without a turn */
    struct purpose purpose;
    bool again; /* what was asked for meanwhile and needs a capture of its own: */
    struct purpose after;
    usec since; /* boot time since which it waits for its turn, then since its turn */
    struct spool_file *file;
    uint64_t room; /* asked for */
    struct capture *capture;
    struct capture_result result;
    usec start;  /* real time of the request; 0: none was sent */
    usec sent;   /* the same in boot time */
    usec window; /* of the request */
    struct disk_job look_up;
    bool looking_up;
    struct target_job *job; /* the settings as they were at the request */
    struct peer_hint hint;
    uint16_t port;
    uint32_t pid;
};

struct flight_list {
    struct flight *first, *last;
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
    struct flight_list waiting[TURNS], parked, flying;
    struct turns turns;        /* the same in numbers */
    sd_event_source *wake;     /* starts what waits, outside of whatever call made a place free */
    unsigned storage_failures; /* captures in a row that the disk failed; said in the log once */
    bool crowded;              /* said in the log: captures wait longer than an interval */
    const struct flight *stalled; /* said in the log: this one does not end; or NULL */
    bool drained;
};

/* pipeline_queue.c: adds it to those that wait for a place. */
void queue_add(struct flight *f);

/* It waits, and somebody else wants it now. */
void queue_raise(struct flight *f);

/* Who is next and has a place; NULL: nobody. It stays where it is until queue_take. */
struct flight *queue_next(struct pipeline *p);
void queue_take(struct flight *f);

/* Out of the queue or out of its place. */
void queue_leave(struct flight *f);

/* Another lane of its target is under way: it waits aside, and costs nobody a turn. */
bool queue_must_park(const struct flight *f);
void queue_park(struct flight *f);

/* The target is free again: what was parked for it waits for a turn. */
void queue_unpark(struct pipeline *p, const struct target *t);

/*
 * pipeline_purpose.c: lays an order over a purpose. The first that was not the schedule's gives it
 * its name; a capture is as long as the longest that was asked for. *ret as of pipeline_capture. 0,
 * or -ENOMEM, and nothing changed.
 */
int purpose_join(struct purpose *u, const struct pipeline_order *order, struct pipeline_wish **ret);

/* How long its capture will be. */
usec purpose_window(const struct purpose *u, const struct target_job *job);

/* Tells the end to all who wished so. */
void purpose_tell(const struct purpose *u, const struct pipeline_end *end);
void purpose_done(struct purpose *u);

/* pipeline_log.c: the target's state, the disk's, and what people are told of both. */
void pipeline_report(struct pipeline *p, struct flight *f, const char *key);

/* The target is due again, and the capture that was due before has not ended: said once for all
 * when it is an interval late, and once when that is over. */
void pipeline_report_late(struct pipeline *p, const struct flight *f);
void pipeline_report_in_time(struct pipeline *p, const struct flight *ended);

/* pipeline_record.c: what is told of it beside the file, as JSON to be freed. NULL when memory is
 * short. */
char *pipeline_record(const struct flight *f, const struct name *name);

/* "waiting": a word for people and programs. */
const char *pipeline_state_name(enum flight_state state);
