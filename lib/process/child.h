/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Runs another program with one open file as its standard input. Its output is kept up to a bound,
 * and wiped at the end; or it goes into another open file, up to a bound. The child inherits no other descriptor, is confined as we are, and ends
 * when we end. A child that reads untrusted data runs at idle priority, with an empty environment
 * and with hard limits of time, memory and descriptors. A trusted one, which the administrator
 * chose, has our environment and only the limit of time.
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/buf.h"
#include "base/clock.h"

#define CHILD_OUTPUT_MAX ((size_t)256 << 10) /* bytes of what it prints */
#define CHILD_ERRORS_MAX 512                 /* bytes kept of its standard error */

struct child;

struct child_limits {
    usec timeout;    /* wall-clock time, and as much CPU time unless trusted */
    uint64_t memory; /* bytes, beside what it maps of the file; unless trusted */
    bool trusted;    /* the administrator's own program */
    int file;        /* borrowed during the call: takes its output, from this place on; 0: none */
    uint64_t bytes;  /* the end of that file; beyond it SIGXFSZ ends the child */
};

enum child_end {
    CHILD_EXITED,
    CHILD_SIGNALLED,
    CHILD_TIMEOUT,    /* killed for it */
    CHILD_ENDLESS,    /* killed for more output than CHILD_OUTPUT_MAX */
    CHILD_UNREADABLE, /* killed, because its output could not be kept: memory is short */
};

struct child_result {
    enum child_end end;
    int status; /* its exit status, or the signal */
    const struct buf *output;
    const char *errors; /* the first line of them */
};

/* Called once, on the event loop, never from inside child_start; the child is freed after it. */
typedef void (*child_done_fn)(void *userdata, const struct child_result *result);

/*
 * Runs argv[0], a path; fd is borrowed during the call. SIGCHLD must be blocked. 0, or why it could
 * not be started: -ENOENT, -EACCES, … as execve(2) says, -EMFILE, -EAGAIN, -ENOMEM.
 */
int child_start(sd_event *event, const char *const *argv, int fd, const struct child_limits *limits,
                child_done_fn fn, void *userdata, struct child **ret);

/* Kills it and the processes that it started, if it still runs, and waits for its end. fn is not
 * called. NULL is fine. */
void child_free(struct child *c);
