/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lib/store/file/mount.h"
#include "lib/store/file/mark.h"
#include "tests/support/scratch.h"

static char *dir, *base, *memory;
static struct store_result result;

static int setup(void **state)
{
    (void)state;
    dir = scratch_new(NULL);
    base = strdup(scratch_path(dir, "mnt"));
    memory = strdup(scratch_path(dir, "destination"));
    assert_true(base && memory);
    assert_int_equal(mkdir(base, 0755), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(base);
    free(memory);
    scratch_free(dir);
    return 0;
}

static bool check(struct mark *m)
{
    _cleanup_close_ int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    result = (struct store_result){.end = STORE_DONE};
    return mark_check(m, fd, base, &result);
}

/* As a start of contraced would. */
static bool check_anew(void)
{
    struct mark m;
    bool same;

    assert_int_equal(mark_init(&m, memory, false), 0);
    same = check(&m);
    mark_done(&m);
    return same;
}

static void put_aside(const char *name)
{
    assert_int_equal(rename(base, scratch_path(dir, name)), 0);
    assert_int_equal(mkdir(base, 0755), 0);
}

static void put_back(const char *name)
{
    (void)unlink(scratch_path(dir, "mnt/" MARK_NAME));
    assert_int_equal(rmdir(base), 0);
    assert_int_equal(rename(scratch_path(dir, name), base), 0);
}

static void check_parked(const char *why)
{
    assert_int_equal(result.end, STORE_PARKED);
    assert_false(result.trouble);
    assert_non_null(strstr(result.text, why));
    assert_non_null(strstr(result.text, memory));
    assert_int_not_equal(access(scratch_path(dir, "mnt/service"), F_OK), 0);
}

static void test_the_same(void **state)
{
    struct mark m;

    (void)state;
    assert_int_equal(mark_init(&m, memory, false), 0);
    assert_true(check(&m));
    assert_int_equal(access(scratch_path(dir, "mnt/" MARK_NAME), F_OK), 0);
    assert_int_equal(access(memory, F_OK), 0);
    assert_true(check(&m));
    mark_done(&m);
    assert_true(check_anew());
    assert_true(check_anew());
}

static void test_nothing_mounted(void **state)
{
    struct mark m;

    (void)state;
    assert_int_equal(mark_init(&m, memory, false), 0);
    assert_true(check(&m));
    put_aside("disk");
    assert_false(check(&m));
    check_parked("is not the one that traces went to before (it has no .contrace-destination)");
    assert_int_not_equal(access(scratch_path(dir, "mnt/" MARK_NAME), F_OK), 0);
    assert_false(check_anew());
    put_back("disk");
    assert_true(check(&m));
    assert_true(check_anew());
    mark_done(&m);
}

static void test_another_disk(void **state)
{
    (void)state;
    assert_true(check_anew());
    put_aside("disk");
    assert_int_equal(rename(memory, scratch_path(dir, "aside")), 0);
    assert_true(check_anew()); /* marked by another contraced, say */
    assert_int_equal(rename(scratch_path(dir, "aside"), memory), 0);
    assert_false(check_anew());
    check_parked("its .contrace-destination is another one");
    (void)scratch_text(dir, "mnt/" MARK_NAME, "not ours\n");
    assert_false(check_anew());
    check_parked("contraced did not write its .contrace-destination");
    assert_int_equal(unlink(memory), 0);
    assert_true(check_anew());
    assert_true(check_anew());
}

/* Without a restart, too. */
static void test_forgotten_by_hand(void **state)
{
    struct mark m;

    (void)state;
    assert_int_equal(mark_init(&m, memory, false), 0);
    assert_true(check(&m));
    put_aside("disk");
    assert_false(check(&m));
    assert_int_equal(unlink(memory), 0);
    assert_true(check(&m));
    put_back("disk");
    assert_false(check(&m));
    mark_done(&m);
}

/* What could not be written down is known until the end. */
static void test_memory_that_fails(void **state)
{
    struct mark m;

    (void)state;
    assert_int_equal(mark_init(&m, "/proc/none/destination", false), 0);
    assert_true(check(&m));
    assert_true(check(&m));
    put_aside("disk");
    assert_false(check(&m));
    assert_false(check(&m));
    mark_done(&m);
    (void)scratch_text(dir, "destination", "rubbish\n\n");
    assert_true(check_anew());
    assert_true(check_anew());
}

/* Neither is what cannot be read now forgotten. */
static void test_memory_that_cannot_be_read(void **state)
{
    struct mark m;

    (void)state;
    assert_int_equal(mark_init(&m, memory, false), 0);
    assert_true(check(&m));
    put_aside("disk");
    assert_int_equal(rename(memory, scratch_path(dir, "aside")), 0);
    assert_int_equal(symlink("destination", memory), 0);
    assert_false(check(&m));
    assert_non_null(strstr(result.text, "cannot read"));
    assert_false(check_anew());
    assert_int_equal(rename(scratch_path(dir, "aside"), memory), 0);
    assert_false(check(&m));
    check_parked("it has no .contrace-destination");
    put_back("disk");
    assert_true(check(&m));
    mark_done(&m);
}

static void test_other_path(void **state)
{
    (void)state;
    assert_true(check_anew());
    free(base);
    base = strdup(scratch_path(dir, "other"));
    assert_int_equal(mkdir(base, 0755), 0);
    assert_true(check_anew());
    assert_true(check_anew());
}

static void test_rubbish_in_the_marks_place(void **state)
{
    (void)state;
    (void)scratch_text(dir, "mnt/" MARK_NAME, "a person's\n");
    assert_true(check_anew()); /* nothing is known, and nothing is overwritten */
    assert_int_not_equal(access(memory, F_OK), 0);
    assert_true(check_anew());
}

static void test_no_memory_no_mark(void **state)
{
    struct mark m;

    (void)state;
    assert_int_equal(mark_init(&m, NULL, false), 0);
    assert_true(check(&m));
    assert_int_not_equal(access(scratch_path(dir, "mnt/" MARK_NAME), F_OK), 0);
    mark_done(&m);
}

static void test_require_mount(void **state)
{
    _cleanup_close_ int proc = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int here = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct mark m;

    (void)state;
    assert_int_equal(mount_above(root), 0);
    assert_int_equal(mount_above(proc), 1);
    if (mount_above(here) != 0)
        skip();
    assert_int_equal(mark_init(&m, memory, true), 0);
    assert_false(check(&m));
    assert_int_equal(result.end, STORE_PARKED);
    assert_non_null(strstr(result.text, "upload.require_mount is set: mount its disk"));
    assert_int_not_equal(access(memory, F_OK), 0);
    mark_done(&m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_same),          TEST(test_nothing_mounted),
        TEST(test_another_disk),      TEST(test_forgotten_by_hand),
        TEST(test_memory_that_fails), TEST(test_memory_that_cannot_be_read),
        TEST(test_other_path),        TEST(test_rubbish_in_the_marks_place),
        TEST(test_no_memory_no_mark), TEST(test_require_mount),
    };

    return cmocka_run_group_tests_name("mark", tests, NULL, NULL);
}
