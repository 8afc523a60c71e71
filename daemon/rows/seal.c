/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/rows/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"

#define LINE_MAX_BYTES ((size_t)256 << 10) /* a row is shorter */
#define MODE 0640
#define GZIP_MODE "wb6"

/* Lines of a file, one after the other. */
struct lines {
    int fd;
    char *data; /* LINE_MAX_BYTES */
    size_t begin, end;
    bool over; /* the file is at its end */
};

/* Makes room behind what is left, and reads. 0 or a negative errno. */
static int more(struct lines *l)
{
    ssize_t n;

    memmove(l->data, l->data + l->begin, l->end - l->begin);
    l->end -= l->begin;
    l->begin = 0;
    if (l->end == LINE_MAX_BYTES)
        l->end = 0; /* no row: a part of one is none either */
    n = read(l->fd, l->data + l->end, LINE_MAX_BYTES - l->end);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    l->end += (size_t)n;
    l->over = n == 0;
    return 0;
}

/* The next line with its end; 1, 0 at the end of the file, or a negative errno. */
static int next(struct lines *l, const char **ret, size_t *ret_n)
{
    for (;;) {
        const char *at = l->data + l->begin, *end = memchr(at, '\n', l->end - l->begin);
        int r;

        if (end) {
            *ret = at;
            *ret_n = (size_t)(end + 1 - at);
            l->begin += *ret_n;
            return 1;
        }
        if (l->over)
            return 0;
        r = more(l);
        if (r < 0)
            return r;
    }
}

static bool is_row(const char *line, size_t n)
{
    return n > 3 && line[0] == '{' && line[n - 2] == '}' && !memchr(line, '\0', n);
}

static int failed(gzFile out)
{
    int z, e = errno;

    (void)gzerror(out, &z);
    return z == Z_MEM_ERROR ? -ENOMEM : e > 0 ? -e : -EIO;
}

static int copy(struct lines *in, gzFile out)
{
    const char *line;
    size_t n;
    int r;

    while ((r = next(in, &line, &n)) > 0) {
        errno = 0;
        if (is_row(line, n) && gzwrite(out, line, (unsigned)n) != (int)n)
            return failed(out);
    }
    return r;
}

/* Compresses into a duplicate of `to`, as closing closes it. */
static int compress_lines(struct lines *in, int to)
{
    int fd = fcntl(to, F_DUPFD_CLOEXEC, 0), r;
    gzFile out = fd < 0 ? NULL : gzdopen(fd, GZIP_MODE);

    if (!out) {
        (void)close_fd(fd);
        return fd < 0 ? -EMFILE : -ENOMEM;
    }
    r = copy(in, out);
    errno = 0;
    if (gzclose(out) != Z_OK && r >= 0)
        r = errno > 0 ? -errno : -EIO;
    return r;
}

int seal_file(int from, const char *name, int to, const char *new_name)
{
    _cleanup_close_ int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    _cleanup_close_ int out = -1;
    _cleanup_free_ char *memory = malloc(LINE_MAX_BYTES);
    struct lines lines = {.fd = in, .data = memory};
    int r;

    if (in < 0)
        return -errno;
    if (!memory)
        return -ENOMEM;
    out = openat(to, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, MODE);
    if (out < 0)
        return -errno;
    r = compress_lines(&lines, out);
    if (r >= 0 && fsync(out) < 0)
        r = -errno;
    if (r < 0)
        (void)unlinkat(to, new_name, 0);
    return r;
}
