/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/workdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/rows/rowfile.h"

#define NAME "contrace-fleet-XXXXXX"
#define DESCRIPTORS 16 /* of nftw(3) */

static int open_it(struct workdir *w)
{
    w->fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return w->fd < 0 ? -errno : 0;
}

int workdir_make(struct workdir *w)
{
    const char *tmp = getenv("TMPDIR");
    int n;

    *w = (struct workdir){.fd = -1};
    n = snprintf(w->path, sizeof(w->path), "%s/" NAME, tmp && tmp[0] == '/' ? tmp : "/tmp");
    if (n < 0 || (size_t)n >= sizeof(w->path))
        return -ENAMETOOLONG;
    if (!mkdtemp(w->path))
        return -errno;
    w->temporary = true;
    return open_it(w);
}

int workdir_open(struct workdir *w, const char *path)
{
    int n;

    *w = (struct workdir){.fd = -1};
    n = snprintf(w->path, sizeof(w->path), "%s/" ROWFILE_PREFIX, path);
    if (n < 0 || (size_t)n >= sizeof(w->path))
        return -ENAMETOOLONG;
    if (open_it(w) == 0)
        return 0;
    (void)snprintf(w->path, sizeof(w->path), "%s", path);
    return open_it(w);
}

static int remove_it(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    return type == FTW_DP ? rmdir(path) : unlink(path);
}

void workdir_close(struct workdir *w)
{
    w->fd = close_fd(w->fd);
    if (w->temporary)
        (void)nftw(w->path, remove_it, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
    w->temporary = false;
}

static bool fits(const char *name, unsigned depth)
{
    static const char *const begins[] = {"dt=", "service="};
    size_t n = strlen(name), m = strlen(ROWFILE_READY);

    if (depth < 2)
        return strncmp(name, begins[depth], strlen(begins[depth])) == 0;
    return n > m && name[0] != '.' && strcmp(name + n - m, ROWFILE_READY) == 0;
}

static bool look(int parent, const char *name, unsigned depth)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    bool found = false;

    if (!dir) {
        (void)close_fd(fd);
        return false;
    }
    while (!found && (entry = readdir(dir))) {
        if (fits(entry->d_name, depth))
            found = depth == 2 || look(dirfd(dir), entry->d_name, depth + 1);
    }
    (void)closedir(dir);
    return found;
}

bool workdir_has_rows(const struct workdir *w)
{
    return look(w->fd, ".", 0);
}
