/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_over(struct buf *b, char *memory, size_t size)
{
    *b = (struct buf){.data = memory, .cap = size, .max = size - 1};
    memory[0] = '\0';
}

void buf_done(struct buf *b)
{
    free(b->data);
    buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->cap);
    buf_done(b);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->error = 0;
    if (b->data)
        b->data[0] = '\0';
}

void buf_fail(struct buf *b, int r)
{
    if (b->error == 0)
        b->error = r;
}

/* Makes room for n more bytes and the zero. The old block is wiped, as it may hold a secret. */
static int grow(struct buf *b, size_t n)
{
    size_t need, cap;
    char *data;

    if (n > b->max - b->len)
        return -E2BIG;
    need = b->len + n + 1;
    if (need <= b->cap)
        return 0;
    cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    data = malloc(cap);
    if (!data)
        return -ENOMEM;
    if (b->data) {
        memcpy(data, b->data, b->len);
        explicit_bzero(b->data, b->cap);
        free(b->data);
    }
    b->data = data;
    b->cap = cap;
    b->data[b->len] = '\0';
    return 0;
}

static int reserve(struct buf *b, size_t n)
{
    int r = grow(b, n);

    if (r < 0)
        buf_fail(b, r);
    return r;
}

int buf_add(struct buf *b, const void *data, size_t n)
{
    int r = reserve(b, n);

    if (r < 0)
        return r;
    if (n > 0)
        memcpy(b->data + b->len, data, n);
    b->len += n;
    b->data[b->len] = '\0';
    return 0;
}

int buf_adds(struct buf *b, const char *s)
{
    return buf_add(b, s, strlen(s));
}

/* Writes what fits into the memory at hand. Returns how many bytes the whole text has. */
__attribute__((format(printf, 2, 0))) static int print(struct buf *b, const char *fmt, va_list ap)
{
    size_t room = b->data ? b->cap - b->len : 0;
    int n = vsnprintf(b->data ? b->data + b->len : NULL, room, fmt, ap);

    if (b->data && (n < 0 || (size_t)n >= room || (size_t)n > b->max - b->len))
        b->data[b->len] = '\0';
    return n;
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
    size_t room = b->data ? b->cap - b->len : 0;
    va_list ap;
    int n, r;

    va_start(ap, fmt);
    n = print(b, fmt, ap);
    va_end(ap);
    if (n < 0) {
        buf_fail(b, -ENOMEM);
        return -ENOMEM;
    }
    r = reserve(b, (size_t)n);
    if (r < 0)
        return r;
    if ((size_t)n >= room) {
        va_start(ap, fmt);
        (void)print(b, fmt, ap);
        va_end(ap);
    }
    b->len += (size_t)n;
    return 0;
}

int buf_error(const struct buf *b)
{
    return b->error;
}

const char *buf_str(const struct buf *b)
{
    return b->data ? b->data : "";
}

int buf_read_fd(struct buf *b, int fd)
{
    char chunk[4096];

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        int r = 0;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            r = -errno;
        else if (n > 0)
            r = buf_add(b, chunk, (size_t)n);
        explicit_bzero(chunk, n > 0 ? (size_t)n : 0);
        if (r < 0 || n == 0)
            return r;
    }
}

int buf_read_file(struct buf *b, const char *path)
{
    /* O_NONBLOCK: the caller must not hang if the path is a fifo. */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    return buf_read_fd(b, fd);
}

void buf_add_escaped(struct buf *b, const void *data, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *p = data;

    for (size_t i = 0; i < n; i++) {
        char out[4];
        size_t len = 2;

        out[0] = '\\';
        switch (p[i]) {
        case '\n': out[1] = 'n'; break;
        case '\r': out[1] = 'r'; break;
        case '\t': out[1] = 't'; break;
        case '\\': out[1] = '\\'; break;
        default:
            if (p[i] >= 0x20 && p[i] < 0x7f) {
                out[0] = (char)p[i];
                len = 1;
            } else {
                out[1] = 'x';
                out[2] = hex[p[i] >> 4];
                out[3] = hex[p[i] & 15];
                len = 4;
            }
        }
        if (buf_add(b, out, len) < 0)
            return;
    }
}
