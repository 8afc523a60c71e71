/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/file/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/cleanup.h"

#define FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)

static bool same(const struct statx *a, const struct statx *b)
{
    return a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor &&
           a->stx_ino == b->stx_ino;
}

/* Before 5.8 the kernel does not show that a directory of the same file system is mounted there. */
static bool is_mounted(const struct statx *at, const struct statx *above)
{
    return (at->stx_attributes & STATX_ATTR_MOUNT_ROOT) ||
           at->stx_dev_major != above->stx_dev_major || at->stx_dev_minor != above->stx_dev_minor;
}

int mount_above(int dir)
{
    _cleanup_close_ int fd = openat(dir, ".", FLAGS);

    for (;;) {
        int parent = fd < 0 ? -1 : openat(fd, "..", FLAGS);
        struct statx at, above;

        if (parent < 0)
            return -errno;
        if (statx(fd, "", AT_EMPTY_PATH, STATX_INO, &at) < 0 ||
            statx(parent, "", AT_EMPTY_PATH, STATX_INO, &above) < 0) {
            (void)close_fd(parent);
            return -errno;
        }
        (void)close_fd(fd);
        fd = parent;
        if (same(&at, &above))
            return 0; /* "/" */
        if (is_mounted(&at, &above))
            return 1;
    }
}
