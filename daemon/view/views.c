/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/view/views.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "lib/process/child.h"
#include "lib/process/sandbox.h"

#define ARGUMENTS (VIEW_OPTIONS_MAX + 4)

struct views_job {
    struct views *views;
    struct views_job *next;
    const struct view *view;
    int trace; /* open for reading; not read here */
    int file;  /* what is made; -1 until the child runs */
    views_done_fn fn;
    void *userdata;
};

struct views {
    sd_event *event;
    const struct views_handlers *handlers;
    void *userdata;
    char *command;
    struct child_limits limits;
    sd_event_source *wake;  /* begins the first job from the event loop */
    struct views_job *jobs; /* the oldest first; the child is that one's */
    struct child *child;    /* NULL: none runs */
    bool cut;
};

static const char *const texts[VIEWS_ENDS] = {
    [VIEWS_OK] = "",
    [VIEWS_UNREADABLE] = "the trace cannot be read: `contrace verify` says where it is damaged",
    [VIEWS_FORMAT] = "traces of this version of Go are not read",
    [VIEWS_TIMEOUT] = "it took too long: download the trace, or raise inspect.timeout",
    [VIEWS_MEMORY] = "it takes too much memory: download the trace, or raise inspect.max_memory",
    [VIEWS_LONG] = "it becomes longer than its trace: download the trace",
    [VIEWS_NO_ROOM] = "there is no room for it on the disk of storage.path",
    [VIEWS_CRASHED] = "the reader crashed: download the trace, and please report it",
    [VIEWS_UNAVAILABLE] = "the program of inspect.command cannot be run, or knows no such view",
    [VIEWS_CUT] = "contraced is stopping",
};

const char *views_end_text(enum views_end end)
{
    return texts[end];
}

static void wake(struct views *v)
{
    (void)sd_event_source_set_enabled(v->wake, v->jobs ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void job_free(struct views_job *job)
{
    (void)close_fd(job->trace);
    (void)close_fd(job->file);
    free(job);
}

/* Takes the job from the list; the first one's child ends. */
static void take_out(struct views_job *job)
{
    struct views *v = job->views;
    struct views_job **at = &v->jobs;

    if (*at == job && v->child)
        child_free(steal(&v->child));
    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    wake(v);
}

static void finish(struct views_job *job, enum views_end end, const char *text)
{
    struct views_result result = {.end = end, .fd = -1, .text = text};
    struct stat st;

    take_out(job);
    if (end == VIEWS_OK && fstat(job->file, &st) == 0 && st.st_size > 0) {
        result.size = (uint64_t)st.st_size;
        result.fd = steal_fd(&job->file);
    } else if (end == VIEWS_OK) {
        result.end = VIEWS_UNREADABLE;
    }
    job->fn(job->userdata, &result);
    job_free(job);
}

/* Of a trace that breaks off the child makes a view of what came before, and exits with status 1. */
static enum views_end end_of_exit(int status)
{
    switch (status) {
    case 0:
    case 1: return VIEWS_OK;
    case SANDBOX_EXIT_FORMAT: return VIEWS_FORMAT;
    case SANDBOX_EXIT_MEMORY: return VIEWS_MEMORY;
    default: return VIEWS_UNAVAILABLE;
    }
}

static enum views_end end_of_signal(int number)
{
    switch (number) {
    case SIGXCPU: return VIEWS_TIMEOUT;
    case SIGXFSZ: return VIEWS_LONG;
    case SIGKILL: return VIEWS_MEMORY; /* not from us: the kernel's OOM killer */
    default: return VIEWS_CRASHED;
    }
}

static enum views_end end_of(const struct child_result *child)
{
    switch (child->end) {
    case CHILD_EXITED: return end_of_exit(child->status);
    case CHILD_SIGNALLED: return end_of_signal(child->status);
    case CHILD_TIMEOUT: return VIEWS_TIMEOUT;
    case CHILD_ENDLESS: return VIEWS_LONG;
    case CHILD_UNREADABLE: return VIEWS_MEMORY;
    }
    return VIEWS_CRASHED;
}

static void on_done(void *userdata, const struct child_result *child)
{
    struct views *v = userdata;

    v->child = NULL; /* the child frees itself */
    finish(v->jobs, end_of(child), child->errors);
}

/* 0 or a negative errno. */
static int start(struct views *v, struct views_job *job)
{
    const char *argv[ARGUMENTS] = {v->command};
    struct child_limits limits = v->limits;
    struct stat st;
    size_t n = 1;

    for (size_t i = 0; i < VIEW_OPTIONS_MAX && job->view->options[i]; i++)
        argv[n++] = job->view->options[i];
    argv[n++] = "--sandbox";
    argv[n] = "-";
    if (fstat(job->trace, &st) < 0)
        return -errno;
    limits.file = job->file;
    limits.bytes = (uint64_t)st.st_size + VIEWS_SPARE;
    return child_start(v->event, argv, job->trace, &limits, on_done, v, &v->child);
}

static int on_wake(sd_event_source *source, void *userdata)
{
    struct views *v = userdata;
    struct views_job *job = v->jobs;
    int r;

    (void)source;
    if (!job || v->child)
        return 0;
    job->file = v->handlers->scratch(v->userdata);
    if (job->file < 0) {
        finish(job, VIEWS_NO_ROOM, strerror(-job->file));
        return 0;
    }
    r = start(v, job);
    if (r < 0)
        finish(job, VIEWS_UNAVAILABLE, strerror(-r));
    return 0;
}

/* -EBUSY if there are too many. */
static int add(struct views *v, struct views_job *job)
{
    struct views_job **at = &v->jobs;
    size_t n = 0;

    for (; *at; at = &(*at)->next)
        n++;
    if (n >= VIEWS_MAX)
        return -EBUSY;
    *at = job;
    if (!v->child)
        wake(v);
    return 0;
}

int views_make(struct views *v, const char *key, const struct view *view, views_done_fn fn,
               void *userdata, struct views_job **ret)
{
    struct views_job *job;
    int r;

    if (v->cut)
        return -ESHUTDOWN;
    job = calloc(1, sizeof(*job));
    if (!job)
        return -ENOMEM;
    *job = (struct views_job){
        .views = v, .view = view, .trace = -1, .file = -1, .fn = fn, .userdata = userdata};
    job->trace = v->handlers->open(v->userdata, key);
    r = job->trace < 0 ? job->trace : add(v, job);
    if (r < 0) {
        job_free(job);
        return r;
    }
    *ret = job;
    return 0;
}

void views_forget(struct views_job *job)
{
    take_out(job);
    job_free(job);
}

void views_cut(struct views *v)
{
    v->cut = true;
    while (v->jobs)
        finish(v->jobs, VIEWS_CUT, "");
}

int views_set(struct views *v, const struct views_settings *settings)
{
    char *command = strdup(settings->command);

    if (!command)
        return -ENOMEM;
    free(v->command);
    v->command = command;
    v->limits = (struct child_limits){.timeout = settings->timeout, .memory = settings->memory};
    return 0;
}

int views_new(sd_event *event, const struct views_handlers *handlers, void *userdata,
              struct views **ret)
{
    struct views *v = calloc(1, sizeof(*v));
    int r;

    if (!v)
        return -ENOMEM;
    v->event = sd_event_ref(event);
    v->handlers = handlers;
    v->userdata = userdata;
    r = sd_event_add_defer(event, &v->wake, on_wake, v);
    if (r >= 0)
        r = sd_event_source_set_enabled(v->wake, SD_EVENT_OFF);
    if (r < 0) {
        views_free(v);
        return r;
    }
    *ret = v;
    return 0;
}

void views_free(struct views *v)
{
    if (!v)
        return;
    child_free(v->child);
    v->child = NULL;
    while (v->jobs) {
        struct views_job *job = v->jobs;

        v->jobs = job->next;
        job_free(job);
    }
    (void)sd_event_source_disable_unref(v->wake);
    (void)sd_event_unref(v->event);
    free(v->command);
    free(v);
}
