/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Records that are amended after publication, and traces that wait for that: what is offered when,
 * what counts as room, every system call failing once, and each being once the last one.
 */

#include "tests/support/spool_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/spool/spool_state.h"

#define BYTES 9000
#define FIRST "checkout/web-1/20260314/092653-4711"
#define SECOND "checkout/web-1/20260314/092753-4711"
#define HOLD (30 * USEC_PER_SEC)

static const struct record_amendment found = {
    .label = "lock-contention",
    .summary = "{\"window_ns\": 200000000}",
    .covered = 1,
};
static const char amended[] =
    "{\n  \"bytes\": 9000,\n  \"label\": \"lock-contention\",\n"
    "  \"covered\": 1.0,\n  \"summary\": {\n    \"window_ns\": 200000000\n  }\n}\n";

static int n_published;
static bool release_at_once;

static usec hold(void *userdata, const char *key, const char *record)
{
    assert_ptr_equal(userdata, &n_published);
    n_published++;
    assert_non_null(strstr(record, "\"bytes\": 9000"));
    assert_null(taken()); /* whatever happens from inside: it is not on offer yet */
    if (release_at_once)
        spool_release(fx.spool, key);
    return HOLD;
}

static void start_holding(bool upload)
{
    fx.upload = upload;
    assert_int_equal(fixture_start(), 0);
    n_published = 0;
    release_at_once = false;
    spool_set_hold_fn(fx.spool, hold, &n_published);
}

static int amend(const char *key, const struct record_amendment *what)
{
    struct told told = {0};

    assert_int_equal(spool_amend(fx.spool, key, what, on_published, &told), 0);
    assert_int_equal(told.times, 0);
    fixture_settle();
    assert_int_equal(told.times, 1);
    assert_string_equal(told.key, key);
    return told.r;
}

static const char *text_of(const char *path)
{
    static char text[32768];
    FILE *f = fopen(below(path), "r");
    size_t n;

    assert_non_null(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    (void)fclose(f);
    return text;
}

static uint64_t counted(void)
{
    struct spool_stats stats = stats_now();

    return stats.archive_bytes + stats.pending_bytes;
}

static void test_held_until_amended(void **state)
{
    struct spool_item *item;

    (void)state;
    start_holding(true);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    assert_int_equal(n_published, 1);
    assert_null(taken());
    assert_true(spool_next_offer(fx.spool) != USEC_NEVER);
    assert_int_equal(amend(FIRST ".trace", &found), 0);
    assert_string_equal(text_of("pending/" FIRST ".json"), amended);
    item = taken();
    assert_non_null(item);
    assert_string_equal(buf_str(spool_item_record(item)), amended);
    assert_int_equal(archive(item, true), 0);
    assert_string_equal(text_of("archive/" FIRST ".json"), amended);
    assert_int_equal(counted(), usage().bytes);
    check_whole(true);
}

static void test_not_held_for_ever(void **state)
{
    (void)state;
    start_holding(true);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    boot_shift += (int64_t)(29 * USEC_PER_SEC);
    assert_null(taken());
    boot_shift += (int64_t)(3 * USEC_PER_SEC);
    spool_item_return(taken());
    spool_release(fx.spool, FIRST ".trace");
    spool_item_return(taken());
    spool_release(fx.spool, SECOND ".trace"); /* no such trace */
    assert_int_equal(counted(), usage().bytes);
}

static void test_release(void **state)
{
    (void)state;
    start_holding(true);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    assert_null(taken());
    spool_release(fx.spool, FIRST ".trace");
    spool_item_return(taken());
    assert_int_equal(counted(), usage().bytes);
}

/* Whoever amends records may find at once that there is nothing to wait for. */
static void test_release_while_asked(void **state)
{
    (void)state;
    start_holding(true);
    release_at_once = true;
    assert_int_equal(capture(START, BYTES, NULL), 0);
    assert_int_equal(n_published, 1);
    spool_item_return(taken());
    assert_int_equal(counted(), usage().bytes);
}

static usec hold_nothing(void *userdata, const char *key, const char *record)
{
    (void)userdata;
    (void)key;
    (void)record;
    return 0;
}

static void test_nothing_to_wait_for(void **state)
{
    (void)state;
    start_holding(true);
    spool_set_hold_fn(fx.spool, hold_nothing, NULL);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    spool_item_return(taken());
    assert_int_equal(counted(), usage().bytes);
    spool_set_hold_fn(fx.spool, NULL, NULL);
    assert_int_equal(capture(START + USEC_PER_MIN, BYTES, NULL), 0);
    spool_item_return(taken());
    assert_int_equal(counted(), usage().bytes);
}

/* A store that works again, or a new one, is no reason to ship a trace without its label. */
static void test_other_reasons_do_not_offer(void **state)
{
    (void)state;
    start_holding(true);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    spool_offer_put_off(fx.spool);
    assert_null(taken());
    spool_offer_again(fx.spool);
    assert_null(taken());
    boot_shift += (int64_t)(40 * USEC_PER_SEC);
    assert_true(spool_next_offer(fx.spool) == 0);
}

/* It was put off because an upload failed: a label is no reason to try again now. */
static void test_failure_counts_more(void **state)
{
    (void)state;
    start_holding(true);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    boot_shift += (int64_t)(40 * USEC_PER_SEC);
    spool_item_put_off(taken(), USEC_PER_HOUR);
    assert_int_equal(amend(FIRST ".trace", &found), 0);
    assert_null(taken());
    spool_offer_put_off(fx.spool);
    spool_item_return(taken());
}

static void test_waits_for_its_turn(void **state)
{
    struct spool_item *item;
    struct told told = {0};

    (void)state;
    start_holding(true);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    boot_shift += (int64_t)(40 * USEC_PER_SEC);
    item = taken(); /* being uploaded */
    assert_int_equal(spool_amend(fx.spool, FIRST ".trace", &found, on_published, &told), 0);
    for (int i = 0; i < 10; i++)
        assert_true(sd_event_run(fx.event, 0) >= 0);
    assert_int_equal(told.times, 0);
    assert_string_equal(text_of("pending/" FIRST ".json"), "{\"bytes\": 9000}\n");
    assert_int_equal(archive(item, true), 0);
    assert_int_equal(told.times, 1);
    assert_int_equal(told.r, 0);
    assert_string_equal(text_of("archive/" FIRST ".json"), amended);
    check_whole(true);
}

static void test_gone(void **state)
{
    int fd = -1;

    (void)state;
    start_holding(true);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    assert_int_equal(spool_open(fx.spool, FIRST ".trace", &fd), 0);
    (void)close(fd);
    spool_release(fx.spool, FIRST ".trace");
    assert_int_equal(archive(taken(), false), 0);
    assert_int_equal(spool_open(fx.spool, FIRST ".trace", &fd), -ENOENT);
    assert_int_equal(amend(FIRST ".trace", &found), -ENOENT);
    assert_int_equal(amend("no key", &found), -ENOENT);
    assert_int_equal(usage().records, 0);
    assert_int_equal(counted(), 0);
}

/* Somebody deleted the trace, or its record, by hand. */
static void test_taken_away(void **state)
{
    (void)state;
    start_holding(false);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    assert_int_equal(unlink(below("archive/" FIRST ".trace")), 0);
    assert_int_equal(amend(FIRST ".trace", &found), -ENOENT);
    assert_string_equal(text_of("archive/" FIRST ".json"), "{\"bytes\": 9000}\n");
    assert_int_equal(capture(START + USEC_PER_MIN, BYTES, NULL), 0);
    assert_int_equal(unlink(below("archive/" SECOND ".json")), 0);
    assert_int_equal(amend(SECOND ".trace", &found), -ENOENT);
    make_file("archive/" SECOND ".json", "no JSON");
    assert_int_equal(amend(SECOND ".trace", &found), -EINVAL);
    assert_string_equal(text_of("archive/" SECOND ".json"), "no JSON");
    assert_int_equal(usage().incoming, 0);
}

static void test_room(void **state)
{
    static char summary[12000];
    struct record_amendment what = {.label = "healthy", .summary = summary, .covered = -1};
    uint64_t before;

    (void)state;
    start_holding(false);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    before = usage().bytes;
    assert_int_equal(counted(), before + ITEMS_AMEND_ROOM); /* kept for the new record */
    (void)snprintf(summary, sizeof(summary), "{\"a\": \"%08000d\"}", 0);
    assert_int_equal(amend(FIRST ".trace", &what), 0);
    assert_int_equal(usage().bytes, before + 4096);
    assert_int_equal(counted(), usage().bytes);
    assert_int_equal(amend(FIRST ".trace", &found), 0); /* anew, and smaller */
    assert_int_equal(usage().bytes, before);
    assert_int_equal(counted(), usage().bytes);
    fixture_restart();
    assert_int_equal(counted(), usage().bytes);
}

/* More than there is room for: the label alone. */
static void test_summary_gives_way(void **state)
{
    static char summary[24000];
    struct record_amendment what = {.label = "healthy", .summary = summary, .covered = -1};

    (void)state;
    start_holding(false);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    (void)snprintf(summary, sizeof(summary), "{\"a\": \"%023000d\"}", 0);
    assert_int_equal(amend(FIRST ".trace", &what), 0);
    assert_string_equal(text_of("archive/" FIRST ".json"),
                        "{\n  \"bytes\": 9000,\n  \"label\": \"healthy\"\n}\n");
}

/* More than there is room for: the outliers alone, and what the label rests on stays. */
static void test_outliers_give_way(void **state)
{
    static char summary[24000];
    struct record_amendment what = {.label = "healthy", .summary = summary, .covered = -1};

    (void)state;
    start_holding(false);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    (void)snprintf(summary, sizeof(summary),
                   "{\"a\": \"%012000d\", \"outliers\": {\"runs\": [\"%09000d\"]}}", 0, 0);
    assert_int_equal(amend(FIRST ".trace", &what), 0);
    assert_non_null(strstr(text_of("archive/" FIRST ".json"), "\"a\": \"000"));
    assert_null(strstr(text_of("archive/" FIRST ".json"), "outliers"));
}

/* A record that is too long without a summary has its label all the same. */
static void test_long_record(void **state)
{
    static char summary[2000];
    struct record_amendment what = {.label = "healthy", .summary = summary, .covered = -1};
    FILE *f;

    (void)state;
    start_holding(false);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    (void)snprintf(summary, sizeof(summary), "{\"a\": \"%01000d\"}", 0);
    f = fopen(below("archive/" FIRST ".json"), "w");
    assert_non_null(f);
    assert_true(fprintf(f, "{\"bytes\": 9000, \"labels\": {\"a\": \"%025000d\"}}", 0) > 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(amend(FIRST ".trace", &what), 0);
    assert_non_null(strstr(text_of("archive/" FIRST ".json"), "\"label\": \"healthy\""));
    assert_null(strstr(text_of("archive/" FIRST ".json"), "summary"));
}

/* Full to the last block: the caps hold while records are amended, and captures go on. */
static void test_within_caps(void **state)
{
    (void)state;
    fx.limits.max_bytes = 200000;
    start_holding(false);
    for (unsigned i = 0; i < 40; i++) {
        char key[NAME_KEY_MAX];
        struct told told = {0};

        assert_int_equal(capture(START + i * USEC_PER_MIN, BYTES, &told), 0);
        assert_int_equal(told.r, 0);
        (void)snprintf(key, sizeof(key), "%s", told.key);
        assert_true(usage().bytes <= fx.limits.max_bytes);
        assert_true(counted() <= fx.limits.max_bytes);
        assert_int_equal(amend(key, &found), 0);
        assert_true(usage().bytes <= fx.limits.max_bytes);
    }
    assert_int_equal(counted(), usage().bytes);
    assert_true(usage().traces > 5);
    check_whole(true);
}

/* True while there was a call number `at`. */
static bool one_failure(int at, int error)
{
    bool there;
    int r;

    start_holding(true);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    inject(NULL, at, error);
    r = amend(FIRST ".trace", &found);
    there = atomic_load(&injection.count) >= at;
    inject_nothing();
    if (!there)
        assert_int_equal(r, 0);
    if (r < 0)
        assert_true(strcmp(text_of("pending/" FIRST ".json"), "{\"bytes\": 9000}\n") == 0 ||
                    strcmp(text_of("pending/" FIRST ".json"), amended) == 0);
    else
        assert_string_equal(text_of("pending/" FIRST ".json"), amended);
    check_whole(true);
    assert_int_equal(usage().incoming, 0);
    assert_int_equal(counted(), usage().bytes);
    assert_int_equal(archive(taken(), true), 0); /* it ships all the same */
    check_whole(true);
    fixture_restart();
    check_whole(true);
    return there;
}

static void test_failures(void **state)
{
    static const int errors[] = {EIO, ENOSPC, EMFILE, EROFS};

    (void)state;
    for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
        bool more = true;
        int at = 1;

        for (; more; at++) {
            void *fixture = NULL;

            more = one_failure(at, errors[e]);
            assert_int_equal(fixture_teardown(&fixture), 0);
            assert_int_equal(fixture_setup(&fixture), 0);
        }
        assert_true(at > 6);
    }
}

/* In a child that dies at call `at`. */
static void child_amends(int at, bool after)
{
    struct told told = {0};

    if (sd_event_new(&fx.event) < 0 || disk_new(fx.event, &fx.disk) < 0 || fixture_start() < 0)
        _exit(1);
    injection.after = after;
    inject(NULL, at, 0);
    if (spool_amend(fx.spool, FIRST ".trace", &found, on_published, &told) < 0)
        _exit(1);
    fixture_settle();
    _exit(told.r < 0 ? 1 : 0);
}

/* True while the child was killed. */
static bool one_kill(int at, bool after)
{
    bool killed;
    int status;
    pid_t child;

    start_holding(true);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    fixture_stop();
    child = fixture_fork();
    if (child == 0)
        child_amends(at, after);
    assert_int_equal(waitpid(child, &status, 0), child);
    killed = WIFSIGNALED(status);
    assert_true(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    assert_int_equal(fixture_start(), 0);
    check_whole(true);
    assert_int_equal(usage().incoming, 0);
    assert_int_equal(usage().records, 1);
    if (!killed)
        assert_string_equal(text_of("pending/" FIRST ".json"), amended);
    else
        assert_true(strcmp(text_of("pending/" FIRST ".json"), "{\"bytes\": 9000}\n") == 0 ||
                    strcmp(text_of("pending/" FIRST ".json"), amended) == 0);
    assert_int_equal(counted(), usage().bytes);
    assert_int_equal(archive(taken(), true), 0); /* without waiting for a label */
    return killed;
}

static void test_kills(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        bool more = true;
        int at = 1;

        for (; more; at++) {
            void *fixture = NULL;

            more = one_kill(at, after);
            assert_int_equal(fixture_teardown(&fixture), 0);
            assert_int_equal(fixture_setup(&fixture), 0);
        }
        assert_true(at > 6);
    }
}

static bool is_busy(const char *key)
{
    size_t at;

    assert_true(items_find(&fx.spool->items, key, &at));
    return items_at(&fx.spool->items, at)->busy;
}

/* The end comes while one is on a disk thread and one waits. */
static void test_free_meanwhile(void **state)
{
    static struct told told; /* a failure leaves this function before the callbacks come */
    struct spool_item *item;

    (void)state;
    told = (struct told){0};
    start_holding(true);
    assert_int_equal(capture(START, BYTES, NULL), 0);
    assert_int_equal(capture(START + USEC_PER_MIN, BYTES, NULL), 0);
    boot_shift += (int64_t)(40 * USEC_PER_SEC);
    item = taken();
    assert_string_equal(spool_item_key(item), SECOND ".trace");
    assert_int_equal(spool_amend(fx.spool, SECOND ".trace", &found, on_published, &told), 0);
    assert_int_equal(spool_amend(fx.spool, FIRST ".trace", &found, on_published, &told), 0);
    /* Until the thread has it. What it is quick to report nobody has heard yet. */
    while (!is_busy(FIRST ".trace"))
        assert_true(sd_event_run(fx.event, UINT64_MAX) >= 0);
    spool_item_return(item);
    assert_int_equal(told.times, 0);
    spool_free(fx.spool);
    fx.spool = NULL;
    disk_free(fx.disk); /* calls what has ended */
    assert_int_equal(told.times, 0);
    assert_int_equal(disk_new(fx.event, &fx.disk), 0);
    assert_int_equal(fixture_start(), 0);
    check_whole(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_held_until_amended, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_not_held_for_ever, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_release, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_release_while_asked, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_nothing_to_wait_for, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_other_reasons_do_not_offer, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_failure_counts_more, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_waits_for_its_turn, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_gone, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_taken_away, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_room, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_summary_gives_way, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_outliers_give_way, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_long_record, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_within_caps, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_failures, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_kills, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_free_meanwhile, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
