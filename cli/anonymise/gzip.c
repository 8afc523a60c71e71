/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/anonymise/gzip.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define GZIP_ONLY (15 + 16) /* zlib.h: the greatest window, in gzip's format */
#define GZIP_MEMORY 8
#define PIECE 65536

static int fill(z_stream *z, int fd, uint64_t *offset, uint8_t in[PIECE])
{
    ssize_t n;

    do {
        n = pread(fd, in, PIECE, (off_t)*offset);
    } while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : -EBADMSG;
    *offset += (uint64_t)n;
    z->next_in = in;
    z->avail_in = (uInt)n;
    return 0;
}

static int inflate_all(z_stream *z, int fd, struct buf *ret)
{
    uint8_t in[PIECE], out[PIECE];
    uint64_t offset = 0;
    int code = Z_OK, r = 0;

    while (code != Z_STREAM_END && r == 0) {
        if (z->avail_in == 0)
            r = fill(z, fd, &offset, in);
        if (r < 0)
            return r;
        z->next_out = out;
        z->avail_out = sizeof(out);
        code = inflate(z, Z_NO_FLUSH);
        if (code == Z_MEM_ERROR)
            return -ENOMEM;
        if (code != Z_OK && code != Z_STREAM_END)
            return -EBADMSG;
        r = buf_add(ret, out, sizeof(out) - z->avail_out);
    }
    return r;
}

int gzip_read(int fd, struct buf *ret)
{
    z_stream z = {0};
    int r;

    if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
        return -ENOMEM;
    r = inflate_all(&z, fd, ret);
    (void)inflateEnd(&z);
    return r;
}

int gzip_write(const void *data, size_t n, int (*write)(void *userdata, const void *data, size_t n),
               void *userdata)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)n};
    uint8_t out[PIECE];
    int code = Z_OK, r = 0;

    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_ONLY, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    while (code != Z_STREAM_END && r == 0) {
        z.next_out = out;
        z.avail_out = sizeof(out);
        code = deflate(&z, Z_FINISH);
        r = write(userdata, out, sizeof(out) - z.avail_out);
    }
    (void)deflateEnd(&z);
    return r;
}
