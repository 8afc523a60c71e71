/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void need(int good, const char *what)
{
    if (!good) {
        perror(what);
        abort();
    }
}

char *scratch_new(const char *parent)
{
    const char *tmp = parent ? parent : getenv("TMPDIR");
    char *dir = NULL;

    need(asprintf(&dir, "%s/contrace-unit-XXXXXX", tmp ? tmp : "/tmp") > 0, "asprintf");
    need(mkdtemp(dir) != NULL, "mkdtemp");
    return dir;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    (void)remove(path);
    return 0;
}

void scratch_free(char *dir)
{
    if (!dir)
        return;
    (void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(dir);
}

char *scratch_dir;

int scratch_setup(void **state)
{
    (void)state;
    scratch_dir = scratch_new(NULL);
    return 0;
}

int scratch_teardown(void **state)
{
    (void)state;
    scratch_free(scratch_dir);
    scratch_dir = NULL;
    return 0;
}

const char *scratch_built(const char *program)
{
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);
    char *top;

    need(n > 0 && strlen(program) < 64, "/proc/self/exe");
    path[n] = '\0';
    top = strstr(path, "/tests/unit/");
    need(top != NULL, path);
    (void)strcpy(top + 1, program);
    return path;
}

const char *scratch_path(const char *dir, const char *name)
{
    static char paths[8][512];
    static unsigned turn;
    char *path = paths[turn++ % 8];

    need(snprintf(path, sizeof(paths[0]), "%s/%s", dir, name) < (int)sizeof(paths[0]), name);
    return path;
}

const char *scratch_write(const char *dir, const char *name, const void *data, size_t n,
                          mode_t mode)
{
    const char *path = scratch_path(dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EACCES && unlink(path) == 0) /* the test may have made it read-only */
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    need(fd >= 0, path);
    need(write(fd, data, n) == (ssize_t)n, path);
    need(fchmod(fd, mode) == 0, path);
    need(close(fd) == 0, path);
    return path;
}

const char *scratch_text(const char *dir, const char *name, const char *text)
{
    return scratch_write(dir, name, text, strlen(text), 0600);
}

/* The number of entries in the directory, including "." and "..". */
static size_t count(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;

    need(dir != NULL, path);
    while (readdir(dir))
        n++;
    (void)closedir(dir);
    return n;
}

size_t scratch_descriptors(void)
{
    return count("/proc/self/fd") - 3; /* with the directory itself */
}

size_t scratch_threads(void)
{
    return count("/proc/self/task") - 2;
}
