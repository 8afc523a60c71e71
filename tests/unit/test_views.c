/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Views by children that are shell scripts. What they come to is in test_extractor.c, too, which asks
 * for views.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/view/views.h"
#include "tests/support/scratch.h"

#define MEMORY (UINT64_C(1) << 50)
#define PATIENT (120 * USEC_PER_SEC)

static struct world {
    sd_event *event;
    struct views *views;
    char *dir;
    bool full;
    unsigned told;
    enum views_end ends[VIEWS_MAX + 1];
    char made[200];
} w;

static int on_open(void *userdata, const char *key)
{
    assert_ptr_equal(userdata, &w);
    return strcmp(key, "none") == 0 ? -ENOENT : open(scratch_text(w.dir, key, key), O_RDONLY);
}

static int on_scratch(void *userdata)
{
    assert_ptr_equal(userdata, &w);
    return w.full ? -ENOSPC : open(w.dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static const struct views_handlers handlers = {on_open, on_scratch};

static void on_done(void *userdata, const struct views_result *result)
{
    assert_ptr_equal(userdata, &w);
    w.ends[w.told++] = result->end;
    assert_int_equal(result->fd >= 0, result->end == VIEWS_OK);
    if (result->fd < 0)
        return;
    memset(w.made, 0, sizeof(w.made));
    assert_true(pread(result->fd, w.made, sizeof(w.made) - 1, 0) > 0);
    assert_int_equal(close(result->fd), 0);
}

/* A child that does this, from now on. */
static void use(const char *script)
{
    char text[500], path[4096];

    (void)snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
    (void)snprintf(path, sizeof(path), "%s", scratch_text(w.dir, "child", text));
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(views_set(w.views, &(struct views_settings){path, PATIENT, MEMORY}), 0);
}

static struct views_job *make(const char *key, const char *view)
{
    struct views_job *job;

    assert_int_equal(views_make(w.views, key, view_named(view), on_done, &w, &job), 0);
    return job;
}

static void run_until(unsigned told)
{
    while (w.told < told)
        assert_true(sd_event_run(w.event, UINT64_MAX) >= 0);
}

static int set_up(void **state)
{
    sigset_t set;

    (void)state;
    memset(&w, 0, sizeof(w));
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    w.dir = scratch_new(NULL);
    assert_true(sd_event_new(&w.event) >= 0);
    assert_int_equal(views_new(w.event, &handlers, &w, &w.views), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    views_free(w.views);
    (void)sd_event_unref(w.event);
    scratch_free(w.dir);
    return 0;
}

static void test_names(void **state)
{
    const struct view *view;

    (void)state;
    for (size_t i = 0; (view = view_at(i)); i++)
        assert_ptr_equal(view_named(view->name), view);
    assert_null(view_named("flame"));
    assert_null(view_named(""));
}

/* The child has the view's command and the trace, and each is told what it asked for, in order. */
static void test_made(void **state)
{
    (void)state;
    use("echo \"$@\"; cat");
    (void)make("a trace", "perfetto");
    run_until(1);
    assert_string_equal(w.made, "timeline --output=- --sandbox -\na trace");
    (void)make("one", "sched");
    (void)make("two", "timeline");
    run_until(2);
    assert_string_equal(w.made, "pprof --sched --labels --sandbox -\none");
    run_until(3);
    assert_string_equal(w.made, "timeline --json --lines=250 --sandbox -\ntwo");
}

/* More than the trace and the spare ends the child; what is nothing is no view. */
static void test_bounds(void **state)
{
    (void)state;
    use("exec head -c 4194304 /dev/zero");
    (void)make("trace", "perfetto");
    run_until(1);
    use("exec head -c 4194400 /dev/zero");
    (void)make("trace", "perfetto");
    run_until(2);
    use("exit 0");
    (void)make("trace", "perfetto");
    run_until(3);
    w.full = true;
    (void)make("trace", "perfetto");
    run_until(4);
    assert_int_equal(w.ends[0], VIEWS_OK);
    assert_int_equal(w.ends[1], VIEWS_LONG);
    assert_int_equal(w.ends[2], VIEWS_UNREADABLE);
    assert_int_equal(w.ends[3], VIEWS_NO_ROOM);
    for (enum views_end end = VIEWS_UNREADABLE; end < VIEWS_ENDS; end++)
        assert_true(strlen(views_end_text(end)) > 10);
}

/* Who is forgotten is not told, and the next one's turn has come. */
static void test_forgotten(void **state)
{
    struct views_job *running, *waiting, *more;

    (void)state;
    use("exec sleep 1000");
    running = make("a", "sched");
    waiting = make("b", "sched");
    assert_true(sd_event_run(w.event, UINT64_MAX) >= 0);
    views_forget(waiting);
    (void)make("c", "sync");
    use("exec cat");
    views_forget(running);
    run_until(1);
    assert_string_equal(w.made, "c");
    assert_int_equal(views_make(w.views, "none", view_named("net"), on_done, &w, &more), -ENOENT);
}

static void test_too_many_and_cut(void **state)
{
    struct views_job *more;

    (void)state;
    use("exec sleep 1000");
    for (unsigned i = 0; i < VIEWS_MAX; i++)
        (void)make("a", "net");
    assert_int_equal(views_make(w.views, "a", view_named("net"), on_done, &w, &more), -EBUSY);
    assert_true(sd_event_run(w.event, UINT64_MAX) >= 0);
    views_cut(w.views);
    assert_int_equal(w.told, VIEWS_MAX);
    for (unsigned i = 0; i < w.told; i++)
        assert_int_equal(w.ends[i], VIEWS_CUT);
    assert_int_equal(views_make(w.views, "a", view_named("net"), on_done, &w, &more), -ESHUTDOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test_setup_teardown(test_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_many_and_cut, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
