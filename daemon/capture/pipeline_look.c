/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Beside a transfer, on disk threads: finds the target's process, and reads what the host knows of
 * it as the window opens and when it has closed.
 */

#include <stddef.h>

#include "daemon/capture/pipeline_state.h"

static struct capture_job *capture_job_of(struct disk_job *job)
{
    return (struct capture_job *)((char *)job - offsetof(struct capture_job, look.job));
}

/* The operator's pid file takes precedence over the socket's credentials. */
static uint32_t find_pid(const struct capture_job *c, struct look *l)
{
    if (c->job->pid_file)
        return peer_of_pid_file(c->job->pid_file);
    return l->peer != 0 ? l->peer : peer_of_port(l->port, &l->hint);
}

/* Runs on a disk thread: reads only members that nobody changes meanwhile. */
static int run_first(struct disk_job *job)
{
    struct capture_job *c = capture_job_of(job);
    struct look *l = &c->look;

    l->pid = find_pid(c, l);
    if (c->lane->artifact->context)
        l->readings = readings_begin("/", l->pid);
    return 0;
}

static int run_second(struct disk_job *job)
{
    readings_end(capture_job_of(job)->look.readings);
    return 0;
}

static void on_done(struct disk_job *job, int r)
{
    struct capture_job *c = capture_job_of(job);

    (void)r;
    c->look.busy = false;
    c->target->peer = c->look.hint;
    /* The first reading came when the window was closed: a second one would show nothing of it. */
    if (c->state != CAPTURE_JOB_CAPTURING)
        c->look.ended = true;
    c->look.fn(c);
}

static void submit(struct capture_job *c, int (*run)(struct disk_job *job))
{
    c->look.busy = true;
    c->look.job = (struct disk_job){.run = run, .done = on_done};
    disk_submit(c->pipeline->disk, &c->look.job);
}

void look_begin(struct capture_job *c, uint32_t peer, void (*fn)(struct capture_job *c))
{
    struct look *l = &c->look;

    if (l->begun)
        return; /* the connection was made again */
    *l = (struct look){.begun = true,
                       .fn = fn,
                       .peer = peer,
                       .port = c->target->local_port,
                       .hint = c->target->peer};
    /* Of a target on another machine nothing is known here. */
    if (c->job->pid_file || l->port != 0 || c->target->unix_path)
        submit(c, run_first);
}

bool look_end(struct capture_job *c)
{
    struct look *l = &c->look;

    if (!l->busy && !l->ended && l->readings)
        submit(c, run_second);
    l->ended = true;
    return l->busy;
}

bool look_context(const struct capture_job *c, struct context *ret)
{
    if (!c->look.readings)
        return false;
    readings_context(c->look.readings, ret);
    return true;
}

void look_done(struct capture_job *c)
{
    readings_free(c->look.readings);
}
