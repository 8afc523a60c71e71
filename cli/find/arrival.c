/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/find/arrival.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define READ_SIZE (128u << 10)

int arrival_init(struct arrival *a, int out, const char *path)
{
    int r;

    a->hash = NULL;
    r = landing_init(&a->landing, out, path);
    if (r < 0)
        return r;
    a->hash = EVP_MD_CTX_new();
    if (!a->hash) {
        landing_done(&a->landing);
        return -ENOMEM;
    }
    return 0;
}

void arrival_done(struct arrival *a)
{
    landing_done(&a->landing);
    EVP_MD_CTX_free(a->hash);
    a->hash = NULL;
}

int arrival_begin(struct arrival *a)
{
    if (EVP_DigestInit_ex(a->hash, EVP_sha256(), NULL) != 1)
        return -EIO;
    return landing_begin(&a->landing);
}

int arrival_write(struct arrival *a, const void *data, size_t n)
{
    if (EVP_DigestUpdate(a->hash, data, n) != 1)
        return -EIO;
    return landing_write(&a->landing, data, n);
}

static int final_hex(EVP_MD_CTX *hash, char ret[static ARRIVAL_SHA256_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_DigestFinal_ex(hash, digest, &n) != 1 || n != 32)
        return -EIO;
    for (unsigned i = 0; i < n; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

static int hash_file(int fd, EVP_MD_CTX *hash, char *buffer)
{
    ssize_t n;

    if (EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
        return -EIO;
    while ((n = read(fd, buffer, READ_SIZE)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (EVP_DigestUpdate(hash, buffer, (size_t)n) != 1)
            return -EIO;
    }
    return 0;
}

int arrival_existing(const struct arrival *a, char ret_sha256[static ARRIVAL_SHA256_SIZE])
{
    const struct landing *l = &a->landing;
    _cleanup_close_ int fd =
        openat(l->dir, l->leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    _cleanup_free_ char *buffer = NULL;
    EVP_MD_CTX *hash;
    struct stat st;
    int r;

    if (fd < 0)
        return errno == ENOENT ? 0 : errno == ELOOP ? -EISDIR : -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EISDIR;
    buffer = malloc(READ_SIZE);
    hash = EVP_MD_CTX_new();
    r = buffer && hash ? hash_file(fd, hash, buffer) : -ENOMEM;
    if (r == 0)
        r = final_hex(hash, ret_sha256);
    EVP_MD_CTX_free(hash);
    return r < 0 ? r : 1;
}

int arrival_sha256(struct arrival *a, char ret[static ARRIVAL_SHA256_SIZE])
{
    return final_hex(a->hash, ret);
}
