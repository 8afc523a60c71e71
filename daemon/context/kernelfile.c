/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/context/kernelfile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/cleanup.h"

#define BLANKS " \t"
#define NS_PER_USEC 1000

/* A read of such a file ends at a page, so it may take several. */
static ssize_t read_all(int fd, char *text, size_t size)
{
    size_t n = 0;

    while (n < size) {
        ssize_t got = read(fd, text + n, size - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

/* Whether the kernel itself fills this file system. */
static bool is_kernels(int fd)
{
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0)
        return false;
    switch (fs.f_type) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC: return true;
    default: return false;
    }
}

int kernelfile_open(int dir, const char *path, int flags)
{
    int fd = openat(dir, path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);

    if (fd < 0)
        return -errno;
    if (is_kernels(fd))
        return fd;
    (void)close(fd);
    return -EXDEV;
}

ssize_t kernelfile_read(int dir, const char *path, char *text, size_t size)
{
    _cleanup_close_ int fd = kernelfile_open(dir, path, O_RDONLY);
    ssize_t n = fd < 0 ? fd : read_all(fd, text, size - 1);

    text[n > 0 ? n : 0] = '\0';
    return n;
}

int64_t kernelfile_number(const char *text, const char **ret_end)
{
    unsigned long long value;
    char *end;

    text += strspn(text, BLANKS);
    if (ret_end)
        *ret_end = text;
    if (*text < '0' || *text > '9')
        return CONTEXT_ABSENT;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (ret_end)
        *ret_end = end;
    return errno == 0 && value <= INT64_MAX ? (int64_t)value : CONTEXT_ABSENT;
}

/* What follows this word at the start of a line; NULL: there is no such line. */
static const char *behind(const char *text, const char *key)
{
    size_t n = strlen(key);

    while (text) {
        if (strncmp(text, key, n) == 0 && text[n] && strchr(BLANKS, text[n]))
            return text + n;
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return NULL;
}

int64_t kernelfile_key(const char *text, const char *key)
{
    const char *value = behind(text, key);

    return value ? kernelfile_number(value, NULL) : CONTEXT_ABSENT;
}

int64_t kernelfile_value(int dir, const char *path)
{
    char text[KERNELFILE_SIZE];

    (void)kernelfile_read(dir, path, text, sizeof(text));
    return kernelfile_number(text, NULL);
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=51306611": the kernel counts microseconds. */
static int64_t total_of(const char *text, const char *who)
{
    const char *line = behind(text, who), *total = line ? strstr(line, "total=") : NULL;

    if (!total || total > line + strcspn(line, "\n"))
        return CONTEXT_ABSENT;
    return kernelfile_scaled(kernelfile_number(total + strlen("total="), NULL), NS_PER_USEC);
}

struct context_pressure kernelfile_pressure(int dir, const char *path)
{
    char text[KERNELFILE_SIZE];

    (void)kernelfile_read(dir, path, text, sizeof(text));
    return (struct context_pressure){total_of(text, "some"), total_of(text, "full")};
}

int64_t kernelfile_list(const char *text)
{
    int64_t n = 0;

    for (;;) {
        int64_t first = kernelfile_number(text, &text), last = first;

        if (first < 0)
            return CONTEXT_ABSENT;
        if (*text == '-')
            last = kernelfile_number(text + 1, &text);
        if (last < first)
            return CONTEXT_ABSENT;
        if (__builtin_add_overflow(n, last - first, &n) || __builtin_add_overflow(n, 1, &n))
            return CONTEXT_ABSENT;
        if (*text != ',')
            return n;
        text++;
    }
}

int64_t kernelfile_scaled(int64_t value, int64_t factor)
{
    int64_t scaled;

    return value < 0 || __builtin_mul_overflow(value, factor, &scaled) ? CONTEXT_ABSENT : scaled;
}

int64_t kernelfile_grown(int64_t before, int64_t after)
{
    return before < 0 || after < before ? CONTEXT_ABSENT : after - before;
}

struct context_pressure kernelfile_pressure_grown(const struct context_pressure *before,
                                                  const struct context_pressure *after)
{
    return (struct context_pressure){kernelfile_grown(before->some, after->some),
                                     kernelfile_grown(before->full, after->full)};
}
