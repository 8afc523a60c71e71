/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/process/spawn.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DESCRIPTORS 16 /* the dynamic loader opens libraries one after the other */

/* What the new process is given, and its error. It is in our memory, which that process shares. */
struct attempt {
    const struct spawn *spawn;
    pid_t parent;
    volatile int error;
};

static int limit(__rlimit_resource_t what, rlim_t value)
{
    return setrlimit(what, &(struct rlimit){value, value});
}

/* A limit that is lower already cannot be raised; the other limits are still set. */
static void set_limits(const struct spawn *s)
{
    (void)limit(RLIMIT_DATA, s->memory);
    (void)limit(RLIMIT_AS, s->space);
    /* SIGXCPU first, which names the cause; SIGKILL a second later. */
    (void)setrlimit(RLIMIT_CPU, &(struct rlimit){s->seconds, s->seconds + 1});
    (void)limit(RLIMIT_FSIZE, s->bytes);
    (void)limit(RLIMIT_CORE, 0);
    (void)limit(RLIMIT_NPROC, 0);
    (void)limit(RLIMIT_MEMLOCK, 0);
    (void)limit(RLIMIT_NOFILE, DESCRIPTORS);
}

/*
 * The child gets default signal handlers and an empty signal mask. A signal to our process group
 * may have come while the child was in it, and wait; it was for us. The kernel drops what waits
 * when the signal is ignored.
 */
static void reset_signals(void)
{
    sigset_t none;

    for (int i = 1; i <= SIGRTMAX; i++) {
        (void)signal(i, SIG_IGN);
        (void)signal(i, SIG_DFL);
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void step_back(void)
{
    const struct sched_param none = {0};

    (void)sched_setscheduler(0, SCHED_IDLE, &none);
    (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

/*
 * Runs in the new process, which shares our memory until execve: only system calls, and it changes
 * nothing of ours but `error`. It is a function of its own so that the compiler keeps no copy of
 * the struct across vfork.
 */
__attribute__((noreturn, noinline)) static void become(struct attempt *a)
{
    static char *const nothing[] = {NULL};
    const struct spawn *s = a->spawn;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != a->parent)
        _exit(1);
    (void)setpgid(0, 0); /* Ctrl-C at the terminal is for us only */
    if (dup2(s->in, 0) < 0 || dup2(s->out, 1) < 0 || dup2(s->err, 2) < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        a->error = errno;
        _exit(1);
    }
    /* Our descriptors are close-on-exec; this closes those that a library left open. */
    (void)syscall(SYS_close_range, 3U, ~0U, 0U);
    if (!s->trusted) {
        step_back();
        set_limits(s);
    }
    reset_signals();
    /* Not execve(): with --coverage gcc replaces it with one that writes files and takes locks
     * first. */
    (void)syscall(SYS_execve, s->argv[0], s->argv, s->trusted ? environ : nothing);
    a->error = errno;
    _exit(1);
}

/*
 * vfork: the page tables of a daemon with thousands of targets are not copied. Only this thread
 * waits until the new process executes or ends. Signals are blocked until then.
 */
pid_t spawn(const struct spawn *s)
{
    struct attempt a = {.spawn = s, .parent = getpid()};
    sigset_t all, before;
    pid_t pid;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = vfork();
    if (pid == 0)
        become(&a);
    if (pid < 0)
        pid = -errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid > 0 && a.error > 0) {
        (void)waitpid(pid, NULL, 0);
        return -a.error;
    }
    return pid;
}
