/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/process/callfilter.h"
#include "lib/process/landlock.h"

/* Calls that are needed to read a trace and print its summary, and to exit. */
static const int allowed[] = {
    SCMP_SYS(read),         SCMP_SYS(readv),
    SCMP_SYS(pread64),      SCMP_SYS(lseek),
    SCMP_SYS(write),        SCMP_SYS(writev),
    SCMP_SYS(close),        SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),   SCMP_SYS(fadvise64),
    SCMP_SYS(brk),          SCMP_SYS(munmap),
    SCMP_SYS(mremap),       SCMP_SYS(madvise),
    SCMP_SYS(futex),        SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack),
    SCMP_SYS(getpid),       SCMP_SYS(gettid),
    SCMP_SYS(sched_yield),  SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),         SCMP_SYS(exit_group),
};

/* Calls that no reader of traces makes: they kill the process with SIGSYS. */
static const int fatal[] = {
    SCMP_SYS(execve),         SCMP_SYS(execveat),
    SCMP_SYS(fork),           SCMP_SYS(vfork),
    SCMP_SYS(clone),          SCMP_SYS(clone3),
    SCMP_SYS(socket),         SCMP_SYS(socketpair),
    SCMP_SYS(connect),        SCMP_SYS(bind),
    SCMP_SYS(ptrace),         SCMP_SYS(process_vm_readv),
    SCMP_SYS(kill),           SCMP_SYS(process_vm_writev),
    SCMP_SYS(io_uring_setup), SCMP_SYS(bpf),
    SCMP_SYS(userfaultfd),    SCMP_SYS(memfd_create),
    SCMP_SYS(mount),          SCMP_SYS(unshare),
    SCMP_SYS(keyctl),
};

#define N(list) (sizeof(list) / sizeof((list)[0]))

static int add_lists(scmp_filter_ctx filter)
{
    int r = callfilter_add(filter, SCMP_ACT_ALLOW, allowed, N(allowed));

    return r == 0 ? callfilter_add(filter, SCMP_ACT_KILL_PROCESS, fatal, N(fatal)) : r;
}

/* Memory, but none that can be executed; signals, but only to itself, as abort(3) does. */
static int add_conditions(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp no_exec = {
        .arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0};
    const struct scmp_arg_cmp own = {
        .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid()};
    int r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &no_exec);

    if (r == 0)
        r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &no_exec);
    if (r == 0)
        r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &own);
    return r;
}

/* All other calls fail with an error, so that a newer C library that tries one still works. */
static int refuse_calls(void)
{
    scmp_filter_ctx filter;
    int r = callfilter_new(SCMP_ACT_ERRNO(EPERM), &filter);

    if (r < 0)
        return r;
    r = add_lists(filter);
    if (r == 0)
        r = add_conditions(filter);
    return callfilter_enforce(filter, r);
}

/*
 * Forbids all access to files and network that Landlock can forbid. This is a second line behind
 * the filter of system calls; kernels without Landlock have that one alone.
 */
static void refuse_files(void)
{
    const struct landlock_rights everything = landlock_all(landlock_version());
    _cleanup_close_ int fd = landlock_new(&everything);

    if (fd >= 0)
        (void)landlock_enforce(fd);
}

/* If the machine runs out of memory, the kernel kills this process first. */
static void be_first_to_go(void)
{
    _cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0)
        (void)!write(fd, "1000", 4);
}

int sandbox_enter(void)
{
    const struct rlimit none = {0, 0};

    be_first_to_go();
    (void)syscall(SYS_close_range, 3U, ~0U, 0U);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    refuse_files();
    if (setrlimit(RLIMIT_NOFILE, &none) < 0)
        return -errno;
    return refuse_calls();
}
