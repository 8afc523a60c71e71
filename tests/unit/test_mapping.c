/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/rawtrace.h"
#include "tests/support/scratch.h"
#include "trace/common/mapping.h"

#define WINDOW ((size_t)4 << 20)

static char *dir;

static int setup(void **state)
{
    (void)state;
    dir = scratch_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_free(dir);
    return 0;
}

static int open_file(const char *name, const void *data, size_t n, off_t at)
{
    int fd = open(scratch_write(dir, name, data, n, 0600), O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, at, SEEK_SET), at);
    return fd;
}

/* Every byte comes once, from whatever offset a window is asked for; earlier windows stay. */
static void test_windows(void **state)
{
    struct memory mem = {.max = SIZE_MAX};
    size_t size = 2 * WINDOW + 12345, at = 7, n = 0;
    uint8_t *file = malloc(size), *bytes = NULL, *before = NULL;
    struct mapping map;
    int fd;

    (void)state;
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        file[i] = (uint8_t)(i * 2654435761U >> 24);
    fd = open_file("windows", file, size, (off_t)at);
    assert_int_equal(mapping_init(&map, &mem, fd), 0);
    for (unsigned i = 0; i < 3; i++) {
        before = bytes;
        assert_int_equal(mapping_next(&map, at - 7, &bytes, &n), 0);
        assert_true(n > 0 && n <= WINDOW && n >= (i < 2 ? WINDOW / 2 : 1));
        assert_memory_equal(bytes, file + at, n);
        at += n - (i < 2 ? 1000 : 0); /* what was not complete is asked for again */
    }
    assert_int_equal(at, size);
    assert_memory_equal(before, file + WINDOW - 1000, 4096);
    assert_int_equal(bytes[n] | bytes[n + 63], 0);
    mapping_release(&map);
    assert_memory_equal(bytes, file + size - n, n);
    assert_int_equal(mapping_next(&map, at - 7, &bytes, &n), 0);
    assert_int_equal(n, 0);
    mapping_done(&map);
    assert_int_equal(mem.used, 0);
    (void)close(fd);
    free(file);
}

/* Reads to the end; how many events, and what they say. */
static size_t drain(struct gotrace *t, uint64_t *ret_hash)
{
    const struct gotrace_event *e;
    uint64_t hash = 0;
    size_t n = 0;

    for (; gotrace_next(t, &e) > 0; n++)
        hash = hash * 31 + (uint64_t)e->time + e->type + e->args[0] + e->stack;
    assert_int_equal(gotrace_last_error(t).code, 0);
    *ret_hash = hash;
    return n;
}

/* Mapped or read, the trace is the same; also where the file ends with a page, or is none. */
static void test_reader(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), before, n, expected;
    static uint8_t file[1 << 20];
    uint64_t hash, expected_hash;
    struct gotrace *t;
    int fd, ends[2];

    (void)state;
    rawtrace_small();
    t = rawtrace_open(rawtrace.n, NULL);
    expected = drain(t, &expected_hash);
    gotrace_close(t);
    for (size_t past = 0; past < 80; past += 13) {
        before = 4 * page - rawtrace.n + past;
        memcpy(file + before, rawtrace.data, rawtrace.n);
        fd = open_file("trace", file, before + rawtrace.n, (off_t)before);
        assert_int_equal(gotrace_open_mapped(NULL, fd, &t), 0);
        n = drain(t, &hash);
        assert_int_equal(n, expected);
        assert_int_equal(hash, expected_hash);
        assert_int_equal(gotrace_bytes_read(t), rawtrace.n);
        assert_int_equal(lseek(fd, 0, SEEK_CUR), before);
        gotrace_close(t);
        (void)close(fd);
    }
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], rawtrace.data, rawtrace.n), rawtrace.n);
    (void)close(ends[1]);
    assert_int_equal(gotrace_open_mapped(NULL, ends[0], &t), 0);
    assert_int_equal(drain(t, &hash), expected);
    assert_int_equal(hash, expected_hash);
    gotrace_close(t);
    (void)close(ends[0]);
}

/* A file that is cut below what was mapped: the signal that gotrace.h tells of. */
static void test_cut(void **state)
{
    struct gotrace *t;
    int fd, status;
    pid_t child;

    (void)state;
    rawtrace_small();
    fd = open_file("cut", rawtrace.data, rawtrace.n, 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct gotrace_event *e;

        (void)signal(SIGBUS, SIG_DFL);
        if (gotrace_open_mapped(NULL, fd, &t) < 0 || ftruncate(fd, 0) < 0)
            _exit(1);
        while (gotrace_next(t, &e) > 0)
            ;
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_reader),
        cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests_name("mapping", tests, setup, teardown);
}
