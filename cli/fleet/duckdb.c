/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/duckdb.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write.h"

/* It reads no file of the user's (-no-init) and stops at the first error. */
static char *const *arguments(const char *format, char *argv[static 6])
{
    static char program[] = "duckdb", init[] = "-no-init", bail[] = "-bail", batch[] = "-batch";

    argv[0] = program;
    argv[1] = init;
    argv[2] = bail;
    argv[3] = batch;
    argv[4] = (char *)(uintptr_t)format; /* execve(2) does not write there */
    argv[5] = NULL;
    return argv;
}

static int script_file(const struct buf *script, int *ret_fd)
{
    _cleanup_close_ int fd = memfd_create("contrace-fleet", MFD_CLOEXEC);
    int r = fd < 0 ? -errno : write_all(fd, script->data, script->len);

    if (r < 0)
        return r;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    *ret_fd = steal_fd(&fd);
    return 0;
}

/* Signals as the user's shell has them. */
static int set_signals(posix_spawnattr_t *attr)
{
    sigset_t none, usual;
    int e;

    (void)sigemptyset(&none);
    (void)sigemptyset(&usual);
    (void)sigaddset(&usual, SIGPIPE);
    (void)sigaddset(&usual, SIGINT);
    (void)sigaddset(&usual, SIGTERM);
    e = posix_spawnattr_setsigmask(attr, &none);
    if (e == 0)
        e = posix_spawnattr_setsigdefault(attr, &usual);
    if (e == 0)
        e = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return -e;
}

static int spawn(const char *directory, const char *format, int script, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    char *argv[6];
    int r = -posix_spawn_file_actions_init(&actions);

    if (r < 0)
        return r;
    r = -posix_spawnattr_init(&attr);
    if (r < 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return r;
    }
    r = set_signals(&attr);
    if (r == 0)
        r = -posix_spawn_file_actions_adddup2(&actions, script, STDIN_FILENO);
    if (r == 0)
        r = -posix_spawn_file_actions_addchdir_np(&actions, directory);
    if (r == 0)
        r = -posix_spawnp(ret, "duckdb", &actions, &attr, arguments(format, argv), environ);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&actions);
    return r;
}

int duckdb_run(const char *directory, const char *format, const struct buf *script)
{
    _cleanup_close_ int fd = -1;
    pid_t pid;
    int status, r = script_file(script, &fd);

    if (r == 0)
        r = spawn(directory, format, fd, &pid);
    if (r < 0)
        return r;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}
