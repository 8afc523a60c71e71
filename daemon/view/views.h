/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Makes views of kept traces when somebody asks for one: `contrace`, as a child in its sandbox, reads
 * the trace and writes into a file without a name. One at a time, in the order in which they were
 * asked for. It knows traces by their keys and does not read them itself; nothing is kept.
 */

#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "daemon/view/view.h"

#define VIEWS_MAX 16 /* that wait or are made */

/* A view is never longer than its trace and so much more. */
#define VIEWS_SPARE ((uint64_t)4 << 20)

struct views;
struct views_job;

enum views_end {
    VIEWS_OK,
    VIEWS_UNREADABLE,  /* no trace, or one that is damaged from the start */
    VIEWS_FORMAT,      /* a trace of a version that is not read */
    VIEWS_TIMEOUT,     /* it took too long, */
    VIEWS_MEMORY,      /* too much memory, */
    VIEWS_LONG,        /* or became too long */
    VIEWS_NO_ROOM,     /* no file can be made for it */
    VIEWS_CRASHED,     /* the child */
    VIEWS_UNAVAILABLE, /* the child cannot be run, or knows no such view */
    VIEWS_CUT,         /* contraced is stopping */
    VIEWS_ENDS,
};

struct views_result {
    enum views_end end;
    int fd;           /* of VIEWS_OK: what was made, now the caller's; else -1 */
    uint64_t size;    /* of it, in bytes */
    const char *text; /* else more about why, arbitrary bytes; may be "" */
};

/* In words, for whoever asked. */
const char *views_end_text(enum views_end end);

/* Called once, from the event loop, unless the job was forgotten. */
typedef void (*views_done_fn)(void *userdata, const struct views_result *result);

struct views_handlers {
    /* A descriptor, now the view's, or a negative errno: of a trace; of a file without a name. */
    int (*open)(void *userdata, const char *key);
    int (*scratch)(void *userdata);
};

/* SIGCHLD must be blocked in all threads. The handlers are borrowed. 0 or a negative errno. */
int views_new(sd_event *event, const struct views_handlers *handlers, void *userdata,
              struct views **ret);

/* Forgets all jobs, without a word. NULL is fine. */
void views_free(struct views *v);

struct views_settings {
    const char *command; /* a path; borrowed during the call */
    usec timeout;
    uint64_t memory; /* bytes that the child may use, besides its mapping of the trace */
};

/* To be called before the first views_make. 0 or -ENOMEM. */
int views_set(struct views *v, const struct views_settings *settings);

/*
 * Makes a view of a kept trace. 0; -ENOENT: no such trace is kept; -EBUSY: too many wait; -ESHUTDOWN
 * after views_cut; -ENOMEM; or another negative errno if the trace cannot be opened.
 */
int views_make(struct views *v, const char *key, const struct view *view, views_done_fn fn,
               void *userdata, struct views_job **ret);

/* Nobody waits for it any more. Its child is killed, if it runs. */
void views_forget(struct views_job *job);

/* Ends all jobs, with VIEWS_CUT. From now on none is made. */
void views_cut(struct views *v);
