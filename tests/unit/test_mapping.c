/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/rawtrace.h"
#include "tests/support/scratch.h"
#include "trace/common/mapping.h"

#define WINDOW ((size_t)4 << 20)

static int open_file(const char *name, const void *data, size_t n, off_t at)
{
    int fd = open(scratch_write(scratch_dir, name, data, n, 0600), O_RDWR | O_CLOEXEC);

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

static void flush(int fd)
{
    assert_int_equal(write(fd, rawtrace.data, rawtrace.n), rawtrace.n);
    rawtrace.n = 0;
}

/* Two generations of 40 MiB, of one thread that has more to say than fits into memory. */
static int large_trace(void)
{
    int fd = open(scratch_write(scratch_dir, "large", "", 0, 0600), O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    rawtrace_begin(26);
    for (uint64_t i = 0; i < 2; i++) {
        rawtrace_sync();
        rawtrace_begin_running(200 + i * 2000000000);
        rawtrace_end_batch();
        flush(fd);
        for (uint64_t n = 0; n < 700; n++) {
            rawtrace_begin_batch(5, 1000 + i * 2000000000 + n * 100000);
            while (rawtrace_batch.n < 60000)
                EVENT2(HEAP_ALLOC, 3, UINT64_MAX - rawtrace_batch.n * n);
            rawtrace_end_batch();
            flush(fd);
        }
        rawtrace_tables();
        rawtrace_begin_batch(5, 1500000000 + i * 2000000000);
        EVENT3(GO_STOP, 10, 4, 7);
        EVENT3(GO_START, 10, 1, 1);
        rawtrace_end_batch();
        rawtrace_end_generation();
        flush(fd);
    }
    return fd;
}

/* KiB of files that are in memory. */
static unsigned long in_memory(void)
{
    FILE *f = fopen("/proc/self/status", "re");
    unsigned long kib = 0;
    char line[256];

    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        if (strncmp(line, "RssFile:", 8) == 0)
            kib = strtoul(line + 8, NULL, 10);
    (void)fclose(f);
    assert_true(kib > 0);
    return kib;
}

/* As drain, with the most that was in memory of files and of the reader's own. */
static size_t drain_large(struct gotrace *t, uint64_t *ret_hash, unsigned long *ret_files,
                          size_t *ret_memory)
{
    const struct gotrace_event *e;
    uint64_t hash = 0;
    size_t n = 0;

    *ret_files = 0;
    *ret_memory = 0;
    for (; gotrace_next(t, &e) > 0; n++) {
        hash = hash * 31 + (uint64_t)e->time + e->type + e->args[0] + e->stack;
        if (n % 100000 == 0 || e->kind == GOTRACE_SYNC) {
            unsigned long files = in_memory();

            *ret_files = files > *ret_files ? files : *ret_files;
            *ret_memory = gotrace_memory(t) > *ret_memory ? gotrace_memory(t) : *ret_memory;
        }
    }
    assert_int_equal(gotrace_last_error(t).code, 0);
    *ret_hash = hash;
    return n;
}

static ssize_t read_on(void *userdata, void *data, size_t n)
{
    return read(*(int *)userdata, data, n < 100000 ? n : 100000);
}

static int unnamed(void *userdata)
{
    int *times = userdata, fd = open(scratch_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    (*times)++;
    return fd;
}

static int nowhere(void *userdata)
{
    (void)userdata;
    return -ENOSPC;
}

/* Of a generation that is larger than what memory is meant for, only the places are kept. */
static void test_large(void **state)
{
    const struct gotrace_options ample = {.max_generation_bytes = SIZE_MAX};
    const struct gotrace_event *e;
    unsigned long before = in_memory(), files;
    uint64_t expected_hash, hash;
    size_t expected, memory;
    struct gotrace *t;
    int fd = large_trace(), times = 0, r;

    (void)state;
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(gotrace_open(&ample, read_on, &fd, &t), 0);
    expected = drain(t, &expected_hash);
    gotrace_close(t);

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(gotrace_open_mapped(NULL, fd, &t), 0);
    assert_int_equal(drain_large(t, &hash, &files, &memory), expected);
    assert_int_equal(hash, expected_hash);
    assert_true(files < before + MAPPING_AMPLE / 1024 + 4096);
    assert_true(memory < 1 << 20);
    gotrace_close(t);

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(gotrace_open(NULL, read_on, &fd, &t), 0);
    gotrace_spill(t, unnamed, &times);
    assert_int_equal(drain_large(t, &hash, &files, &memory), expected);
    assert_int_equal(hash, expected_hash);
    assert_int_equal(times, 1);
    assert_true(files < before + MAPPING_AMPLE / 1024);
    assert_true(memory < MAPPING_AMPLE + (4 << 20));
    gotrace_close(t);

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(gotrace_open(NULL, read_on, &fd, &t), 0);
    gotrace_spill(t, nowhere, NULL);
    while ((r = gotrace_next(t, &e)) > 0)
        ;
    assert_int_equal(r, -ENOSPC);
    gotrace_close(t);
    (void)close(fd);
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
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests_name("mapping", tests, scratch_setup, scratch_teardown);
}
