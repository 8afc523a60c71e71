/* SPDX-License-Identifier: Apache-2.0 */

/* Rules about waits: what the numbers of slow calls, of requests and of deadlocks must be. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "tests/support/illness.h"
#include "trace/findings/findings.h"

static struct findings findings; /* of the last find() */

/* A second of a service with two Ps that a twentieth of is used. */
static struct summary quiet(void)
{
    struct summary s = {.window = SECOND, .spans = SECOND, .complete = true, .covered = 1};

    s.procs.mean = 2;
    s.procs.available = 2 * SECOND;
    s.procs.executing = SECOND / 10;
    return s;
}

static void find(const struct summary *s)
{
    findings_find(s, NULL, &findings);
}

static bool is_found(const char *code)
{
    for (size_t i = 0; i < findings.n; i++) {
        if (strcmp(findings.list[i].code, code) == 0)
            return true;
    }
    return false;
}

/* So many goroutines in calls that take a tenth of a second each. */
static void set_slow(struct summary *s, double goroutines)
{
    s->slow.total = part(goroutines);
    s->slow.count = (uint64_t)(goroutines * 10);
    s->classes.syscall[STACK_OTHER].total = part(goroutines);
    s->syscalls.blocked = s->syscalls.count = s->slow.count;
    s->syscalls.longest_active = (struct summary_longest){.duration = part(0.6), .g = 7};
}

static void test_slow(void **state)
{
    struct summary s = quiet();

    (void)state;
    set_slow(&s, 2.1);
    find(&s);
    assert_string_equal(findings.label, "slow-syscalls");
    assert_int_equal(findings.n, 1);
    set_slow(&s, 64); /* they lose 640 Ps a second, and yet are no storm */
    find(&s);
    assert_string_equal(findings.label, "slow-syscalls");
    assert_int_equal(findings.n, 1);
    set_slow(&s, 1.9);
    find(&s);
    assert_string_equal(findings.label, "stuck-proc");
}

/* Whoever makes a file last waits for the disk, however short that is; the calls that open the files
 * beside are no storm, as long as they are fewer. */
static void test_syncs(void **state)
{
    struct summary s = quiet();

    (void)state;
    s.syncs.count = 3000;
    s.syncs.total = part(9);
    s.classes.syscall[STACK_OTHER].total = part(13.4);
    s.syscalls.blocked = 8000;
    find(&s);
    assert_string_equal(findings.label, "slow-syscalls");
    s.syncs.count = 20000; /* less than a millisecond each: the disk is fast */
    find(&s);
    assert_string_equal(findings.label, "syscall-storm");
}

/* Each of 64 goroutines makes many short calls for each slow one. */
static void test_storm_is_not_slow(void **state)
{
    struct summary s = quiet();

    (void)state;
    set_slow(&s, 50);
    s.classes.syscall[STACK_OTHER].total = part(64);
    s.syscalls.blocked = 3000;
    find(&s);
    assert_string_equal(findings.label, "syscall-storm");
    assert_false(is_found("slow-syscalls"));
    assert_false(is_found("stuck-proc"));
}

/* There is plenty to do beside. */
static void test_slow_busy(void **state)
{
    struct summary s = quiet();

    (void)state;
    set_slow(&s, 5);
    s.procs.executing = part(1.5);
    find(&s);
    assert_false(is_found("slow-syscalls"));
}

/* 20 wait for a lock whose holders write. */
static void test_lock_over_call(void **state)
{
    struct summary_waker waker = {
        .class = STACK_LOCK,
        .before = SUMMARY_IN_SYSCALL,
        .before_at = {.func = "example.com/app/store.(*db).commit"},
        .call = "syscall.Fdatasync",
    };
    struct summary s = quiet();

    (void)state;
    s.classes.sync[STACK_LOCK] = (struct summary_class){.count = 100, .total = part(20)};
    s.wakers = (struct summary_wakers){.list = &waker, .n = 1};
    s.wakers.lock[SUMMARY_RAN] = part(9);
    s.wakers.lock[SUMMARY_IN_SYSCALL] = part(11);
    find(&s);
    assert_string_equal(findings.label, "slow-syscalls");
    assert_string_equal(findings.list[0].remark, "held over fdatasync (store.(*db).commit)");
    assert_string_equal(findings.list[1].code, "lock-contention");
    assert_string_equal(findings.list[1].because, "slow-syscalls");

    s.wakers.lock[SUMMARY_RAN] = part(12);
    find(&s);
    assert_string_equal(findings.label, "lock-contention");
    assert_int_equal(findings.n, 1);
    assert_string_equal(findings.list[0].remark, "");
}

/* What else a holder may do is only told. */
static void test_lock_remarks(void **state)
{
    static const struct {
        enum summary_before before;
        const char *call, *remark;
    } cases[] = {
        {SUMMARY_IN_NETWORK, "", "held over a wait for the network (main.query)"},
        {SUMMARY_IN_NETWORK, "os.(*File).Write",
         "held over a wait for a pipe or terminal (main.query)"},
        {SUMMARY_ASLEEP, "", "held while asleep (main.query)"},
        {SUMMARY_WAITED, "", "held over a wait: chan receive (main.query)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct summary_waker waker = {.class = STACK_LOCK,
                                      .before = cases[i].before,
                                      .reason = "chan receive",
                                      .before_at = {.func = "main.query"},
                                      .call = cases[i].call};
        struct summary s = quiet();

        s.classes.sync[STACK_LOCK] = (struct summary_class){.count = 100, .total = part(20)};
        s.wakers = (struct summary_wakers){.list = &waker, .n = 1};
        s.wakers.lock[cases[i].before] = part(20);
        find(&s);
        assert_string_equal(findings.label, "lock-contention");
        assert_string_equal(findings.list[0].remark, cases[i].remark);
    }
}

static struct summary_class waits(double goroutines, double mean)
{
    uint64_t n = (uint64_t)(goroutines / mean);

    return (struct summary_class){
        .count = n, .total = part(goroutines), .whole = n, .whole_total = part(goroutines)};
}

/* Where the stack says what for, one waiter at all times is enough. */
static void test_pool(void **state)
{
    struct summary_frame frame = {.func = "database/sql.(*DB).conn"};
    struct summary_site site = {
        .at = frame, .class = STACK_POOL, .count = 9, .total = 9, .top = &frame, .n_top = 1};
    struct summary s = quiet();

    (void)state;
    s.inside.pool = waits(1.1, 0.03);
    s.inside.sites = (struct summary_sites){.list = &site, .n = 1};
    find(&s);
    assert_string_equal(findings.label, "blocked-in-request");
    assert_string_equal(findings.list[0].remark, "waits for a connection of the pool database/sql");
    assert_string_equal(findings.list[0].sites[0].at.func, frame.func);
    s.inside.pool = waits(0.9, 0.03);
    find(&s);
    assert_int_equal(findings.n, 0);
    s.inside.pool = waits(1.1, 0.003); /* a moment each */
    find(&s);
    assert_int_equal(findings.n, 0);
    s.inside.limit = waits(3, 0.03);
    find(&s);
    assert_string_equal(findings.label, "blocked-in-request");
}

/* A connection that is being opened is the peer's; one that is in use is the program's own. */
static void test_own_conn(void **state)
{
    struct summary s = quiet();

    (void)state;
    s.classes.sync[STACK_CONN] = s.inside.conn = waits(20, 0.05);
    s.inside.dials = part(19);
    find(&s);
    assert_string_equal(findings.label, "network-bound");
    assert_int_equal(findings.n, 1);
    s.inside.dials = part(0.5);
    find(&s);
    assert_string_equal(findings.label, "blocked-in-request");
    assert_int_equal(findings.n, 1);
}

static void test_channels(void **state)
{
    struct summary s = quiet();

    (void)state;
    s.inside.receive = waits(20, 0.1);
    find(&s);
    assert_string_equal(findings.label, "blocked-in-request");
    s.procs.executing = part(1.1); /* plenty to do */
    find(&s);
    assert_int_equal(findings.n, 0);
    s = quiet();
    s.inside.join = waits(20, 0.1);
    find(&s);
    assert_string_equal(findings.label, "blocked-in-request");
    s.classes.network[STACK_CALL] = waits(20, 0.1); /* of those that it waits for */
    find(&s);
    assert_string_equal(findings.label, "network-bound");
    assert_int_equal(findings.n, 1);
}

/* Who was asked works for those that wait: however many it answers at once, and however many wait to
 * the window's end, these are no messages. */
static void test_answers(void **state)
{
    struct summary s = quiet();

    (void)state;
    s.inside.answers = waits(20, 0.4);
    s.inside.select_bursts = 50;
    find(&s);
    assert_string_equal(findings.label, "blocked-in-request");
    s.inside.answers = waits(3, 0.4);
    find(&s);
    assert_int_equal(findings.n, 0);
}

/* A semaphore made of a channel, or of a condition: who waits for a turn waits for others alike. */
static void test_turns(void **state)
{
    struct summary s = quiet();

    (void)state;
    s.inside.turn = waits(20, 0.1);
    find(&s);
    assert_string_equal(findings.label, "blocked-in-request");
    s = quiet();
    s.inside.conditions_open = waits(20, 0.8);
    find(&s);
    assert_int_equal(findings.n, 0);
    s.inside.conditions = s.inside.conditions_open.count;
    find(&s);
    assert_string_equal(findings.label, "blocked-in-request");
    s.inside.condition_bursts = s.inside.conditions; /* a message for all */
    find(&s);
    assert_int_equal(findings.n, 0);
}

/* Handlers that wait for what they can tell their clients. */
static void test_messages(void **state)
{
    struct summary s = quiet();

    (void)state;
    s.inside.select = waits(100, 0.2);
    s.inside.select_bursts = 450; /* one message, for all */
    find(&s);
    assert_int_equal(findings.n, 0);
    s.inside.select_bursts = 0;
    s.inside.flushes = 500; /* one after each */
    find(&s);
    assert_int_equal(findings.n, 0);
    s.inside.flushes = 0;
    s.inside.select_open = part(101); /* most last for longer than the window */
    find(&s);
    assert_int_equal(findings.n, 0);
    s.inside.select_open = 0;
    find(&s);
    assert_string_equal(findings.label, "blocked-in-request");
    s = quiet();
    s.inside.receive = waits(100, 0.2);
    s.inside.receive_bursts = 450;
    find(&s);
    assert_int_equal(findings.n, 0);
}

/* What a server of its own protocol reads may be its clients' next message. */
static void test_message_readers(void **state)
{
    struct summary s = quiet();

    (void)state;
    s.classes.network[STACK_OTHER] = waits(40, 0.1);
    find(&s);
    assert_string_equal(findings.label, "network-bound");
    s.inside.accepts = 1;
    find(&s);
    assert_int_equal(findings.n, 0);
    s.classes.network[STACK_CALL] = waits(40, 0.1);
    find(&s);
    assert_string_equal(findings.label, "network-bound");
}

/* Few clients, of whose requests each makes dozens of calls, one after the other. */
static void test_chains_of_few(void **state)
{
    struct summary s = quiet();

    (void)state;
    s.classes.sync[STACK_CALL] = waits(2, 0.002);
    s.inside.asked = s.classes.sync[STACK_CALL];
    s.inside.requests = s.inside.asked.count / 40;
    s.procs.executing = part(0.02);
    find(&s);
    assert_string_equal(findings.label, "network-bound");
    s.inside.requests = s.inside.asked.count / 10; /* ten are usual */
    find(&s);
    assert_int_equal(findings.n, 0);
    s.classes.sync[STACK_CALL] = s.inside.asked = waits(2, 0.0005); /* quick ones */
    s.inside.requests = s.inside.asked.count / 40;
    find(&s);
    assert_int_equal(findings.n, 0);
    s.classes.sync[STACK_CALL] = s.inside.asked = waits(0.9, 0.002); /* hardly any request */
    s.inside.requests = s.inside.asked.count / 40;
    find(&s);
    assert_int_equal(findings.n, 0);
    s.classes.network[STACK_CALL] = waits(3, 0.002); /* of others than requests */
    find(&s);
    assert_int_equal(findings.n, 0);
}

static void test_deadlock(void **state)
{
    struct summary s = quiet();

    (void)state;
    s.still.locks = 2;
    s.classes.unknown[STACK_LOCK] = (struct summary_class){.count = 2, .total = 2 * SECOND};
    find(&s);
    assert_string_equal(findings.label, "deadlock");
    s.still.locks = 1; /* it may be held for long */
    find(&s);
    assert_false(is_found("deadlock"));
    s.still.locks = 50;
    s.procs.executing = SECOND;
    find(&s);
    assert_string_equal(findings.label, "deadlock");
    s.still.doubtful = 1; /* somebody may compute with it */
    find(&s);
    assert_false(is_found("deadlock"));
    s = quiet();
    s.still.locks = 50;
    s.window = s.spans = SECOND / 2;
    find(&s);
    assert_false(is_found("deadlock"));
}

/* Who sends waits for each other, or is a generator that nobody asks. */
static void test_channel_deadlock(void **state)
{
    struct summary s = quiet();

    (void)state;
    s.still.sends = 100;
    find(&s);
    assert_int_equal(findings.n, 0);
    s.still.joins = 1; /* somebody waits for the senders */
    find(&s);
    assert_string_equal(findings.label, "deadlock");
    s = quiet();
    s.still.joins = s.still.joins_serving = 100; /* what those do is not known */
    find(&s);
    assert_int_equal(findings.n, 0);
    s.still.sends_serving = 1;
    find(&s);
    assert_string_equal(findings.label, "deadlock");
    s = quiet();
    s.still.sends = s.still.sends_to_each_other = 2;
    find(&s);
    assert_string_equal(findings.label, "deadlock");
}

static double evidence(const char *name)
{
    for (size_t i = 0; i < findings.list[0].n_evidence; i++) {
        if (strcmp(findings.list[0].evidence[i].name, name) == 0)
            return findings.list[0].evidence[i].value;
    }
    fail_msg("no %s", name);
    return -1;
}

/* The site with the largest total need not have the longest call. */
static void test_longest_call(void **state)
{
    struct summary_site sites[] = {{.total = 9 * SECOND, .max = SECOND / 10},
                                   {.total = SECOND, .max = SECOND / 2}};
    struct summary s = quiet();

    (void)state;
    set_slow(&s, 9);
    sites[0].at = sites[1].at = (struct summary_frame){"main.save", "main.go", 7};
    s.slow.list = sites;
    s.slow.n = 2;
    find(&s);
    assert_string_equal(findings.label, "slow-syscalls");
    assert_float_equal(evidence("slow_call_max_ns"), SECOND / 2, 1);
}

/* Many waits that the finding is not about do not make up for the two that it is about. */
static void test_few_waits_in_requests(void **state)
{
    struct summary s = quiet();

    (void)state;
    s.inside.pool = waits(1.2, 0.6);
    s.inside.send = waits(0.1, 0.001);
    find(&s);
    assert_string_equal(findings.label, "not-inspected");
    s.inside.pool = waits(1.2, 0.2);
    find(&s);
    assert_string_equal(findings.label, "blocked-in-request");
    assert_float_equal(evidence("waits"), 5, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syncs),
        cmocka_unit_test(test_slow),
        cmocka_unit_test(test_longest_call),
        cmocka_unit_test(test_few_waits_in_requests),
        cmocka_unit_test(test_storm_is_not_slow),
        cmocka_unit_test(test_slow_busy),
        cmocka_unit_test(test_lock_over_call),
        cmocka_unit_test(test_lock_remarks),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_own_conn),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_message_readers),
        cmocka_unit_test(test_chains_of_few),
        cmocka_unit_test(test_deadlock),
        cmocka_unit_test(test_channel_deadlock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
