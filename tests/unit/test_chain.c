/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/store/file/chain.h"
#include "tests/support/scratch.h"

static int walk(struct chain *c, const char *key, bool make)
{
    *c = (struct chain){.fds = {open(scratch_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)}, .n = 1};
    assert_true(c->fds[0] >= 0);
    return chain_walk(c, key, make);
}

static void test_makes_what_is_missing(void **state)
{
    size_t open_before = scratch_descriptors();
    struct chain c;
    struct stat st;

    (void)state;
    assert_int_equal(walk(&c, "a/b/leaf", false), -ENOENT);
    chain_close(&c);
    assert_int_equal(walk(&c, "a/b/leaf", true), 0);
    assert_int_equal(c.n, 3);
    assert_string_equal(c.leaf, "leaf");
    assert_int_equal(mkdirat(chain_dir(&c), "here", 0700), 0);
    assert_int_equal(stat(scratch_path(scratch_dir, "a/b/here"), &st), 0);
    assert_int_equal(chain_sync(&c), 0);
    chain_close(&c);
    assert_int_equal(walk(&c, "a/b/leaf", false), 0);
    chain_close(&c);
    chain_close(&c); /* nothing is open any more */
    assert_int_equal(scratch_descriptors(), open_before);
}

static void test_no_way_out(void **state)
{
    static const char *const bad[] = {"",
                                      ".",
                                      "..",
                                      "/a",
                                      "a//b",
                                      "a/",
                                      "../a",
                                      "a/../b",
                                      "./a",
                                      "a/b/..",
                                      "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/leaf"};
    struct chain c;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(walk(&c, bad[i], true), -EINVAL);
        chain_close(&c);
    }
    assert_int_equal(walk(&c, "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/leaf", true), 0);
    assert_int_equal(c.n, CHAIN_MAX);
    chain_close(&c);
    assert_int_equal(walk(&c, "..a/.b/...", true), 0); /* names like others */
    chain_close(&c);
}

static void test_no_links(void **state)
{
    struct chain c;

    (void)state;
    assert_int_equal(mkdir(scratch_path(scratch_dir, "real"), 0700), 0);
    assert_int_equal(symlink("real", scratch_path(scratch_dir, "linked")), 0);
    assert_int_equal(walk(&c, "real/x", true), 0);
    chain_close(&c);
    assert_int_equal(walk(&c, "linked/x", true), -ENOTDIR);
    chain_close(&c);
    (void)scratch_text(scratch_dir, "file", "x");
    assert_int_equal(walk(&c, "file/x", true), -ENOTDIR);
    chain_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_makes_what_is_missing, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_no_way_out, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_no_links, scratch_setup, scratch_teardown),
    };

    return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
