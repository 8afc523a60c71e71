/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/file/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/write.h"
#include "lib/store/file/chain.h"
#include "lib/store/file/entry.h"
#include "lib/store/file/mark.h"

#define FILE_MODE 0640
#define PIECE ((size_t)256 << 10)
/* Bytes after which cached pages are dropped, as they count as our memory. */
#define STRIDE ((uint64_t)8 << 20)
#define ASIDE_PREFIX ".contrace-"
#define ASIDE_SUFFIX ".tmp"
#define ASIDE_SIZE 48
#define SHA256_SIZE 32

/* An error of the base directory gets a longer text: a person must create it. */
static void explain_base(int error, const char *base, struct store_result *ret)
{
    entry_explain(error, "open", base, "", ret);
    if (error != -ENOENT && error != -ENOTDIR)
        return;
    ret->end = STORE_PARKED;
    ret->trouble = false;
    (void)snprintf(ret->text, sizeof(ret->text),
                   "the directory %s does not exist: create it or mount it; it is never created "
                   "here, lest a disk that is not mounted go unnoticed",
                   base);
}

int directory_open(const char *base, struct store_result *ret)
{
    int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        explain_base(-errno, base, ret);
    return fd;
}

bool directory_is_aside(const char *leaf)
{
    size_t n = strlen(leaf), suffix = strlen(ASIDE_SUFFIX);

    return strncmp(leaf, ASIDE_PREFIX, strlen(ASIDE_PREFIX)) == 0 && n > suffix &&
           strcmp(leaf + n - suffix, ASIDE_SUFFIX) == 0;
}

bool directory_is_ours(const char *leaf)
{
    return strcmp(leaf, MARK_NAME) == 0 || directory_is_aside(leaf);
}

static void give_back(int fd, uint64_t before, uint64_t after)
{
    if (after / STRIDE != before / STRIDE)
        (void)posix_fadvise(fd, 0, (off_t)after, POSIX_FADV_DONTNEED);
}

/* Up to n bytes from `offset`; 0 at the end. */
static ssize_t read_at(int fd, void *piece, size_t n, uint64_t offset)
{
    ssize_t got;

    do
        got = pread(fd, piece, n, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static int finish_hash(EVP_MD_CTX *hash, char hex[static STORE_SHA256_SIZE])
{
    unsigned char digest[SHA256_SIZE];

    if (EVP_DigestFinal_ex(hash, digest, NULL) != 1)
        return -ENOMEM;
    hex_encode(digest, sizeof(digest), hex);
    return 0;
}

static int hash_pieces(int fd, EVP_MD_CTX *hash, const atomic_bool *stop, uint64_t *ret_size)
{
    _cleanup_free_ char *piece = malloc(PIECE);
    uint64_t size = 0;
    ssize_t n = piece ? 1 : -ENOMEM;

    while (n > 0) {
        if (atomic_load(stop))
            return -ECANCELED;
        n = read_at(fd, piece, PIECE, size);
        if (n > 0 && EVP_DigestUpdate(hash, piece, (size_t)n) != 1)
            return -ENOMEM;
        if (n > 0) {
            give_back(fd, size, size + (uint64_t)n);
            size += (uint64_t)n;
        }
    }
    *ret_size = size;
    return (int)n;
}

/* Reads all of a file. */
static int hash_file(int fd, const atomic_bool *stop, uint64_t *ret_size,
                     char hex[static STORE_SHA256_SIZE])
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    int r = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;

    if (r >= 0)
        r = hash_pieces(fd, hash, stop, ret_size);
    if (r >= 0)
        r = finish_hash(hash, hex);
    EVP_MD_CTX_free(hash);
    return r;
}

struct put {
    const struct directory_file *f;
    struct chain chain;
    char aside[ASIDE_SIZE];
    const char *doing; /* for people, when it fails */
    bool source;       /* our own file cannot be read */
};

/* Reads the next piece to write, at most PIECE bytes. */
static ssize_t next_piece(struct put *p, char *piece, uint64_t offset, const char **ret)
{
    const struct directory_file *f = p->f;
    size_t n = f->size - offset < PIECE ? (size_t)(f->size - offset) : PIECE;
    ssize_t got;

    if (f->data) {
        *ret = (const char *)f->data + offset;
        return (ssize_t)n;
    }
    *ret = piece;
    got = read_at(f->fd, piece, n, offset);
    p->source = got < 0;
    return got == 0 ? -EBADMSG : got; /* it has become shorter */
}

/*
 * Copies through our memory rather than inside the kernel, so that the hash is of the bytes that
 * are written.
 */
static int copy_pieces(struct put *p, int to, EVP_MD_CTX *hash)
{
    _cleanup_free_ char *piece = p->f->data ? NULL : malloc(PIECE);
    const char *data;
    ssize_t n;
    int r;

    if (!p->f->data && !piece)
        return -ENOMEM;
    for (uint64_t done = 0; done < p->f->size; done += (uint64_t)n) {
        if (atomic_load(p->f->stop))
            return -ECANCELED;
        n = next_piece(p, piece, done, &data);
        if (n < 0)
            return (int)n;
        if (EVP_DigestUpdate(hash, data, (size_t)n) != 1)
            return -ENOMEM;
        r = write_all(to, data, (size_t)n);
        if (r < 0)
            return r;
        give_back(to, done, done + (uint64_t)n);
        if (!p->f->data)
            give_back(p->f->fd, done, done + (uint64_t)n);
    }
    return 0;
}

static int copy(struct put *p, int to)
{
    char hex[STORE_SHA256_SIZE];
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    int r = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;

    if (r >= 0)
        r = copy_pieces(p, to, hash);
    if (r >= 0)
        r = finish_hash(hash, hex);
    EVP_MD_CTX_free(hash);
    if (r >= 0 && p->f->sha256 && strcmp(hex, p->f->sha256) != 0)
        r = -EBADMSG;
    return r;
}

/* Writes the bytes under a temporary name and syncs them; or leaves nothing. */
static int write_aside(struct put *p)
{
    int dir = chain_dir(&p->chain);
    _cleanup_close_ int fd = -1;
    uint64_t number;
    int r;

    p->doing = "write";
    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
        return -EIO;
    (void)snprintf(p->aside, sizeof(p->aside), ASIDE_PREFIX "%016llx" ASIDE_SUFFIX,
                   (unsigned long long)number);
    fd = openat(dir, p->aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return errno == EEXIST ? -EIO : -errno; /* -EEXIST is reserved for the key itself */
    r = copy(p, fd);
    if (r >= 0 && fsync(fd) < 0) {
        p->doing = "sync";
        r = -errno; /* do not sync this file again: after an error its pages count as clean */
    }
    if (r >= 0)
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (r < 0)
        (void)unlinkat(dir, p->aside, 0);
    return r;
}

/* Renames the temporary file to its key, durably; or removes it. */
static int place(struct put *p)
{
    int dir = chain_dir(&p->chain), r;

    p->doing = "rename a file to";
    if (p->f->if_none_match)
        r = entry_place_new(dir, p->aside, p->chain.leaf);
    else
        r = renameat2(dir, p->aside, dir, p->chain.leaf, 0) < 0 ? -errno : 0;
    if (r < 0) {
        (void)unlinkat(dir, p->aside, 0);
        return r;
    }
    p->doing = "sync the directory of";
    r = chain_sync(&p->chain);
    if (r < 0) /* after an error a later success would prove nothing */
        (void)unlinkat(dir, p->chain.leaf, 0);
    return r == -EEXIST ? -EIO : r;
}

/* Compares the file that has the key. 1: the same bytes, and durable; 0: other bytes, or no
 * file. */
static int same_is_there(struct put *p)
{
    char hex[STORE_SHA256_SIZE];
    _cleanup_close_ int fd = -1;
    struct stat st;
    uint64_t size;
    int r;

    p->doing = "read";
    fd =
        openat(chain_dir(&p->chain), p->chain.leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP ? 0 : -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != p->f->size || !p->f->sha256)
        return 0;
    r = hash_file(fd, p->f->stop, &size, hex);
    if (r < 0)
        return r;
    if (size != p->f->size || strcmp(hex, p->f->sha256) != 0)
        return 0;
    p->doing = "sync";
    if (fsync(fd) < 0)
        return -errno;
    r = chain_sync(&p->chain);
    return r < 0 ? r : 1;
}

static int put(struct put *p)
{
    int r;

    p->doing = "make the directory of";
    r = chain_walk(&p->chain, p->f->key, true);
    if (r == 0 && directory_is_ours(p->chain.leaf))
        r = -EINVAL;
    if (r < 0)
        return r;
    if (p->f->if_none_match) {
        r = same_is_there(p);
        if (r != 0)
            return r < 0 ? r : 0;
    }
    r = write_aside(p);
    if (r >= 0)
        r = place(p);
    if (r == -EEXIST && same_is_there(p) > 0)
        r = 0; /* somebody was faster */
    return r;
}

static void explain_put(const struct put *p, int error, const char *base, struct store_result *ret)
{
    char what[128];

    if (error == -EBADMSG) {
        ret->end = STORE_CHANGED;
        (void)snprintf(ret->text, sizeof(ret->text), "%s is not what it was when it was hashed",
                       p->f->key);
    } else if (p->source) {
        ret->end = STORE_LOCAL;
        (void)snprintf(ret->text, sizeof(ret->text), "cannot read the local file of %s: %s",
                       p->f->key, strerror_r(-error, what, sizeof(what)));
    } else {
        entry_explain(error, p->doing, base, p->f->key, ret);
    }
}

void directory_put(const char *base, struct mark *mark, const struct directory_file *f,
                   struct store_result *ret)
{
    struct put p = {.f = f};
    int r;

    *ret = (struct store_result){.end = STORE_DONE};
    p.chain.fds[0] = directory_open(base, ret);
    if (p.chain.fds[0] < 0)
        return;
    p.chain.n = 1;
    r = mark_check(mark, p.chain.fds[0], base, ret) ? put(&p) : 0;
    if (r < 0)
        explain_put(&p, r, base, ret);
    chain_close(&p.chain);
}

static int open_file(struct chain *c, const char *key)
{
    _cleanup_close_ int fd = -1;
    struct stat st;
    int r = chain_walk(c, key, false);

    if (r == 0 && directory_is_ours(c->leaf))
        r = -ENOENT;
    if (r < 0)
        return r;
    fd = openat(chain_dir(c), c->leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? steal_fd(&fd) : -ENOENT;
}

int directory_open_file(const char *base, const char *key, struct store_result *ret)
{
    struct chain c = {.fds = {directory_open(base, ret)}, .n = 1};
    int fd;

    if (c.fds[0] < 0)
        return -1;
    fd = open_file(&c, key);
    chain_close(&c);
    if (fd >= 0)
        return fd;
    entry_explain(fd, "open", base, key, ret);
    if (fd == -ENOENT)
        *ret = (struct store_result){.end = STORE_MISSING};
    return -1;
}

void directory_head(const char *base, const char *key, const atomic_bool *stop,
                    struct store_result *ret)
{
    _cleanup_close_ int fd = -1;
    int r;

    *ret = (struct store_result){.end = STORE_DONE};
    fd = directory_open_file(base, key, ret);
    if (fd < 0)
        return;
    r = hash_file(fd, stop, &ret->size, ret->sha256);
    if (r < 0)
        entry_explain(r, "read", base, key, ret);
}
