/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/read/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cli/common/screen.h"

/* Splits a path into its directory and its last part. */
static int open_parent(const char *path, const char **ret_leaf)
{
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : NULL;
    int fd;

    if (slash && !directory)
        return -ENOMEM;
    fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    *ret_leaf = slash ? slash + 1 : path;
    return fd;
}

/* Whether the name is free, or its file may be replaced. */
static int check(int parent, const char *leaf, bool replace)
{
    struct stat st;

    if (fstatat(parent, leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (S_ISDIR(st.st_mode))
        return -EISDIR;
    if (!replace)
        return -EEXIST;
    return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

int outfile_begin(struct landing *l, const char *path, bool replace)
{
    _cleanup_close_ int parent = -1;
    const char *leaf = NULL;
    int r;

    *l = (struct landing){.dir = -1, .fd = -1};
    parent = open_parent(path, &leaf);
    if (parent < 0)
        return parent;
    if (*leaf == '\0' || strcmp(leaf, ".") == 0 || strcmp(leaf, "..") == 0)
        return -EISDIR;
    r = check(parent, leaf, replace);
    if (r == 0)
        r = landing_init(l, parent, leaf);
    if (r < 0)
        return r;
    r = landing_begin(l);
    if (r < 0)
        landing_done(l);
    return r;
}

int outfile_complain(const char *path, int r)
{
    if (r == -EEXIST)
        complain("%s exists; --force replaces it", path);
    else if (r == -EINVAL)
        complain("%s is not a regular file", path);
    else
        complain("%s: %s", path, strerror(-r));
    return r;
}
