/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/file/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_MODE 0750

void chain_close(struct chain *c)
{
    while (c->n > 0)
        (void)close(c->fds[--c->n]);
}

int chain_dir(const struct chain *c)
{
    return c->fds[c->n - 1];
}

static int open_part(int dir, const char *name, bool make)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(dir, name, flags);

    if (fd >= 0 || errno != ENOENT || !make)
        return fd < 0 ? -errno : fd;
    if (mkdirat(dir, name, DIR_MODE) < 0 && errno != EEXIST)
        return -errno;
    fd = openat(dir, name, flags);
    return fd < 0 ? -errno : fd;
}

static bool part_fits(const char *part, size_t n)
{
    return n > 0 && n <= NAME_MAX && !(n <= 2 && strncmp(part, "..", n) == 0);
}

int chain_walk(struct chain *c, const char *key, bool make)
{
    const char *part = key, *slash;
    char name[NAME_MAX + 1];

    for (; (slash = strchr(part, '/')); part = slash + 1) {
        int fd;

        if (!part_fits(part, (size_t)(slash - part)) || c->n == CHAIN_MAX)
            return -EINVAL;
        (void)snprintf(name, sizeof(name), "%.*s", (int)(slash - part), part);
        fd = open_part(chain_dir(c), name, make);
        if (fd < 0)
            return fd;
        c->fds[c->n++] = fd;
    }
    c->leaf = part;
    return part_fits(part, strlen(part)) ? 0 : -EINVAL;
}

/* Some file systems cannot sync a directory and return an error for it: that is fine. */
int chain_sync(const struct chain *c)
{
    for (unsigned i = c->n; i-- > 0;) {
        if (fsync(c->fds[i]) < 0 && errno != EINVAL && errno != EOPNOTSUPP)
            return -errno;
    }
    return 0;
}
