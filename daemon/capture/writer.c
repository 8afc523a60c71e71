/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/write.h"

/*
 * Bytes per write. libcurl delivers at most 16 KiB at a time, at odd offsets; writing whole blocks
 * at aligned offsets costs the kernel less than half as much.
 */
#define BLOCK ((size_t)64 << 10)

/*
 * After each stride of this many bytes, write-back of its pages is started, and the page cache of
 * what is already on disk is freed. So a large trace takes two strides of page cache instead of its
 * size. That matters because page cache counts against the container's memory limit, and because
 * reused pages are still in the CPU's caches.
 */
#define STRIDE ((uint64_t)8 << 20)

int writer_init(struct writer *w, int fd)
{
    *w = (struct writer){.fd = fd, .block = malloc(BLOCK)};
    return w->block ? 0 : -ENOMEM;
}

void writer_done(struct writer *w)
{
    free(w->block);
    w->block = NULL;
}

void writer_reserve(struct writer *w, uint64_t bytes)
{
    uint64_t from = w->reserved > w->written ? w->reserved : w->written;

    if (bytes <= STRIDE || bytes <= from || w->never_reserve)
        return;
    if (fallocate(w->fd, FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(bytes - from)) == 0)
        w->reserved = bytes;
    else if (errno != EINTR)
        w->never_reserve = true; /* no error yet: if something is wrong, the writes report it */
}

/* Frees the pages of the last two strides that are clean. For dirty ones this only starts
 * write-back; the next call frees them. */
static void drop_pages(const struct writer *w)
{
    uint64_t from = w->written >= 2 * STRIDE ? w->written - 2 * STRIDE : 0;

    (void)posix_fadvise(w->fd, (off_t)from, (off_t)(w->written - from), POSIX_FADV_DONTNEED);
}

int writer_flush(struct writer *w)
{
    int r = write_all(w->fd, w->block, w->block_len);

    if (r >= 0) {
        w->written += w->block_len;
        if (w->block_len == BLOCK && w->written % STRIDE == 0)
            drop_pages(w);
    }
    w->block_len = 0;
    return r;
}

int writer_add(struct writer *w, const char *data, size_t n)
{
    int r = 0;

    while (n > 0 && r == 0) {
        size_t len = n < BLOCK - w->block_len ? n : BLOCK - w->block_len;

        memcpy(w->block + w->block_len, data, len);
        w->block_len += len;
        data += len;
        n -= len;
        if (w->block_len == BLOCK)
            r = writer_flush(w);
    }
    return r;
}
