/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/scratch.h"

#define MIB ((uint64_t)1 << 20)

int __real_fallocate(int fd, int mode, off_t offset, off_t len);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len);
ssize_t __real_write(int fd, const void *data, size_t n);
ssize_t __wrap_write(int fd, const void *data, size_t n);

static struct {
    int error; /* for every fallocate */
    int calls;
    off_t offset, len; /* of the last */
    uint64_t write_most;
    int write_error; /* once, of the next write */
} fake;

int __wrap_fallocate(int fd, int mode, off_t offset, off_t len)
{
    fake.calls++;
    fake.offset = offset;
    fake.len = len;
    if (!fake.error)
        return __real_fallocate(fd, mode, offset, len);
    errno = fake.error;
    return -1;
}

ssize_t __wrap_write(int fd, const void *data, size_t n)
{
    if (fake.write_error) {
        errno = fake.write_error;
        fake.write_error = 0;
        return -1;
    }
    return __real_write(fd, data, fake.write_most && n > fake.write_most ? fake.write_most : n);
}

static char *dir;
static int fd;

static int setup(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof(fake));
    dir = scratch_new(NULL);
    fd = open(scratch_path(dir, "trace"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)close(fd);
    scratch_free(dir);
    return 0;
}

/* Bytes that differ at every place within any block. */
static unsigned char byte_at(uint64_t i)
{
    return (unsigned char)(i ^ (i >> 8) ^ (i >> 16));
}

static void add(struct writer *w, uint64_t bytes, size_t piece)
{
    unsigned char data[16384];

    for (uint64_t done = 0; done < bytes;) {
        size_t n = bytes - done < piece ? (size_t)(bytes - done) : piece;

        for (size_t i = 0; i < n; i++)
            data[i] = byte_at(done + i);
        assert_int_equal(writer_add(w, (const char *)data, n), 0);
        done += n;
    }
    assert_int_equal(writer_flush(w), 0);
}

static void check(uint64_t bytes)
{
    struct stat st;
    const unsigned char *data;

    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal((uint64_t)st.st_size, bytes);
    data = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(data, MAP_FAILED);
    for (uint64_t i = 0; i < bytes; i++)
        if (data[i] != byte_at(i))
            fail_msg("byte %llu differs", (unsigned long long)i);
    (void)munmap((void *)(uintptr_t)data, (size_t)bytes);
}

/* Odd pieces, short writes, more than two strides. */
static void test_bytes(void **state)
{
    struct writer w;

    (void)state;
    fake.write_most = 50001;
    assert_int_equal(writer_init(&w, fd), 0);
    add(&w, 20 * MIB + 12345, 16381);
    assert_int_equal(w.written, 20 * MIB + 12345);
    check(20 * MIB + 12345);
    writer_done(&w);
}

/* How much of the file is in the page cache, as pages. */
static size_t cached(uint64_t bytes)
{
    size_t pages = (size_t)(bytes / 4096), n = 0;
    unsigned char *in = malloc(pages);
    void *data = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, fd, 0);

    assert_non_null(in);
    assert_ptr_not_equal(data, MAP_FAILED);
    assert_int_equal(mincore(data, (size_t)bytes, in), 0);
    for (size_t i = 0; i < pages; i++)
        n += in[i] & 1;
    (void)munmap(data, (size_t)bytes);
    free(in);
    return n;
}

/* The pages of what the disk has go while the trace still grows. */
static void test_pages_are_freed(void **state)
{
    struct writer w;

    (void)state;
    assert_int_equal(writer_init(&w, fd), 0);
    add(&w, 8 * MIB, 16384);
    if (fsync(fd) < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0 || cached(8 * MIB) > 0) {
        writer_done(&w);
        print_message("a file system in memory keeps its pages\n");
        skip();
    }
    add(&w, 24 * MIB, 16384);
    assert_true(cached(32 * MIB) < 32 * MIB / 4096);
    writer_done(&w);
}

/* Only what is large is asked for ahead, each byte once. */
static void test_reserve(void **state)
{
    struct writer w;

    (void)state;
    assert_int_equal(writer_init(&w, fd), 0);
    writer_reserve(&w, MIB);
    writer_reserve(&w, 8 * MIB);
    assert_int_equal(fake.calls, 0);
    writer_reserve(&w, 9 * MIB);
    assert_int_equal(fake.calls, 1);
    assert_int_equal(fake.offset, 0);
    writer_reserve(&w, 9 * MIB);
    writer_reserve(&w, 12 * MIB);
    assert_int_equal(fake.calls, 2);
    assert_int_equal(fake.offset, 9 * MIB);
    assert_int_equal(fake.len, 3 * MIB);
    add(&w, 13 * MIB, 16384);
    writer_reserve(&w, 14 * MIB);
    assert_int_equal(fake.offset, 13 * MIB);
    check(13 * MIB); /* the file did not grow by it */
    writer_done(&w);
}

/* A file system that cannot is asked once; writing goes on. */
static void test_reserve_fails(void **state)
{
    struct writer w;

    (void)state;
    fake.error = EOPNOTSUPP;
    assert_int_equal(writer_init(&w, fd), 0);
    writer_reserve(&w, 9 * MIB);
    writer_reserve(&w, 10 * MIB);
    assert_int_equal(fake.calls, 1);
    add(&w, 9 * MIB, 16384);
    check(9 * MIB);
    writer_done(&w);
}

static void test_write_fails(void **state)
{
    static const char block[1 << 16];
    struct writer w;

    (void)state;
    assert_int_equal(writer_init(&w, fd), 0);
    fake.write_error = EINTR;
    assert_int_equal(writer_add(&w, block, sizeof(block)), 0);
    fake.write_error = ENOSPC;
    assert_int_equal(writer_add(&w, block, sizeof(block)), -ENOSPC);
    assert_int_equal(w.written, sizeof(block));
    writer_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pages_are_freed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reserve, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reserve_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_write_fails, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
