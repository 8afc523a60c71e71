/* SPDX-License-Identifier: Apache-2.0 */

/* Arrivals, and with them landings. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/find/arrival.h"
#include "tests/support/scratch.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static char *dir;
static int out;
static size_t descriptors;

static int setup(void **state)
{
    (void)state;
    descriptors = scratch_descriptors();
    dir = scratch_new(NULL);
    out = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return out < 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)close(out);
    scratch_free(dir);
    assert_int_equal(scratch_descriptors(), descriptors);
    return 0;
}

static bool there(const char *name)
{
    struct stat st;

    return lstat(scratch_path(dir, name), &st) == 0;
}

static void check_content(const char *name, const char *expected)
{
    struct buf b;

    buf_init(&b, 1000);
    assert_int_equal(buf_read_file(&b, scratch_path(dir, name)), 0);
    assert_string_equal(buf_str(&b), expected);
    buf_done(&b);
}

static void write_abc(struct arrival *l)
{
    char sha256[ARRIVAL_SHA256_SIZE];

    assert_int_equal(arrival_begin(l), 0);
    assert_int_equal(arrival_write(l, "a", 1), 0);
    assert_int_equal(arrival_write(l, "bc", 2), 0);
    assert_int_equal(arrival_sha256(l, sha256), 0);
    assert_string_equal(sha256, ABC);
    assert_int_equal(l->landing.size, 3);
}

static void test_lands(void **state)
{
    char sha256[ARRIVAL_SHA256_SIZE];
    struct arrival l;

    (void)state;
    assert_int_equal(arrival_init(&l, out, "s/h/x.trace"), 0);
    assert_int_equal(arrival_existing(&l, sha256), 0);
    write_abc(&l);
    assert_true(there("s/h/.x.trace.part"));
    assert_false(there("s/h/x.trace"));
    assert_int_equal(landing_finish(&l.landing, false), 0);
    assert_false(there("s/h/.x.trace.part"));
    check_content("s/h/x.trace", "abc");
    assert_int_equal(arrival_existing(&l, sha256), 1);
    assert_string_equal(sha256, ABC);
    arrival_done(&l);
    assert_true(there("s/h/x.trace"));
}

static void test_what_was_begun_vanishes(void **state)
{
    struct arrival l;

    (void)state;
    assert_int_equal(arrival_init(&l, out, "x"), 0);
    write_abc(&l);
    arrival_done(&l);
    assert_false(there("x") || there(".x.part"));
}

static void test_begins_anew(void **state)
{
    struct arrival l;

    (void)state;
    assert_int_equal(arrival_init(&l, out, "x"), 0);
    assert_int_equal(arrival_begin(&l), 0);
    assert_int_equal(arrival_write(&l, "another beginning", 17), 0);
    write_abc(&l);
    assert_int_equal(landing_finish(&l.landing, false), 0);
    arrival_done(&l);
    check_content("x", "abc");
}

static void test_replaces_only_when_told(void **state)
{
    struct arrival l;

    (void)state;
    (void)scratch_text(dir, "x", "mine");
    assert_int_equal(arrival_init(&l, out, "x"), 0);
    write_abc(&l);
    assert_int_equal(landing_finish(&l.landing, false), -EEXIST);
    check_content("x", "mine");
    assert_int_equal(landing_finish(&l.landing, true), 0);
    arrival_done(&l);
    check_content("x", "abc");
}

static void test_left_over(void **state)
{
    struct arrival l;

    (void)state;
    (void)scratch_text(dir, ".x.part", "half of it");
    assert_int_equal(arrival_init(&l, out, "x"), 0);
    write_abc(&l);
    assert_int_equal(landing_finish(&l.landing, false), 0);
    arrival_done(&l);
    check_content("x", "abc");
    assert_false(there(".x.part"));
}

static void test_two_at_once(void **state)
{
    struct arrival a, b;

    (void)state;
    assert_int_equal(arrival_init(&a, out, "x"), 0);
    assert_int_equal(arrival_init(&b, out, "x"), 0);
    write_abc(&a);
    assert_int_equal(arrival_begin(&b), -EBUSY);
    arrival_done(&b);
    assert_int_equal(landing_finish(&a.landing, false), 0);
    arrival_done(&a);
    check_content("x", "abc");
}

static void test_no_link_is_followed(void **state)
{
    char sha256[ARRIVAL_SHA256_SIZE];
    struct arrival l;

    (void)state;
    (void)scratch_text(dir, "target", "t");
    assert_int_equal(symlink("target", scratch_path(dir, "x")), 0);
    assert_int_equal(symlink("/tmp", scratch_path(dir, "s")), 0);
    assert_int_equal(arrival_init(&l, out, "s/x"), -ENOTDIR);
    assert_int_equal(arrival_init(&l, out, "x"), 0);
    assert_int_equal(arrival_existing(&l, sha256), -EISDIR);
    arrival_done(&l);
    assert_int_equal(symlink("target", scratch_path(dir, ".y.part")), 0);
    assert_int_equal(arrival_init(&l, out, "y"), 0);
    assert_true(arrival_begin(&l) < 0);
    arrival_done(&l);
    check_content("target", "t");
}

static void test_odd_places(void **state)
{
    char sha256[ARRIVAL_SHA256_SIZE], name[300];
    struct arrival l;

    (void)state;
    assert_int_equal(mkdir(scratch_path(dir, "x"), 0700), 0);
    assert_int_equal(mkfifo(scratch_path(dir, "y"), 0600), 0);
    assert_int_equal(arrival_init(&l, out, "x"), 0);
    assert_int_equal(arrival_existing(&l, sha256), -EISDIR);
    arrival_done(&l);
    assert_int_equal(arrival_init(&l, out, "y"), 0);
    assert_int_equal(arrival_existing(&l, sha256), -EISDIR);
    arrival_done(&l);
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(arrival_init(&l, out, name), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lands, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_was_begun_vanishes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_begins_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replaces_only_when_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_left_over, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_link_is_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_odd_places, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
