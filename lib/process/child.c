/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/process/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/process/spawn.h"

#define TIMER_ACCURACY (100 * USEC_PER_MSEC)

struct stream {
    int fd;
    sd_event_source *source;
    struct buf text;
};

struct child {
    sd_event *event;
    pid_t pid;
    sd_event_source *process, *timer;
    struct stream output, errors;
    bool killed; /* we killed it, for the reason in `end` */
    enum child_end end;
    child_done_fn fn;
    void *userdata;
};

/* Nobody has waited for it yet, so the process id is still its own, and its group's. */
static void kill_group(const struct child *c)
{
    if (kill(-c->pid, SIGKILL) < 0)
        (void)kill(c->pid, SIGKILL);
}

static void kill_for(struct child *c, enum child_end why)
{
    if (c->killed)
        return;
    c->killed = true;
    c->end = why;
    kill_group(c);
}

static void stop_reading(struct stream *s)
{
    s->source = sd_event_source_disable_unref(s->source);
    s->fd = close_fd(s->fd);
}

/* If there is too much, or memory is short, the child is killed for its output; what it writes to
 * standard error is only cut. */
static void keep(struct child *c, struct stream *s, const char *data, size_t n)
{
    int r = buf_add(&s->text, data, n);

    if (r == -E2BIG)
        (void)buf_add(&s->text, data, s->text.max - s->text.len);
    if (r < 0 && s == &c->output)
        kill_for(c, r == -E2BIG ? CHILD_ENDLESS : CHILD_UNREADABLE);
}

/* True while there may be more. */
static bool read_some(struct child *c, struct stream *s)
{
    char block[4096];
    ssize_t n = s->fd < 0 ? 0 : read(s->fd, block, sizeof(block));
    int error = errno;

    if (n > 0)
        keep(c, s, block, (size_t)n);
    else if (n == 0 || (error != EAGAIN && error != EINTR))
        stop_reading(s);
    explicit_bzero(block, n > 0 ? (size_t)n : 0);
    return n > 0;
}

static int on_output(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct child *c = userdata;

    (void)source;
    (void)fd;
    (void)revents;
    (void)read_some(c, &c->output);
    return 0;
}

static int on_errors(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    struct child *c = userdata;

    (void)source;
    (void)fd;
    (void)revents;
    (void)read_some(c, &c->errors);
    return 0;
}

/* Reads what is left in the pipe. At most a pipe's size, as another process may hold its other end
 * and go on writing. */
static void read_rest(struct child *c, struct stream *s)
{
    for (unsigned i = 0; i < 64 && read_some(c, s); i++)
        ;
}

static int on_exit_of(sd_event_source *source, const siginfo_t *si, void *userdata)
{
    struct child *c = userdata;
    struct child_result result = {
        .end = c->end, .status = si->si_status, .output = &c->output.text};

    (void)source;
    read_rest(c, &c->output);
    read_rest(c, &c->errors);
    if (c->killed)
        result.end = c->end;
    else
        result.end = si->si_code == CLD_EXITED ? CHILD_EXITED : CHILD_SIGNALLED;
    if (c->errors.text.len > 0)
        c->errors.text.data[strcspn(c->errors.text.data, "\n")] = '\0';
    result.errors = buf_str(&c->errors.text);
    c->pid = 0;
    c->fn(c->userdata, &result);
    child_free(c);
    return 0;
}

static int on_timeout(sd_event_source *source, uint64_t now, void *userdata)
{
    (void)source;
    (void)now;
    kill_for(userdata, CHILD_TIMEOUT);
    return 0;
}

/* Descriptors that the child gets must not be 0, 1 or 2 before they are moved there. */
static int above_stdio(int fd)
{
    int copy = fd > 2 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);

    if (copy != fd)
        (void)close_fd(fd);
    return copy;
}

/* We keep the reading end, which does not block. */
static int open_pipe(struct child *c, struct stream *s, sd_event_io_handler_t fn, int *ret_write)
{
    int ends[2], r;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    *ret_write = above_stdio(ends[1]);
    s->fd = ends[0];
    if (*ret_write < 0 || fcntl(s->fd, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    r = sd_event_add_io(c->event, &s->source, s->fd, EPOLLIN, fn, c);
    return r < 0 ? r : 0;
}

static int copy_fd(int fd, int *ret)
{
    *ret = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return *ret < 0 ? -errno : 0;
}

/* Processor time is counted in whole seconds. */
static rlim_t seconds_of(usec timeout)
{
    return (timeout + USEC_PER_SEC - 1) / USEC_PER_SEC;
}

/* Address space: its memory, the file, which it may map whole, and a sixteenth of that for the
 * margins of the windows in which it does. */
static uint64_t space_of(uint64_t memory, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return memory;
    return memory + (uint64_t)st.st_size + (uint64_t)st.st_size / 16;
}

static int start(struct child *c, const char *const *argv, int fd,
                 const struct child_limits *limits)
{
    _cleanup_close_ int in = fcntl(fd, F_DUPFD_CLOEXEC, 3), out = -1, err = -1;
    int r = in < 0 ? -errno : 0;

    if (r >= 0 && limits->file > 0)
        r = copy_fd(limits->file, &out);
    else if (r >= 0)
        r = open_pipe(c, &c->output, on_output, &out);
    if (r >= 0)
        r = open_pipe(c, &c->errors, on_errors, &err);
    if (r >= 0)
        r = sd_event_add_time_relative(c->event, &c->timer, CLOCK_MONOTONIC, limits->timeout,
                                       TIMER_ACCURACY, on_timeout, c);
    if (r < 0)
        return r;
    c->pid = spawn(&(struct spawn){
        .argv = argv,
        .in = in,
        .out = out,
        .err = err,
        .memory = limits->memory,
        .space = space_of(limits->memory, in),
        .seconds = seconds_of(limits->timeout),
        .bytes = limits->file > 0 ? limits->bytes : 0,
        .trusted = limits->trusted,
    });
    return c->pid < 0 ? (int)c->pid : 0;
}

/* If the event source is freed while the child runs, it kills the child and waits for it. */
static int watch(struct child *c)
{
    int r = sd_event_add_child(c->event, &c->process, c->pid, WEXITED, on_exit_of, c);

    if (r >= 0)
        r = sd_event_source_set_child_process_own(c->process, 1);
    if (r >= 0)
        return 0;
    (void)kill(c->pid, SIGKILL);
    (void)waitpid(c->pid, NULL, 0);
    return r;
}

int child_start(sd_event *event, const char *const *argv, int fd, const struct child_limits *limits,
                child_done_fn fn, void *userdata, struct child **ret)
{
    struct child *c = calloc(1, sizeof(*c));
    int r;

    if (!c)
        return -ENOMEM;
    c->event = sd_event_ref(event);
    c->output.fd = c->errors.fd = -1;
    buf_init(&c->output.text, CHILD_OUTPUT_MAX);
    buf_init(&c->errors.text, CHILD_ERRORS_MAX);
    c->fn = fn;
    c->userdata = userdata;
    r = start(c, argv, fd, limits);
    if (r >= 0)
        r = watch(c);
    if (r < 0) {
        child_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

void child_free(struct child *c)
{
    if (!c)
        return;
    if (c->process && c->pid > 0)
        kill_group(c);
    (void)sd_event_source_disable_unref(c->process);
    (void)sd_event_source_disable_unref(c->timer);
    stop_reading(&c->output);
    stop_reading(&c->errors);
    buf_wipe(&c->output.text);
    buf_wipe(&c->errors.text);
    (void)sd_event_unref(c->event);
    free(c);
}
