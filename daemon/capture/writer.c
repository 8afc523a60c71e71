/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/write.h"

/*
 * Bytes written at a time. libcurl hands out at most 16 KiB, at odd offsets; whole blocks at even
 * ones cost the kernel less than half of that.
 */
#define BLOCK ((size_t)64 << 10)

/*
 * Every so many bytes the disk is set to work, and the pages that it has finished with are freed.
 * A large trace so takes two strides of page cache instead of its size: they count against the
 * memory limit of the container, and pages used again are warm.
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
        w->never_reserve = true; /* the writes go on, and say what is wrong if something is */
}

/* Also starts the writing of what is still dirty, and leaves that for the next time. */
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
