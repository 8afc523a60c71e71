/* SPDX-License-Identifier: Apache-2.0 */

/* What never moved, in traces made by hand in which each goroutine waits from the beginning on. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/rawtrace.h"
#include "trace/reader/specs.h"
#include "trace/stack/kin.h"
#include "trace/summary/sites.h"
#include "trace/summary/summary.h"

/* How often something was asked about a stack or a name. */
static unsigned long asked;

uint32_t __real_sites_at(const struct sites *s, uint32_t stack, unsigned column);
uint32_t __wrap_sites_at(const struct sites *s, uint32_t stack, unsigned column);
const char *__real_sites_outermost(const struct sites *s, uint32_t stack);
const char *__wrap_sites_outermost(const struct sites *s, uint32_t stack);
uint32_t __real_kin_next(const struct kin *k, struct kin_walk *walk);
uint32_t __wrap_kin_next(const struct kin *k, struct kin_walk *walk);

uint32_t __wrap_sites_at(const struct sites *s, uint32_t stack, unsigned column)
{
    asked++;
    return __real_sites_at(s, stack, column);
}

const char *__wrap_sites_outermost(const struct sites *s, uint32_t stack)
{
    asked++;
    return __real_sites_outermost(s, stack);
}

uint32_t __wrap_kin_next(const struct kin *k, struct kin_walk *walk)
{
    asked++;
    return __real_kin_next(k, walk);
}

/* Functions of the stacks, the innermost first. */
struct line {
    const char *in; /* that waits */
    const char *at;
    const char *from;
    unsigned goroutines;
};

static bool wake_last; /* goroutine */

#define LOCK "sync.(*Mutex).Lock"
#define JOIN "sync.(*WaitGroup).Wait"
#define SEND "runtime.chansend1"
#define SLEEP "time.Sleep"

static void put_stack(unsigned n)
{
    rawtrace_event(EV_STACK, 2, U(n + 1), U(3));
    for (unsigned i = 0; i < 3; i++) {
        rawtrace_number(&rawtrace_batch, 10 * n + i + 1);
        rawtrace_number(&rawtrace_batch, 3 * n + i + 2);
        rawtrace_number(&rawtrace_batch, 1);
        rawtrace_number(&rawtrace_batch, n + 1);
    }
}

static struct summary sum_up(const struct line *lines, unsigned n)
{
    struct summary ret;
    struct gotrace *t;
    unsigned g = 100;

    rawtrace_begin(26);
    rawtrace_sync();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STRINGS);
    rawtrace_string(1, "a.go");
    for (unsigned i = 0; i < n; i++) {
        rawtrace_string(3 * i + 2, lines[i].in);
        rawtrace_string(3 * i + 3, lines[i].at);
        rawtrace_string(3 * i + 4, lines[i].from);
    }
    rawtrace_end_batch();
    rawtrace_begin_batch(UINT64_MAX, 1);
    rawtrace_number(&rawtrace_batch, EV_STACKS);
    for (unsigned i = 0; i < n; i++)
        put_stack(i);
    rawtrace_end_batch();
    rawtrace_begin_running(200);
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < lines[i].goroutines; k++, g++)
            EVENT5(GO_STATUS_STACK, 1, g, UINT64_MAX, G_WAITING, i + 1);
    if (wake_last)
        EVENT4(GO_UNBLOCK, 1, g - 1, 1, 0);
    EVENT2(HEAP_ALLOC, 100000, 1);
    rawtrace_end_batch();
    rawtrace_end_generation();
    t = rawtrace_open(rawtrace.n, NULL);
    assert_int_equal(summary_run(t, &ret), 0);
    assert_true(ret.complete);
    gotrace_close(t);
    return ret;
}

#define SUM_UP(lines) sum_up((lines), sizeof(lines) / sizeof((lines)[0]))

static void test_locks(void **state)
{
    static const struct line alone[] = {{LOCK, "app.(*store).get", "app.serve", 2}};
    static const struct line kept[] = {{LOCK, "app.(*store).get", "app.serve", 2},
                                       {SLEEP, "app.(*store).put", "app.work", 1}};
    /* Of the same package, and so perhaps busy with it; but not of that type. */
    static const struct line near[] = {{LOCK, "app.(*store).get", "app.serve", 2},
                                       {SLEEP, "app.(*storefront).put", "app.work", 1}};
    static const struct line far[] = {{LOCK, "app.(*store).get", "app.serve", 2},
                                      {SLEEP, "lib.(*store).put", "lib.work", 1}};
    struct summary s = SUM_UP(alone);

    (void)state;
    assert_int_equal(s.still.locks, 2);
    assert_int_equal(s.still.doubtful, 0);
    assert_int_equal(s.still.sites.n, 1);
    summary_done(&s);
    s = SUM_UP(kept);
    assert_int_equal(s.still.locks, 0);
    assert_true(s.wakers.lock[SUMMARY_ASLEEP] > 0);
    assert_int_equal(s.wakers.n, 1);
    assert_string_equal(s.wakers.list[0].before_at.func, "app.(*store).put");
    summary_done(&s);
    s = SUM_UP(near);
    assert_int_equal(s.still.locks, 0);
    assert_int_equal(s.wakers.lock[SUMMARY_ASLEEP], 0);
    summary_done(&s);
    s = SUM_UP(far);
    assert_int_equal(s.still.locks, 2);
    summary_done(&s);
}

static void test_senders(void **state)
{
    static const struct line siblings[] = {{SEND, "app.run.func1", "app.run.func1", 1},
                                           {SEND, "app.run.func2", "app.run.func2", 1}};
    static const struct line same[] = {{SEND, "app.run.func1", "app.run.func1", 2}};
    static const struct line stages[] = {{SEND, "app.(*line).cut", "app.one", 2},
                                         {SEND, "app.(*line).sew", "app.two", 3}};
    static const struct line single[] = {{SEND, "app.(*line).cut", "app.one", 2},
                                         {SEND, "app.(*line).sew", "app.two", 1}};
    struct summary s = SUM_UP(siblings);

    (void)state;
    assert_int_equal(s.still.sends, 2);
    assert_int_equal(s.still.sends_to_each_other, 2);
    summary_done(&s);
    s = SUM_UP(same);
    assert_int_equal(s.still.sends, 2);
    assert_int_equal(s.still.sends_to_each_other, 0);
    summary_done(&s);
    s = SUM_UP(stages);
    assert_int_equal(s.still.sends_to_each_other, 5);
    summary_done(&s);
    s = SUM_UP(single);
    assert_int_equal(s.still.sends, 3);
    assert_int_equal(s.still.sends_to_each_other, 0);
    summary_done(&s);
}

/* Two that send to each other are in the loop of one type, at different lines. */
/* Requests wait to send to a hub, which sends to its clients: while that moves, they are in no
 * deadlock. */
static void test_hub(void **state)
{
    static const struct line hub[] = {
        {SEND, "app.(*hub).publish", "net/http.HandlerFunc.ServeHTTP", 3},
        {SEND, "app.(*hub).fanOut", "app.(*hub).run", 1}};
    struct summary s = SUM_UP(hub);

    (void)state;
    assert_int_equal(s.still.sends_serving, 3);
    summary_done(&s);
    wake_last = true;
    s = SUM_UP(hub);
    wake_last = false;
    assert_int_equal(s.still.sends_serving, 0);
    summary_done(&s);
}

static void test_actors(void **state)
{
    static const struct line actors[] = {{SEND, "app.(*actor).loop", "app.(*actor).loop", 1},
                                         {SEND, "app.(*actor).loop", "app.(*actor).loop", 1}};
    static const struct line three[] = {
        {SEND, "app.(*actor).loop", "app.(*actor).loop", 1},
        {SEND, "app.(*actor).loop", "app.(*actor).loop", 1},
        {"runtime.chanrecv1", "app.(*actor).loop", "app.(*actor).loop", 1}};
    static const struct line left[] = {{SEND, "app.(*actor).loop", "app.(*actor).loop", 2}};
    static const struct line generators[] = {{SEND, "app.(*lines).next", "app.(*lines).run", 1},
                                             {SEND, "app.(*lines).next", "app.(*lines).run", 1}};
    static const struct line functions[] = {{SEND, "app.walk", "app.walk", 1},
                                            {SEND, "app.walk", "app.walk", 1}};
    struct summary s = SUM_UP(actors);

    (void)state;
    assert_int_equal(s.still.sends_to_each_other, 2);
    summary_done(&s);
    s = SUM_UP(three);
    assert_int_equal(s.still.sends_to_each_other, 2);
    summary_done(&s);
    wake_last = true; /* another one of them works: these were left behind */
    s = SUM_UP(three);
    wake_last = false;
    assert_int_equal(s.still.sends, 2);
    assert_int_equal(s.still.sends_to_each_other, 0);
    summary_done(&s);
    s = SUM_UP(left);
    assert_int_equal(s.still.sends_to_each_other, 0);
    summary_done(&s);
    s = SUM_UP(generators);
    assert_int_equal(s.still.sends_to_each_other, 0);
    summary_done(&s);
    s = SUM_UP(functions);
    assert_int_equal(s.still.sends_to_each_other, 0);
    summary_done(&s);
}

static void test_joins(void **state)
{
    static const struct line within[] = {{JOIN, "app.run", "app.start", 1},
                                         {SEND, "app.run.func1", "app.run.func1", 1}};
    static const struct line few[] = {{JOIN, "app.run", "app.start", 1},
                                      {SEND, "app.other", "app.other", 2}};
    static const struct line many[] = {{JOIN, "app.run", "app.start", 1},
                                       {SEND, "app.other", "app.other", 3}};
    static const struct line of_main[] = {{JOIN, "main.main", "main.main", 1},
                                          {SEND, "main.other", "main.other", 3}};
    struct summary s = SUM_UP(within);

    (void)state;
    assert_int_equal(s.still.joins, 1);
    assert_int_equal(s.still.sends, 1);
    summary_done(&s);
    s = SUM_UP(few);
    assert_int_equal(s.still.joins, 0);
    summary_done(&s);
    s = SUM_UP(many);
    assert_int_equal(s.still.joins, 1);
    summary_done(&s);
    s = SUM_UP(of_main);
    assert_int_equal(s.still.joins, 0);
    summary_done(&s);
}

/* Stacks of which each is another's equal in kind, but in nothing else. */
static unsigned long work(unsigned n)
{
    static char at[256][32], from[256][32];
    static const char *const in[] = {LOCK, JOIN, SEND, SLEEP};
    struct line lines[256];
    struct summary s;

    for (unsigned i = 0; i < n; i++) {
        (void)snprintf(at[i], sizeof(at[i]), "p%u.(*t).wait", i);
        (void)snprintf(from[i], sizeof(from[i]), "p%u.run.func1", i);
        lines[i] = (struct line){in[i % 4], at[i], from[i], 1};
    }
    asked = 0;
    s = sum_up(lines, n);
    assert_true(s.still.locks == n / 4 && s.still.sends == n / 4 && s.still.joins == 0);
    summary_done(&s);
    return asked;
}

/* Twice as many stacks are twice the work, and not four times. */
static void test_work(void **state)
{
    unsigned long once = work(128), twice = work(256);

    (void)state;
    assert_in_range(twice, once, 5 * once / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locks),  cmocka_unit_test(test_senders), cmocka_unit_test(test_hub),
        cmocka_unit_test(test_actors), cmocka_unit_test(test_joins),   cmocka_unit_test(test_work),
    };

    return cmocka_run_group_tests_name("summary_still", tests, NULL, NULL);
}
