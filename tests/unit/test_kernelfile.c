/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/context/kernelfile.h"
#include "tests/support/hosttree.h"
#include "tests/support/scratch.h"

static void test_number(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
        const char *rest;
    } rows[] = {
        {"0", 0, ""},
        {"17 18", 17, " 18"},
        {" \t4\n", 4, "\n"},
        {"9223372036854775807", INT64_MAX, ""},
        {"9223372036854775808", CONTEXT_ABSENT, ""},
        {"99999999999999999999999", CONTEXT_ABSENT, ""},
        {"", CONTEXT_ABSENT, ""},
        {"-1", CONTEXT_ABSENT, "-1"},
        {"+1", CONTEXT_ABSENT, "+1"},
        {"max", CONTEXT_ABSENT, "max"},
        {"\n5", CONTEXT_ABSENT, "\n5"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *end;

        assert_int_equal(kernelfile_number(rows[i].text, &end), rows[i].value);
        assert_string_equal(end, rows[i].rest);
        assert_int_equal(kernelfile_number(rows[i].text, NULL), rows[i].value);
    }
}

static void test_key(void **state)
{
    static const char text[] =
        "usage_usec 70\nnr_periods 5\nnr_throttled\t4\n_usec 9\nbad x\nend 1";

    (void)state;
    assert_int_equal(kernelfile_key(text, "usage_usec"), 70);
    assert_int_equal(kernelfile_key(text, "nr_periods"), 5);
    assert_int_equal(kernelfile_key(text, "nr_throttled"), 4);
    assert_int_equal(kernelfile_key(text, "_usec"), 9);
    assert_int_equal(kernelfile_key(text, "end"), 1);
    assert_int_equal(kernelfile_key(text, "nr"), CONTEXT_ABSENT);
    assert_int_equal(kernelfile_key(text, "bad"), CONTEXT_ABSENT);
    assert_int_equal(kernelfile_key(text, "throttled_usec"), CONTEXT_ABSENT);
    assert_int_equal(kernelfile_key("", "end"), CONTEXT_ABSENT);
    assert_int_equal(kernelfile_key("end", "end"), CONTEXT_ABSENT);
}

static void test_list(void **state)
{
    static const struct {
        const char *text;
        int64_t n;
    } rows[] = {
        {"0-1\n", 2},           {"0", 1},
        {"0-3,8,10-11\n", 7},   {"\t5\nMems_allowed:", 1},
        {"", CONTEXT_ABSENT},   {"3-1", CONTEXT_ABSENT},
        {"0-", CONTEXT_ABSENT}, {"0,", CONTEXT_ABSENT},
        {"x", CONTEXT_ABSENT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(kernelfile_list(rows[i].text), rows[i].n);
    /* More than can be counted. */
    assert_int_equal(kernelfile_list("0-9223372036854775807"), CONTEXT_ABSENT);
    assert_int_equal(kernelfile_list("1-9223372036854775807,5"), CONTEXT_ABSENT);
}

static void test_arithmetic(void **state)
{
    const struct context_pressure before = {5, CONTEXT_ABSENT}, after = {7, 9};
    struct context_pressure grown = kernelfile_pressure_grown(&before, &after);

    (void)state;
    assert_int_equal(kernelfile_scaled(3, 1000), 3000);
    assert_int_equal(kernelfile_scaled(CONTEXT_ABSENT, 1000), CONTEXT_ABSENT);
    assert_int_equal(kernelfile_scaled(INT64_MAX / 10, 1000), CONTEXT_ABSENT);
    assert_int_equal(kernelfile_grown(3, 5), 2);
    assert_int_equal(kernelfile_grown(3, 3), 0);
    assert_int_equal(kernelfile_grown(5, 3), CONTEXT_ABSENT);
    assert_int_equal(kernelfile_grown(CONTEXT_ABSENT, 3), CONTEXT_ABSENT);
    assert_int_equal(kernelfile_grown(3, CONTEXT_ABSENT), CONTEXT_ABSENT);
    assert_int_equal(grown.some, 2);
    assert_int_equal(grown.full, CONTEXT_ABSENT);
}

static int64_t some, full;

static void pressure_of(const char *text)
{
    int dir = open(scratch_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct context_pressure p;

    (void)scratch_text(scratch_dir, "pressure", text);
    p = kernelfile_pressure(dir, "pressure");
    some = p.some;
    full = p.full;
    (void)close(dir);
}

static void test_pressure(void **state)
{
    (void)state;
    pressure_of("some avg10=0.00 avg60=0.00 avg300=0.00 total=51306611\n"
                "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
    assert_int_equal(some, 51306611000);
    assert_int_equal(full, 7000);
    pressure_of("some avg10=0.00 avg60=0.00 avg300=0.00 total=3\n"); /* before Linux 5.13 */
    assert_int_equal(some, 3000);
    assert_int_equal(full, CONTEXT_ABSENT);
    pressure_of("some avg10=0.00\nfull avg10=0.00 total=3\n");
    assert_int_equal(some, CONTEXT_ABSENT);
    assert_int_equal(full, 3000);
    pressure_of("some total=x\nfull total=99999999999999999999\n");
    assert_int_equal(some, CONTEXT_ABSENT);
    assert_int_equal(full, CONTEXT_ABSENT);
    pressure_of("");
    assert_int_equal(some, CONTEXT_ABSENT);
}

/* What is no file of the kernel's neither blocks nor grows. */
static void test_read(void **state)
{
    int dir = open(scratch_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char text[16];
    char *huge = malloc(1 << 20);

    (void)state;
    memset(huge, '7', 1 << 20);
    (void)scratch_write(scratch_dir, "huge", huge, 1 << 20, 0600);
    assert_int_equal(kernelfile_read(dir, "huge", text, sizeof(text)), sizeof(text) - 1);
    assert_string_equal(text, "777777777777777");
    assert_int_equal(kernelfile_value(dir, "huge"), CONTEXT_ABSENT);
    assert_int_equal(kernelfile_read(dir, "none", text, sizeof(text)), -ENOENT);
    assert_string_equal(text, "");
    assert_int_equal(kernelfile_value(dir, "none"), CONTEXT_ABSENT);
    assert_int_equal(mkfifo(scratch_path(scratch_dir, "fifo"), 0600), 0);
    assert_int_equal(kernelfile_read(dir, "fifo", text, sizeof(text)), 0);
    assert_int_equal(mkdir(scratch_path(scratch_dir, "dir"), 0700), 0);
    assert_int_equal(kernelfile_read(dir, "dir", text, sizeof(text)), -EISDIR);
    assert_int_equal(symlink("huge", scratch_path(scratch_dir, "link")), 0);
    assert_int_equal(kernelfile_read(dir, "link", text, sizeof(text)), -ELOOP);
    assert_string_equal(text, "");
    assert_int_equal(kernelfile_read(-1, "huge", text, sizeof(text)), -EBADF);
    (void)scratch_text(scratch_dir, "value", "42\n");
    assert_int_equal(kernelfile_value(dir, "value"), 42);
    free(huge);
    (void)close(dir);
}

/* Only what the kernel fills is believed. */
static void test_ordinary(void **state)
{
    static const long kernels[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC,
                                   CGROUP2_SUPER_MAGIC};
    static const long others[] = {TMPFS_MAGIC, EXT4_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC,
                                  FUSE_SUPER_MAGIC};
    int dir = open(scratch_dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;
    char text[16];

    (void)state;
    (void)scratch_text(scratch_dir, "value", "42\n");
    for (size_t i = 0; i < 4; i++) {
        hosttree_type = kernels[i];
        assert_int_equal(kernelfile_value(dir, "value"), 42);
        hosttree_type = others[i];
        assert_int_equal(kernelfile_value(dir, "value"), CONTEXT_ABSENT);
        assert_int_equal(kernelfile_read(dir, "value", text, sizeof(text)), -EXDEV);
        assert_string_equal(text, "");
        assert_int_equal(kernelfile_open(dir, ".", O_PATH | O_DIRECTORY), -EXDEV);
    }
    hosttree_reset();
    fd = kernelfile_open(dir, ".", O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    (void)close(fd);
    (void)close(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number),   cmocka_unit_test(test_key),
        cmocka_unit_test(test_list),     cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_pressure), cmocka_unit_test(test_read),
        cmocka_unit_test(test_ordinary),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
