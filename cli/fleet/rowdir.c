/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/rowdir.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "cli/common/landing.h"
#include "lib/rows/rowfile.h"

#define GZIP_WINDOW (15 + 16) /* zlib.h: the greatest window, in gzip's format */
#define GZIP_MEMORY 8
#define PIECE (64u << 10)

struct rowdir {
    int out;
    bool open; /* a file is being written */
    char path[ROWFILE_KEY_MAX];
    struct landing landing;
    z_stream z;
    uint64_t files;
    unsigned char piece[PIECE];
};

int rowdir_open(const char *path, struct rowdir **ret)
{
    struct rowdir *d = calloc(1, sizeof(*d));
    int fd;

    if (!d)
        return -ENOMEM;
    fd = landing_open(path);
    if (fd < 0) {
        free(d);
        return fd;
    }
    d->out = fd;
    *ret = d;
    return 0;
}

static int squeeze(struct rowdir *d, const char *data, size_t n, int flush)
{
    int z = Z_OK, r = 0;

    d->z.next_in = (z_const Bytef *)data;
    d->z.avail_in = (uInt)n;
    do {
        d->z.next_out = d->piece;
        d->z.avail_out = PIECE;
        z = deflate(&d->z, flush);
        r = landing_write(&d->landing, d->piece, PIECE - d->z.avail_out);
    } while (r >= 0 && d->z.avail_out == 0 && z == Z_OK);
    return r < 0 ? r : z == Z_STREAM_ERROR ? -EIO : 0;
}

static void abandon(struct rowdir *d)
{
    if (!d->open)
        return;
    (void)deflateEnd(&d->z);
    landing_done(&d->landing);
    d->open = false;
}

static int finish(struct rowdir *d)
{
    int r = d->open ? squeeze(d, NULL, 0, Z_FINISH) : 0;

    if (d->open && r >= 0)
        r = landing_finish(&d->landing, true);
    d->files += d->open && r >= 0;
    abandon(d);
    return r;
}

static int begin(struct rowdir *d, const char *path)
{
    int r = landing_init(&d->landing, d->out, path);

    if (r >= 0)
        r = landing_begin(&d->landing);
    if (r < 0) {
        landing_done(&d->landing);
        return r;
    }
    d->z = (z_stream){0};
    if (deflateInit2(&d->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        landing_done(&d->landing);
        return -ENOMEM;
    }
    (void)snprintf(d->path, sizeof(d->path), "%s", path);
    d->open = true;
    return 0;
}

int rowdir_add(struct rowdir *d, const struct name *name, const char *rows, size_t n)
{
    char path[ROWFILE_KEY_MAX];
    struct rowfile f;
    int r = 0;

    (void)rowfile_day(name->time, f.day);
    (void)snprintf(f.service, sizeof(f.service), "%s", name->service);
    (void)snprintf(f.leaf, sizeof(f.leaf), "%s-rebuilt" ROWFILE_READY, name->host);
    (void)rowfile_path(&f, path);
    if (!d->open || strcmp(path, d->path) != 0) {
        r = finish(d);
        if (r >= 0)
            r = begin(d, path);
    }
    return r < 0 ? r : squeeze(d, rows, n, Z_NO_FLUSH);
}

int rowdir_finish(struct rowdir *d, uint64_t *ret_files)
{
    int r = finish(d);

    *ret_files = d->files;
    return r;
}

void rowdir_free(struct rowdir *d)
{
    if (!d)
        return;
    abandon(d);
    (void)close_fd(d->out);
    free(d);
}
