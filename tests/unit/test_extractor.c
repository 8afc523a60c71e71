/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The extractor with children that are shell scripts: each notes that it ran, and then does what the
 * test wants.
 */

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
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/extract/extractor.h"
#include "daemon/extract/remembered.h"
#include "tests/support/scratch.h"

#define MEMORY (UINT64_C(1) << 50)
#define PATIENT (120 * USEC_PER_SEC)

static struct world {
    sd_event *event;
    struct views *views;
    struct extractor *extractor;
    char *dir;
    bool gone;
    unsigned opened, told;
    enum extraction_end ends[100];
    char data[100];
} w;

static int on_open(void *userdata, const char *key)
{
    assert_ptr_equal(userdata, &w);
    w.opened++;
    return w.gone ? -ENOENT : open(scratch_text(w.dir, "trace", key), O_RDONLY);
}

static int on_scratch(void *userdata)
{
    assert_ptr_equal(userdata, &w);
    return open(w.dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static const struct views_handlers handlers = {on_open, on_scratch};

static void on_done(void *userdata, const struct extraction *result)
{
    assert_ptr_equal(userdata, &w);
    w.ends[w.told++] = result->end;
    (void)snprintf(w.data, sizeof(w.data), "%.*s", (int)result->n,
                   result->n > 0 ? (const char *)result->data : "");
}

/* A child that does this, from now on. */
static void use(const char *script, usec timeout)
{
    char text[500], path[4096];

    (void)snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
    (void)snprintf(path, sizeof(path), "%s", scratch_text(w.dir, "child", text));
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(views_set(w.views, &(struct views_settings){path, timeout, MEMORY}), 0);
}

static struct extractor_wait *ask(const char *key, enum extraction_view view)
{
    struct extractor_wait *wait;

    assert_int_equal(extractor_ask(w.extractor, key, view, on_done, &w, &wait), 0);
    return wait;
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
    assert_int_equal(extractor_new(w.event, w.views, &w.extractor), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    extractor_free(w.extractor);
    views_free(w.views);
    (void)sd_event_unref(w.event);
    scratch_free(w.dir);
    return 0;
}

static void test_names(void **state)
{
    enum extraction_view view;

    (void)state;
    for (unsigned i = 0; i < EXTRACTION_VIEWS; i++) {
        assert_true(extraction_view_find(extraction_view_name((enum extraction_view)i), &view));
        assert_int_equal(view, i);
    }
    assert_false(extraction_view_find("cpu", &view));
    assert_false(extraction_view_find("", &view));
}

/* Who asks for the same is told by one child; what is known needs none. */
static void test_once(void **state)
{
    (void)state;
    use("printf '%s of ' $2; cat", PATIENT);
    (void)ask("k", EXTRACTION_SYNC);
    (void)ask("k", EXTRACTION_SYNC);
    run_until(2);
    assert_string_equal(w.data, "--sync of k");
    assert_int_equal(w.opened, 1);
    (void)ask("k", EXTRACTION_SYNC);
    assert_int_equal(w.told, 2);
    run_until(3);
    assert_string_equal(w.data, "--sync of k");
    (void)ask("k", EXTRACTION_NET);
    (void)ask("other", EXTRACTION_SYNC);
    run_until(5);
    assert_string_equal(w.data, "--sync of other");
    assert_int_equal(w.opened, 3);
    for (unsigned i = 0; i < w.told; i++)
        assert_int_equal(w.ends[i], EXTRACTION_OK);
    assert_true(extractor_idle(w.extractor));
}

static void test_ends(void **state)
{
    static const struct {
        const char *script;
        enum extraction_end end;
        bool lasts;
    } rows[] = {
        {"printf x; exit 1", EXTRACTION_OK, true}, /* of a trace that breaks off */
        {"exit 1", EXTRACTION_UNREADABLE, true},
        {"exit 0", EXTRACTION_UNREADABLE, true},
        {"kill -SEGV $$", EXTRACTION_UNREADABLE, true},
        {"exit 3", EXTRACTION_FORMAT, true},
        {"exit 4", EXTRACTION_MEMORY, true},
        {"kill -KILL $$", EXTRACTION_MEMORY, true},
        {"kill -XCPU $$", EXTRACTION_TIMEOUT, true},
        {"exit 5", EXTRACTION_UNAVAILABLE, false},
        {"exit 2", EXTRACTION_UNAVAILABLE, false},
        {"exec head -c 5000000 /dev/zero", EXTRACTION_LONG, true},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char key[8];

        (void)snprintf(key, sizeof(key), "k%u", i);
        use(rows[i].script, PATIENT);
        w.told = w.opened = 0;
        (void)ask(key, EXTRACTION_SCHED);
        run_until(1);
        (void)ask(key, EXTRACTION_SCHED);
        run_until(2);
        for (unsigned k = 0; k < 2; k++)
            assert_int_equal(w.ends[k], rows[i].end);
        assert_int_equal(w.opened, rows[i].lasts ? 1 : 2);
    }
}

static void test_timeout(void **state)
{
    (void)state;
    use("exec sleep 1000", USEC_PER_MSEC * 100);
    (void)ask("k", EXTRACTION_SCHED);
    run_until(1);
    assert_int_equal(w.ends[0], EXTRACTION_TIMEOUT);
}

static void test_gone_and_missing(void **state)
{
    (void)state;
    use("cat", PATIENT);
    w.gone = true;
    (void)ask("k", EXTRACTION_SCHED);
    run_until(1);
    assert_int_equal(w.ends[0], EXTRACTION_GONE);
    w.gone = false;
    assert_int_equal(views_set(w.views, &(struct views_settings){"/none", PATIENT, MEMORY}), 0);
    (void)ask("k", EXTRACTION_SCHED);
    run_until(2);
    assert_int_equal(w.ends[1], EXTRACTION_UNAVAILABLE);
}

/* So many wait, and no more; who forgets makes room and is not told; a stop tells all others. */
static void test_bound(void **state)
{
    struct extractor_wait *waits[EXTRACTOR_WAITING_MAX], *more;

    (void)state;
    use("exec sleep 1000", PATIENT);
    for (unsigned i = 0; i < EXTRACTOR_WAITING_MAX; i++)
        waits[i] = ask(i % 2 ? "a" : "b", EXTRACTION_SCHED);
    assert_int_equal(extractor_ask(w.extractor, "c", EXTRACTION_SCHED, on_done, &w, &more), -EBUSY);
    assert_true(sd_event_run(w.event, UINT64_MAX) >= 0);
    assert_false(extractor_idle(w.extractor));
    extractor_forget(waits[0]); /* the child goes on */
    extractor_forget(waits[5]);
    (void)ask("c", EXTRACTION_SCHED);
    assert_false(extractor_idle(w.extractor));
    extractor_cut(w.extractor);
    assert_true(extractor_idle(w.extractor));
    assert_int_equal(w.told, EXTRACTOR_WAITING_MAX - 1);
    for (unsigned i = 0; i < w.told; i++)
        assert_int_equal(w.ends[i], EXTRACTION_CUT);
    assert_int_equal(extractor_ask(w.extractor, "c", EXTRACTION_SCHED, on_done, &w, &more),
                     -ESHUTDOWN);
}

/* What was not asked for the longest time gives way, to the number and to the bytes. */
static void test_remembered(void **state)
{
    static char data[REMEMBERED_BYTES / 4];
    static struct remembered r;
    struct extraction got, given = {.end = EXTRACTION_OK, .data = "abc", .n = 3, .text = "t"};
    char key[16];

    (void)state;
    for (unsigned i = 0; i < REMEMBERED_MAX; i++) {
        (void)snprintf(key, sizeof(key), "k%u", i);
        remembered_add(&r, key, EXTRACTION_NET, &given);
    }
    assert_true(remembered_find(&r, "k0", EXTRACTION_NET, &got));
    assert_memory_equal(got.data, "abc", 3);
    assert_string_equal(got.text, "t");
    assert_false(remembered_find(&r, "k0", EXTRACTION_SYNC, &got));
    remembered_add(&r, "new", EXTRACTION_NET, &given);
    assert_true(remembered_find(&r, "k0", EXTRACTION_NET, &got));
    assert_false(remembered_find(&r, "k1", EXTRACTION_NET, &got));
    remembered_add(&r, "new", EXTRACTION_NET, &given);
    assert_int_equal(r.bytes, 3 * REMEMBERED_MAX);
    given.data = data;
    given.n = sizeof(data);
    for (unsigned i = 0; i < 6; i++) {
        (void)snprintf(key, sizeof(key), "long%u", i);
        remembered_add(&r, key, EXTRACTION_NET, &given);
        assert_true(r.bytes <= REMEMBERED_BYTES);
    }
    assert_false(remembered_find(&r, "long1", EXTRACTION_NET, &got));
    assert_true(remembered_find(&r, "long5", EXTRACTION_NET, &got));
    assert_int_equal(got.n, sizeof(data));
    remembered_done(&r);
    assert_int_equal(r.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test_setup_teardown(test_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_timeout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gone_and_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bound, set_up, tear_down),
        cmocka_unit_test(test_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
