/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/spool_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/trigger/flagfile.h"
#include "tests/support/scratch.h"
#include "tests/support/virtual_time.h"

/*
 * Real files and real inotify; time is moved. `soon` is what inotify must tell in, while only the
 * poll can tell what comes after it.
 */

#define SLACK USEC_PER_SEC /* real time goes by, too */

static struct flagfile *flag;
static int changes;
static bool told;
static size_t descriptors;

static void on_change(void *userdata, bool there)
{
    (void)userdata;
    changes++;
    told = there;
}

static void run(void)
{
    while (sd_event_run(fx.event, 0) > 0)
        ;
}

static void soon(void)
{
    virtual_pass(FLAGFILE_SETTLE + SLACK, run);
}

static void until_poll(void)
{
    virtual_pass(FLAGFILE_POLL + SLACK, run);
}

static const char *path(const char *name)
{
    static char paths[4][1024];
    static int i;

    i = (i + 1) % 4;
    (void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", fx.base, name);
    return paths[i];
}

static void touch(const char *name)
{
    int fd = open(path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    (void)close(fd);
}

static void make_dir(const char *name)
{
    assert_int_equal(mkdir(path(name), 0700), 0);
}

static void gone(const char *name)
{
    assert_int_equal(remove(path(name)), 0);
}

static void moved(const char *from, const char *to)
{
    assert_int_equal(rename(path(from), path(to)), 0);
}

static void start(const char *name)
{
    assert_int_equal(flagfile_new(fx.event, path(name), on_change, NULL, &flag), 0);
    run();
    assert_int_equal(changes, 0);
}

static void assert_flag(bool there, int after_changes)
{
    assert_int_equal(flagfile_there(flag), there);
    assert_int_equal(changes, after_changes);
    if (after_changes > 0)
        assert_int_equal(told, there);
}

static int setup(void **state)
{
    descriptors = scratch_descriptors();
    flag = NULL;
    changes = 0;
    return fixture_setup(state);
}

static int teardown(void **state)
{
    int r;

    flagfile_free(flag);
    run();
    r = fixture_teardown(state);
    assert_int_equal(scratch_descriptors(), descriptors);
    return r;
}

static void test_there_from_the_start(void **state)
{
    (void)state;
    touch("flag");
    start("flag");
    assert_flag(true, 0);
    gone("flag");
    soon();
    assert_flag(false, 1);
    assert_string_equal(flagfile_path(flag), path("flag"));
}

static void test_comes_and_goes(void **state)
{
    (void)state;
    start("flag");
    assert_flag(false, 0);
    touch("flag");
    soon();
    assert_flag(true, 1);
    /* Others in the same directory are no matter. */
    touch("other");
    soon();
    assert_flag(true, 1);
    moved("flag", "away");
    soon();
    assert_flag(false, 2);
    moved("away", "flag");
    soon();
    assert_flag(true, 3);
    assert_int_equal(n_log_lines, 0);
}

/* A directory in its place is a flag, too. */
static void test_a_directory(void **state)
{
    (void)state;
    start("flag");
    make_dir("flag");
    soon();
    assert_flag(true, 1);
}

static void test_missing_directories(void **state)
{
    (void)state;
    start("a/b/flag");
    make_dir("a");
    soon();
    make_dir("a/b");
    soon();
    assert_flag(false, 0);
    touch("a/b/flag");
    soon();
    assert_flag(true, 1);
}

/* All in one moment: nothing falls between the watches. */
static void test_directories_at_once(void **state)
{
    (void)state;
    start("a/b/flag");
    make_dir("a");
    make_dir("a/b");
    touch("a/b/flag");
    soon();
    assert_flag(true, 1);
}

static void test_the_directory_vanishes_and_comes_back(void **state)
{
    (void)state;
    make_dir("a");
    touch("a/flag");
    start("a/flag");
    for (int i = 0; i < 3; i++) {
        gone("a/flag");
        gone("a");
        soon();
        assert_flag(false, 2 * i + 1);
        make_dir("a");
        touch("a/flag");
        soon();
        assert_flag(true, 2 * i + 2);
    }
    /* At once, and perhaps with the same number. */
    gone("a/flag");
    gone("a");
    make_dir("a");
    soon();
    assert_flag(false, 7);
    touch("a/flag");
    soon();
    assert_flag(true, 8);
}

static void test_the_directory_is_moved(void **state)
{
    (void)state;
    make_dir("a");
    make_dir("b");
    touch("b/flag");
    start("a/flag");
    moved("a", "c");
    moved("b", "a");
    soon();
    assert_flag(true, 1);
    gone("a/flag");
    soon();
    assert_flag(false, 2);
    /* What lies where it went is nobody's. */
    touch("c/flag");
    soon();
    assert_flag(false, 2);
}

/* As Kubernetes mounts a ConfigMap: the file leads through a link that is replaced. */
static void test_config_map(void **state)
{
    (void)state;
    make_dir("m");
    make_dir("m/1");
    make_dir("m/2");
    touch("m/2/flag");
    assert_int_equal(symlink("1", path("m/data")), 0);
    assert_int_equal(symlink("data/flag", path("m/flag")), 0);
    start("m/flag");
    assert_flag(false, 0);
    assert_int_equal(symlink("2", path("m/new")), 0);
    moved("m/new", "m/data");
    soon();
    assert_flag(true, 1);
    assert_int_equal(symlink("1", path("m/new")), 0);
    moved("m/new", "m/data");
    soon();
    assert_flag(false, 2);
}

static void test_a_directory_behind_a_link(void **state)
{
    (void)state;
    make_dir("real");
    assert_int_equal(symlink("real", path("run")), 0);
    start("run/flag");
    touch("real/flag");
    soon();
    assert_flag(true, 1);
}

static void test_a_link_to_elsewhere(void **state)
{
    (void)state;
    make_dir("a");
    make_dir("b");
    assert_int_equal(symlink("../b/there", path("a/flag")), 0);
    start("a/flag");
    assert_flag(false, 0);
    touch("b/there");
    soon();
    assert_flag(false, 0);
    until_poll();
    assert_flag(true, 1);
}

/* The watch is of a directory, the path may lead to another one without an event in it. */
static void test_an_upper_directory_is_exchanged(void **state)
{
    (void)state;
    make_dir("a");
    make_dir("a/x");
    make_dir("b");
    make_dir("b/x");
    start("a/x/flag");
    moved("a", "c");
    moved("b", "a");
    until_poll();
    touch("a/x/flag");
    soon();
    assert_flag(true, 1);
}

/* Root searches every directory, so it is somebody else for a while. */
static void as_nobody(void)
{
    assert_int_equal(chmod(fx.base, 0755), 0);
    if (getuid() == 0)
        assert_int_equal(seteuid(65534), 0);
}

static void as_before(void)
{
    assert_int_equal(seteuid(getuid()), 0);
}

static void test_no_permission(void **state)
{
    (void)state;
    make_dir("a");
    touch("a/flag");
    start("a/flag");
    assert_int_equal(chmod(path("a"), 0), 0);
    as_nobody();
    until_poll();
    until_poll();
    assert_flag(true, 0);
    as_before();
    /* Said once, and not a second time for the watch. */
    assert_int_equal(times_logged("cannot be told"), 1);
    assert_int_equal(n_log_lines, 1);
    assert_int_equal(chmod(path("a"), 0700), 0);
    gone("a/flag");
    until_poll();
    assert_flag(false, 1);
}

/* It is gone, and the look that the directory asks for fails: there is another one soon. */
static void test_one_look_that_fails(void **state)
{
    (void)state;
    make_dir("a");
    touch("a/flag");
    start("a/flag");
    gone("a/flag");
    assert_int_equal(chmod(path("a"), 0), 0);
    as_nobody();
    soon();
    as_before();
    assert_flag(true, 0);
    assert_int_equal(chmod(path("a"), 0700), 0);
    virtual_pass(FLAGFILE_AGAIN + FLAGFILE_AGAIN / 4, run);
    assert_flag(false, 1);
}

/* It may be searched but not read: inotify wants more than a look does. */
static void test_no_watch(void **state)
{
    (void)state;
    make_dir("a");
    assert_int_equal(chmod(path("a"), 0311), 0);
    as_nobody();
    start("a/flag");
    as_before();
    assert_int_equal(times_logged("cannot be watched"), 1);
    touch("a/flag");
    as_nobody();
    soon();
    assert_flag(false, 0);
    until_poll();
    assert_flag(true, 1);
    as_before();
    assert_int_equal(n_log_lines, 1);
    assert_int_equal(chmod(path("a"), 0700), 0);
}

/* A file too long for any file system: neither there nor told each time. */
static void test_what_cannot_be_told(void **state)
{
    char name[300];

    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    start(name);
    until_poll();
    until_poll();
    assert_flag(false, 0);
    assert_int_equal(times_logged("cannot be told"), 1);
}

static void test_wakes_seldom(void **state)
{
    (void)state;
    start("a/flag");
    (void)virtual_wakes();
    virtual_pass(USEC_PER_HOUR, run);
    assert_true(virtual_wakes() <= 361);
    /* A thousand events of others make one look. */
    for (int i = 0; i < 500; i++) {
        touch("other");
        gone("other");
        run();
    }
    soon();
    assert_true(virtual_wakes() <= 2);
    assert_flag(false, 0);
}

static void test_a_relative_path(void **state)
{
    char before[1024];

    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(fx.base), 0);
    assert_int_equal(flagfile_new(fx.event, "flag", on_change, NULL, &flag), 0);
    touch("flag");
    soon();
    assert_flag(true, 1);
    assert_int_equal(chdir(before), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_there_from_the_start),
        TEST(test_comes_and_goes),
        TEST(test_a_directory),
        TEST(test_missing_directories),
        TEST(test_directories_at_once),
        TEST(test_the_directory_vanishes_and_comes_back),
        TEST(test_the_directory_is_moved),
        TEST(test_config_map),
        TEST(test_a_directory_behind_a_link),
        TEST(test_a_link_to_elsewhere),
        TEST(test_an_upper_directory_is_exchanged),
        TEST(test_no_permission),
        TEST(test_one_look_that_fails),
        TEST(test_no_watch),
        TEST(test_what_cannot_be_told),
        TEST(test_wakes_seldom),
        TEST(test_a_relative_path),
    };

    return cmocka_run_group_tests_name("flagfile", tests, NULL, NULL);
}
