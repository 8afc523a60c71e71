/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From published to labelled: a spool on a real directory, and children that do what
 * tests/support/inspectee can.
 */

#include "tests/support/spool_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/label/labelling.h"
#include "tests/support/scratch.h"

#define PATIENT (120 * USEC_PER_SEC) /* only a child that never ends is not waited for */
#define MEMORY (UINT64_C(1) << 50)   /* of addresses; AddressSanitizer takes a good deal */

static struct world {
    struct counters totals;
    struct meters *meters;
    struct labelling *labelling;
    char *dir;
    char program[4096];
    unsigned told;
    char key[NAME_KEY_MAX], label[64]; /* of the last */
    double latency;
} w;

static void on_label(void *userdata, const struct labelling_label *label)
{
    assert_ptr_equal(userdata, &w);
    w.told++;
    (void)snprintf(w.key, sizeof(w.key), "%s", label->key);
    (void)snprintf(w.label, sizeof(w.label), "%s", label->label);
    w.latency = label->latency;
}

/* Children do what `name` says, from now on. */
static void use(const char *name, usec timeout)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s", scratch_path(w.dir, name));
    (void)unlink(path);
    assert_int_equal(symlink(w.program, path), 0);
    assert_int_equal(labelling_set(w.labelling, &(struct inspect_config){.enabled = true,
                                                                         .command = path,
                                                                         .timeout = timeout,
                                                                         .max_memory = MEMORY}),
                     0);
}

static int setup(void **state)
{
    sigset_t set;

    memset(&w, 0, sizeof(w));
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)snprintf(w.program, sizeof(w.program), "%s", scratch_built("tests/support/inspectee"));
    w.dir = scratch_new(NULL);
    assert_int_equal(fixture_setup(state), 0);
    start_uploading();
    assert_int_equal(meters_new(&w.totals, &w.meters), 0);
    assert_int_equal(labelling_new(fx.event, fx.spool, w.meters, &w.labelling), 0);
    labelling_set_told(w.labelling, on_label, &w);
    return 0;
}

static int teardown(void **state)
{
    labelling_free(w.labelling);
    meters_free(w.meters);
    fixture_stop();
    scratch_free(w.dir);
    return fixture_teardown(state);
}

/* Until no trace waits for its label, and the spool has done what came of it. */
static void run(void)
{
    while (!labelling_idle(w.labelling))
        assert_true(sd_event_run(fx.event, UINT64_MAX) >= 0);
    fixture_settle();
}

/* The one trace that may be uploaded has this in its record. */
static void assert_record(const char *part)
{
    struct spool_item *item = taken();

    assert_non_null(item);
    if (!strstr(buf_str(spool_item_record(item)), part))
        fail_msg("no %s in %s", part, buf_str(spool_item_record(item)));
    spool_item_return(item);
}

static void test_label_in_the_record(void **state)
{
    (void)state;
    use("ill", PATIENT);
    capture_many(1, 100);
    run();
    assert_record("\"label\": \"lock-contention\"");
    assert_record("\"summary\": {");
    assert_int_equal(w.told, 1);
    assert_string_equal(w.label, "lock-contention");
    assert_true(strstr(w.key, "092553") || strstr(w.key, "092653"));
    assert_int_equal(w.totals.inspections[INSPECTION_OK], 1);
    assert_true(logged("lock-contention"));
    assert_int_equal(w.totals.labels_lost, 0);
}

static bool grown(void *userdata, const char *key, const struct digest *digest, struct growth *ret)
{
    assert_ptr_equal(userdata, &w);
    assert_non_null(strstr(key, ".trace"));
    assert_true(digest->goroutines < 0);
    *ret = (struct growth){.from = 100, .to = 2000, .samples = 4, .score = 1};
    return true;
}

/* What several samples tell is the label of the last of them, everywhere. */
static void test_growth_over_samples(void **state)
{
    (void)state;
    labelling_set_growth(w.labelling, grown, &w);
    use("healthy", PATIENT);
    capture_many(1, 100);
    run();
    assert_record("\"label\": \"goroutine-leak\"");
    assert_record("\"goroutines_last\": 2000");
    assert_string_equal(w.label, "goroutine-leak");
    assert_true(logged("100 goroutines became 2000 over 4 samples"));
}

static void test_held_back_until_then(void **state)
{
    (void)state;
    use("hang", PATIENT);
    capture_many(2, 100);
    assert_false(labelling_idle(w.labelling));
    assert_null(taken());
    labelling_cut(w.labelling);
    run();
    assert_int_equal(w.totals.inspections[INSPECTION_CUT], 2);
    assert_int_equal(w.told, 2);
    assert_string_equal(w.label, "not-inspected");
    assert_record("\"bytes\": 100"); /* without a label */
}

/* A target whose every trace fails says so once, and in each record. */
static void test_child_crashes(void **state)
{
    (void)state;
    use("crash", PATIENT);
    capture_many(2, 100);
    run();
    assert_record("\"not_inspected\": \"signal SIGSEGV\"");
    assert_record("\"label\": \"not-inspected\"");
    assert_int_equal(w.told, 2);
    assert_true(w.latency < 0);
    assert_int_equal(w.totals.inspections[INSPECTION_CRASHED], 2);
    assert_int_equal(times_logged("others like it are not told of"), 1);
    use("crash", PATIENT); /* a reload: it is told once more */
    capture_many(1, 100);
    run();
    assert_int_equal(times_logged("others like it are not told of"), 2);
}

static void test_switched_off(void **state)
{
    (void)state;
    assert_int_equal(labelling_set(w.labelling, &(struct inspect_config){.timeout = PATIENT}), 0);
    capture_many(1, 100);
    assert_true(labelling_idle(w.labelling));
    assert_record("\"bytes\": 100");
    assert_int_equal(w.told, 0);
}

/* What is left when the patience ends ships without a label. */
static void test_drained(void **state)
{
    (void)state;
    use("hang", PATIENT);
    capture_many(1, 100);
    labelling_drain(w.labelling, USEC_PER_MSEC);
    run();
    assert_int_equal(w.totals.inspections[INSPECTION_CUT], 1);
    assert_record("\"bytes\": 100");
}

/* The spool goes on without it. */
static void test_freed_in_the_midst(void **state)
{
    (void)state;
    use("hang", PATIENT);
    capture_many(1, 100);
    labelling_free(w.labelling);
    w.labelling = NULL;
    capture_many(1, 100);
    assert_int_equal(w.told, 0);
    assert_record("\"bytes\": 100");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_label_in_the_record),  TEST(test_growth_over_samples),
        TEST(test_held_back_until_then), TEST(test_child_crashes),
        TEST(test_switched_off),         TEST(test_drained),
        TEST(test_freed_in_the_midst),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
