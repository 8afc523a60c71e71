/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secretfile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/groups.h"

int secretfile_check(int fd)
{
    struct statfs fs;
    struct stat st;
    bool memory;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if ((st.st_mode & 077) == 0)
        return 0;
    if (fstatfs(fd, &fs) < 0)
        return -errno;
    memory = fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
    if (st.st_uid == 0 && memory && (st.st_mode & 022) == 0)
        return 0;
    if ((st.st_uid == 0 || memory) && (st.st_mode & 037) == 0 && groups_have(st.st_gid))
        return 0;
    return -EPERM;
}

int secretfile_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

int secretfile_read(struct buf *b, const char *path)
{
    _cleanup_close_ int fd = secretfile_open(path);
    int r;

    if (fd < 0)
        return fd;
    r = secretfile_check(fd);
    return r < 0 ? r : buf_read_fd(b, fd);
}

/* Whether a text looks like the name of a file: lower-case letters, and a suffix if it has
 * digits. */
static bool looks_named(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz-_.";
    const char *dot = strrchr(name, '.');

    for (const char *p = name; *p; p++) {
        if (!strchr(letters, *p) && !(dot > name && *p >= '0' && *p <= '9'))
            return false;
    }
    return *name != '\0';
}

const char *secretfile_shown(const char *path, int error, char out[static SECRETFILE_SHOWN_SIZE])
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;

    if ((error != -ENOENT && error != -ENOTDIR && error != -ENAMETOOLONG) ||
        looks_named(slash ? slash + 1 : path))
        return path;
    /* A secret may contain slashes, too: only directories that exist are shown. */
    for (; n > 0; n--) {
        if (n >= SECRETFILE_SHOWN_SIZE - 64 || path[n] != '/')
            continue;
        (void)snprintf(out, SECRETFILE_SHOWN_SIZE, "%.*s", (int)n, path);
        if (access(out, F_OK) == 0)
            break;
    }
    (void)snprintf(out, SECRETFILE_SHOWN_SIZE, "below %.*s/ (not shown: is it the secret itself?)",
                   (int)n, path);
    return out;
}

const char *secretfile_explain(int error)
{
    switch (-error) {
    case EPERM:
        return "others may read it; chmod 0600, or, where another user writes it, let it have mode "
               "0640 and a group of contraced's, on a tmpfs or with root as its owner";
    case EINVAL: return "it is not a regular file";
    case E2BIG: return "it is too long";
    default: return strerror(-error);
    }
}
