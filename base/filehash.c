/* SPDX-License-Identifier: Apache-2.0 */
#include "base/filehash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"

#define PIECE (32u << 10) /* on a disk thread's stack */
#define DIGEST_SIZE 32

struct filehash {
    struct disk_job job;
    int fd;
    uint64_t size;
    char sha256[FILEHASH_SIZE];
    filehash_fn fn; /* NULL: cancelled. Only the loop uses it, never the thread. */
    void *userdata;
};

int filehash_memory(const void *data, size_t n, char ret[static FILEHASH_SIZE])
{
    unsigned char digest[DIGEST_SIZE];

    if (EVP_Digest(data, n, digest, NULL, EVP_sha256(), NULL) != 1)
        return -ENOMEM;
    hex_encode(digest, sizeof(digest), ret);
    return 0;
}

static int add_file(EVP_MD_CTX *context, int fd, uint64_t size)
{
    unsigned char piece[PIECE];

    for (uint64_t at = 0; at < size;) {
        size_t wanted = size - at < sizeof(piece) ? (size_t)(size - at) : sizeof(piece);
        ssize_t n = pread(fd, piece, wanted, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ENODATA;
        if (EVP_DigestUpdate(context, piece, (size_t)n) != 1)
            return -ENOMEM;
        at += (uint64_t)n;
    }
    return 0;
}

static int run(struct disk_job *job)
{
    struct filehash *h = (struct filehash *)job;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char digest[DIGEST_SIZE];
    int r;

    r = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
    if (r == 0)
        r = add_file(context, h->fd, h->size);
    if (r == 0)
        r = EVP_DigestFinal_ex(context, digest, NULL) == 1 ? 0 : -ENOMEM;
    if (r == 0)
        hex_encode(digest, sizeof(digest), h->sha256);
    EVP_MD_CTX_free(context);
    return r;
}

static void done(struct disk_job *job, int r)
{
    struct filehash *h = (struct filehash *)job;

    (void)close_fd(h->fd);
    if (h->fn)
        h->fn(h->userdata, r, r < 0 ? NULL : h->sha256);
    free(h);
}

int filehash_start(struct disk *disk, int fd, uint64_t size, filehash_fn fn, void *userdata,
                   struct filehash **ret)
{
    struct filehash *h = malloc(sizeof(*h));

    if (!h)
        return -ENOMEM;
    *h = (struct filehash){
        .job = {.run = run, .done = done}, .size = size, .fn = fn, .userdata = userdata};
    h->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (h->fd < 0) {
        int r = -errno;

        free(h);
        return r;
    }
    disk_submit(disk, &h->job);
    *ret = h;
    return 0;
}

void filehash_cancel(struct filehash *h)
{
    if (h)
        h->fn = NULL;
}
