/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "lib/store/file/walk.h"
#include "tests/support/scratch.h"

static void make(const char *key, size_t size)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s", scratch_path(scratch_dir, key));
    for (char *p = path + strlen(scratch_dir) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
        *p = '/';
    }
    (void)scratch_write(scratch_dir, key, "0123456789", size, 0600);
}

/* All keys, each with a blank behind it. */
static const char *keys(const char *prefix, const char *after)
{
    static char text[4096];
    struct walk_entry e;
    struct walk *w;
    int r;

    text[0] = '\0';
    assert_int_equal(walk_new(open(scratch_dir, O_RDONLY | O_DIRECTORY), prefix, after, &w), 0);
    while ((r = walk_next(w, &e)) > 0) {
        assert_string_equal(e.key, walk_where(w));
        assert_string_equal(e.key + strlen(e.key) - strlen(e.leaf), e.leaf);
        assert_int_equal(faccessat(e.dir, e.leaf, F_OK, 0), 0);
        strcat(strcat(text, e.key), " ");
    }
    assert_int_equal(r, 0);
    assert_int_equal(walk_next(w, &e), 0);
    walk_free(w);
    return text;
}

/* By the bytes of the whole key, as S3 lists: '-' and '.' come before '/', letters after. */
static void test_order(void **state)
{
    (void)state;
    assert_string_equal(keys("", ""), "");
    make("a/b/2", 1);
    make("a/b/10", 1);
    make("a-b/1", 1);
    make("a.b", 1);
    make("a0", 1);
    make("z", 1);
    make("a/b.c", 1);
    make("B", 1);
    assert_string_equal(keys("", ""), "B a-b/1 a.b a/b.c a/b/10 a/b/2 a0 z ");
}

static void test_prefix_and_after(void **state)
{
    (void)state;
    make("a/b/1", 1);
    make("a/b/2", 1);
    make("a/c/1", 1);
    make("ab/1", 1);
    make("b", 1);
    assert_string_equal(keys("a/b/", ""), "a/b/1 a/b/2 ");
    assert_string_equal(keys("a/b", ""), "a/b/1 a/b/2 ");
    assert_string_equal(keys("a", ""), "a/b/1 a/b/2 a/c/1 ab/1 ");
    assert_string_equal(keys("a/b/2", ""), "a/b/2 ");
    assert_string_equal(keys("x", ""), "");
    assert_string_equal(keys("", "a/b/1"), "a/b/2 a/c/1 ab/1 b ");
    assert_string_equal(keys("a/", "a/b/15"), "a/b/2 a/c/1 ");
    assert_string_equal(keys("", "a/b/2"), "a/c/1 ab/1 b ");
    assert_string_equal(keys("", "b"), "");
    assert_string_equal(keys("", "zzz"), "");
}

/* What can't be asked for is not even opened: a tree that is too deep would be an error. */
static void test_goes_nowhere_else(void **state)
{
    (void)state;
    make("a/1", 1);
    make("b/b/b/b/b/b/b/b/b/b/b/b/b/b/b/b/b", 1);
    make("c/1", 1);
    assert_string_equal(keys("a/", ""), "a/1 ");
    assert_string_equal(keys("", "b/c"), "c/1 ");
}

static void test_facts(void **state)
{
    struct timespec times[2] = {{.tv_sec = 1773480413, .tv_nsec = 250000000}};
    struct walk_entry e;
    struct walk *w;

    (void)state;
    times[1] = times[0];
    make("x", 7);
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(scratch_dir, "x"), times, 0), 0);
    assert_int_equal(walk_new(open(scratch_dir, O_RDONLY | O_DIRECTORY), "", "", &w), 0);
    assert_int_equal(walk_next(w, &e), 1);
    assert_int_equal(e.size, 7);
    assert_int_equal(e.modified, 1773480413250000);
    walk_free(w);
    walk_free(NULL);
}

static void test_follows_nothing(void **state)
{
    (void)state;
    make("real/1", 1);
    assert_int_equal(
        symlink(scratch_path(scratch_dir, "real"), scratch_path(scratch_dir, "linked")), 0);
    assert_int_equal(
        symlink(scratch_path(scratch_dir, "real/1"), scratch_path(scratch_dir, "file")), 0);
    assert_int_equal(mkfifo(scratch_path(scratch_dir, "pipe"), 0600), 0);
    assert_string_equal(keys("", ""), "real/1 ");
}

/* A tree that is too deep is said to be so; the walk can go on behind it. */
static void test_depth(void **state)
{
    struct walk_entry e;
    struct walk *w;
    size_t open_before = scratch_descriptors();

    (void)state;
    make("d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/fine", 1);
    make("e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/deep", 1);
    make("z", 1);
    assert_int_equal(walk_new(open(scratch_dir, O_RDONLY | O_DIRECTORY), "", "", &w), 0);
    assert_int_equal(walk_next(w, &e), 1);
    assert_string_equal(e.leaf, "fine");
    assert_int_equal(walk_next(w, &e), -E2BIG);
    assert_string_equal(walk_where(w), "e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/e/");
    assert_int_equal(walk_next(w, &e), 1);
    assert_string_equal(e.key, "z");
    walk_free(w);
    assert_int_equal(scratch_descriptors(), open_before);
}

static void test_many(void **state)
{
    char key[32], last[32] = "";
    struct walk_entry e;
    struct walk *w;
    int n = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof(key), "s/%d", i);
        make(key, 0);
    }
    assert_int_equal(walk_new(open(scratch_dir, O_RDONLY | O_DIRECTORY), "", "", &w), 0);
    while (walk_next(w, &e) > 0) {
        assert_true(strcmp(last, e.key) < 0);
        (void)snprintf(last, sizeof(last), "%s", e.key);
        if (n == 500) /* vanishes under its feet */
            assert_int_equal(unlink(scratch_path(scratch_dir, "s/999")), 0);
        n++;
    }
    assert_int_equal(n, 999);
    walk_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_prefix_and_after, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_goes_nowhere_else, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_facts, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_follows_nothing, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_depth, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_many, scratch_setup, scratch_teardown),
    };

    return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
