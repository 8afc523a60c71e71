/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sched/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define MOMENT 300 /* milliseconds */

static int open_path(const char *path)
{
    int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                    : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    return fd < 0 ? -errno : fd;
}

static int catch_signals(void)
{
    sigset_t signals;
    int fd;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    return fd;
}

/* Without inotify the file is looked at every moment. */
static void watch(struct logfile *f)
{
    f->changes = close_fd(f->changes);
    if (strcmp(f->path, "-") == 0)
        return;
    f->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (f->changes >= 0 && inotify_add_watch(f->changes, f->path, IN_MODIFY | IN_MOVE_SELF) < 0)
        f->changes = close_fd(f->changes);
}

int logfile_open(struct logfile *f, const char *path, bool follow)
{
    struct stat st;

    *f = (struct logfile){.path = path, .fd = -1, .follow = follow, .changes = -1, .signals = -1};
    f->fd = open_path(path);
    if (f->fd < 0)
        return f->fd;
    if (fstat(f->fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    f->regular = S_ISREG(st.st_mode);
    if (!follow)
        return 0;
    f->signals = catch_signals();
    if (f->signals < 0)
        return f->signals;
    if (f->regular)
        watch(f);
    return 0;
}

/* Whether another file has the path now, which then is read. */
static bool replaced(struct logfile *f)
{
    struct stat ours, theirs;
    int fd;

    if (strcmp(f->path, "-") == 0 || fstat(f->fd, &ours) < 0 || stat(f->path, &theirs) < 0 ||
        (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino))
        return false;
    fd = open_path(f->path);
    if (fd < 0)
        return false;
    (void)close(f->fd);
    f->fd = fd;
    watch(f);
    return true;
}

/* At the end of a file: whether there may be something to read after all. */
static bool again(struct logfile *f)
{
    off_t at = lseek(f->fd, 0, SEEK_CUR);
    struct stat st;

    if (at >= 0 && fstat(f->fd, &st) == 0 && st.st_size < at)
        return lseek(f->fd, 0, SEEK_SET) == 0;
    return replaced(f);
}

/* 1: there may be something; 0: nothing came; -EINTR. */
static int wait_for_more(struct logfile *f)
{
    struct pollfd fds[] = {
        {.fd = f->signals, .events = POLLIN},
        {.fd = f->regular ? f->changes : f->fd, .events = POLLIN},
    };
    struct signalfd_siginfo info;
    char events[sizeof(struct inotify_event) * 16];
    int n = poll(fds, 2, MOMENT);

    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    if (fds[0].revents & POLLIN && read(f->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        f->ended_by = (int)info.ssi_signo;
        return -EINTR;
    }
    if (n > 0 && f->regular)
        (void)!read(f->changes, events, sizeof(events));
    return n > 0;
}

ssize_t logfile_read(struct logfile *f, char *data, size_t size)
{
    ssize_t n;

    if (f->follow && !f->regular) {
        int r = wait_for_more(f);

        if (r <= 0)
            return r;
    }
    do
        n = read(f->fd, data, size);
    while (n < 0 && errno == EINTR);
    if (n != 0)
        return n < 0 ? -errno : n;
    if (!f->follow || !f->regular)
        return -ENODATA;
    if (again(f))
        return 0;
    n = wait_for_more(f);
    return n < 0 ? n : 0;
}

void logfile_close(struct logfile *f)
{
    sigset_t set;

    f->fd = close_fd(f->fd);
    f->changes = close_fd(f->changes);
    f->signals = close_fd(f->signals);
    if (f->ended_by == 0)
        return;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, f->ended_by);
    (void)signal(f->ended_by, SIG_DFL);
    (void)raise(f->ended_by);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}
