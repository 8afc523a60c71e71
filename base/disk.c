/* SPDX-License-Identifier: Apache-2.0 */
#include "base/disk.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"

#define STACK_SIZE ((size_t)128 << 10) /* jobs need little stack: they hold a few paths */

struct queue {
    struct disk_job *first, *last;
};

struct disk {
    sd_event_source *source;
    int event_fd;
    pthread_t threads[DISK_THREADS];
    unsigned n_threads;

    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t work;   /* signalled when a job was added or stop was set */
    pthread_cond_t ended;  /* a job has ended */
    struct queue todo, ready;
    unsigned running;
    bool stop;
};

static void queue_push(struct queue *q, struct disk_job *job)
{
    job->next = NULL;
    if (q->last)
        q->last->next = job;
    else
        q->first = job;
    q->last = job;
}

static struct disk_job *queue_pop(struct queue *q)
{
    struct disk_job *job = q->first;

    if (job) {
        q->first = job->next;
        if (!q->first)
            q->last = NULL;
    }
    return job;
}

static void *thread_main(void *userdata)
{
    struct disk *d = userdata;
    struct disk_job *job;

    (void)pthread_mutex_lock(&d->mutex);
    for (;;) {
        while (!(job = queue_pop(&d->todo)) && !d->stop)
            (void)pthread_cond_wait(&d->work, &d->mutex);
        if (!job)
            break;
        d->running++;
        (void)pthread_mutex_unlock(&d->mutex);
        job->result = job->run(job);
        (void)pthread_mutex_lock(&d->mutex);
        d->running--;
        queue_push(&d->ready, job);
        (void)pthread_cond_signal(&d->ended);
        (void)eventfd_write(d->event_fd, 1); /* fails only if 2^64 - 2 reports were unread */
    }
    (void)pthread_mutex_unlock(&d->mutex);
    return NULL;
}

/* Delivers every job that has ended. Its done() may submit another. */
static void deliver(struct disk *d)
{
    struct queue ready;
    struct disk_job *job;

    (void)pthread_mutex_lock(&d->mutex);
    ready = d->ready;
    d->ready = (struct queue){0};
    (void)pthread_mutex_unlock(&d->mutex);
    while ((job = queue_pop(&ready)))
        job->done(job, job->result);
}

static int on_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    eventfd_t count;

    (void)source;
    (void)revents;
    (void)eventfd_read(fd, &count);
    deliver(userdata);
    return 0;
}

/* The loop reads signals from a signalfd. A thread that took one would keep it from the loop. */
static int start_threads(struct disk *d)
{
    pthread_attr_t attr;
    sigset_t all, before;
    int r;

    r = pthread_attr_init(&attr);
    if (r != 0)
        return -r;
    (void)pthread_attr_setstacksize(&attr, STACK_SIZE);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; r == 0 && d->n_threads < DISK_THREADS; d->n_threads += r == 0)
        r = pthread_create(&d->threads[d->n_threads], &attr, thread_main, d);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return -r;
}

int disk_new(sd_event *event, struct disk **ret)
{
    struct disk *d = calloc(1, sizeof(*d));
    int r;

    if (!d)
        return -ENOMEM;
    (void)pthread_mutex_init(&d->mutex, NULL);
    (void)pthread_cond_init(&d->work, NULL);
    (void)pthread_cond_init(&d->ended, NULL);
    d->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r = d->event_fd < 0 ? -errno : 0;
    if (r >= 0)
        r = sd_event_add_io(event, &d->source, d->event_fd, EPOLLIN, on_ready, d);
    if (r >= 0)
        r = start_threads(d);
    if (r < 0) {
        disk_free(d);
        return r;
    }
    *ret = d;
    return 0;
}

/* Runs until nothing is queued, running or undelivered. done() may submit another. */
static void drain(struct disk *d)
{
    bool more;

    do {
        (void)pthread_mutex_lock(&d->mutex);
        while (!d->ready.first && (d->todo.first || d->running > 0))
            (void)pthread_cond_wait(&d->ended, &d->mutex);
        more = d->ready.first != NULL;
        (void)pthread_mutex_unlock(&d->mutex);
        deliver(d);
    } while (more);
}

void disk_free(struct disk *d)
{
    if (!d)
        return;
    if (d->n_threads > 0)
        drain(d);
    (void)pthread_mutex_lock(&d->mutex);
    d->stop = true;
    (void)pthread_cond_broadcast(&d->work);
    (void)pthread_mutex_unlock(&d->mutex);
    for (unsigned i = 0; i < d->n_threads; i++)
        (void)pthread_join(d->threads[i], NULL);
    (void)sd_event_source_disable_unref(d->source);
    (void)close_fd(d->event_fd);
    (void)pthread_cond_destroy(&d->ended);
    (void)pthread_cond_destroy(&d->work);
    (void)pthread_mutex_destroy(&d->mutex);
    free(d);
}

void disk_submit(struct disk *d, struct disk_job *job)
{
    assert(job->run && job->done);
    (void)pthread_mutex_lock(&d->mutex);
    queue_push(&d->todo, job);
    (void)pthread_cond_signal(&d->work);
    (void)pthread_mutex_unlock(&d->mutex);
}
