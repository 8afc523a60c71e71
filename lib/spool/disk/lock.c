/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/disk/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "lib/spool/disk/ownership.h"

#define LOCK_NAME "lock"
#define COMM_MAX 64

static const struct log_fields storage = {.message_id = MESSAGE_ID_STORAGE};

static int log_busy(int fd, const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char comm_path[64], comm[4 * COMM_MAX + 4] = "";
    struct buf raw;

    if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK || lock.l_pid <= 0) {
        /* The holder has just ended, or is in another PID namespace and has no id here. */
        log_write(LOG_LEVEL_ERROR, &storage,
                  "%s is in use by another process; stop it or use another storage.path", path);
        return -EBUSY;
    }
    (void)snprintf(comm_path, sizeof(comm_path), "/proc/%d/comm", (int)lock.l_pid);
    buf_init(&raw, COMM_MAX);
    if (buf_read_file(&raw, comm_path) >= 0 && raw.len > 0)
        (void)snprintf(comm, sizeof(comm), " (%.*s)", (int)strcspn(raw.data, "\n"), raw.data);
    buf_done(&raw);
    log_write(LOG_LEVEL_ERROR, &storage,
              "%s is in use by process %d%s; stop it or use another storage.path", path,
              (int)lock.l_pid, comm);
    return -EBUSY;
}

static int open_file(int dir, int *ret)
{
    _cleanup_close_ int fd = openat(
        dir, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (st.st_uid != geteuid())
        return -EPERM;
    ownership_tighten(fd, &st); /* whoever may write to the file could hold the lock */
    *ret = steal_fd(&fd);
    return 0;
}

int lock_take(int dir, const char *path, int *ret_fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    _cleanup_close_ int fd = -1;
    char pid[32];
    int r;

    r = open_file(dir, &fd);
    if (r < 0) {
        log_write(LOG_LEVEL_ERROR, &storage, "cannot open %s/" LOCK_NAME ": %s", path,
                  r == -ELOOP    ? "it is a symbolic link"
                  : r == -EINVAL ? "it is not a regular file"
                  : r == -EPERM  ? "it belongs to another user"
                                 : strerror(-r));
        return r;
    }
    if (fcntl(fd, F_SETLK, &lock) < 0) {
        if (errno == EACCES || errno == EAGAIN)
            return log_busy(fd, path);
        r = -errno;
        log_write(LOG_LEVEL_ERROR, &storage, "cannot lock %s/" LOCK_NAME ": %s", path,
                  strerror(-r));
        return r;
    }
    /* The process id is for people only. Failure is fine: a full disk must not prevent a start. */
    r = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)r, 0) < 0)
        log_debug("cannot write %s/" LOCK_NAME ": %m", path);
    *ret_fd = steal_fd(&fd);
    return 0;
}
