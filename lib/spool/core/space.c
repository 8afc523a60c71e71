/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/spool/core/space.h"

#include <errno.h>
#include <sys/statvfs.h>

int space_read(int fd, struct space *ret)
{
    struct statvfs v;
    uint64_t unit;

    while (fstatvfs(fd, &v) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    unit = v.f_frsize ? v.f_frsize : v.f_bsize;
    *ret = (struct space){
        .free_bytes = v.f_bavail * unit,
        .total_bytes = v.f_blocks * unit,
        .free_inodes = v.f_favail,
        .total_inodes = v.f_files,
    };
    return 0;
}

uint64_t space_round(uint64_t bytes)
{
    uint64_t blocks = bytes / SPACE_BLOCK + (bytes % SPACE_BLOCK != 0);

    return blocks > UINT64_MAX / SPACE_BLOCK ? UINT64_MAX : blocks * SPACE_BLOCK;
}
