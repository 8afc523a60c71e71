/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "trace/schedtrace/schedline.h"

static struct schedline line;

static enum schedline_kind read_text(const char *text)
{
    schedline_read(text, strlen(text), &line);
    return line.kind;
}

static void assert_torn(const char *text)
{
    assert_int_equal(read_text(text), SCHEDLINE_TORN);
}

#define OLD \
    "SCHED 1007ms: gomaxprocs=4 idleprocs=1 threads=9 spinningthreads=2 idlethreads=3 runqueue=7"

static void test_forms_of_a_snapshot(void **state)
{
    static const uint32_t queues[] = {1, 0, 256, 3};
    static const char *const texts[] = {
        OLD " [1 0 256 3]",
        "SCHED 1007ms: gomaxprocs=4 idleprocs=1 threads=9 idlethreads=3 runqueue=7 [1 0 256 3]",
        "SCHED 1007ms: gomaxprocs=4 idleprocs=1 threads=9 spinningthreads=2 needspinning=1 "
        "idlethreads=3 runqueue=7 [1 0 256 3]",
        "SCHED 1007ms: gomaxprocs=4 idleprocs=1 threads=9 spinningthreads=2 needspinning=1 "
        "idlethreads=3 runqueue=7 [ 1 0 256 3 ] schedticks=[ 10 20 30 4294967295 ]",
        "Nov 29 web-1 app[41]: SCHED 1007ms: gomaxprocs=4 idleprocs=1 threads=9 "
        "spinningthreads=2 something=new idlethreads=3 runqueue=7 [1 0 256 3] and more",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(read_text(texts[i]), SCHEDLINE_SCHED);
        assert_int_equal(line.head.ms, 1007);
        assert_int_equal(line.head.procs, 4);
        assert_int_equal(line.head.idle, 1);
        assert_int_equal(line.head.threads, 9);
        assert_int_equal(line.head.spinning, i == 1 ? 0 : 2);
        assert_int_equal(line.head.idle_threads, 3);
        assert_int_equal(line.head.runqueue, 7);
        assert_int_equal(line.head.n, 4);
        assert_memory_equal(line.queue, queues, sizeof(queues));
        assert_int_equal(line.head.needspinning, i == 2 || i == 3);
        assert_int_equal(line.head.ticks, i == 3);
        assert_false(line.head.detailed);
    }
    assert_int_equal(read_text(texts[3]), SCHEDLINE_SCHED);
    assert_int_equal(line.tick[3], UINT32_MAX);
    assert_int_equal(line.n, strlen(texts[3]));
    assert_int_equal(read_text(texts[4]), SCHEDLINE_SCHED);
    assert_int_equal(line.at, strlen("Nov 29 web-1 app[41]: "));
    assert_string_equal(texts[4] + line.at + line.n, " and more");
}

static void test_details(void **state)
{
    (void)state;
    assert_int_equal(read_text(OLD " gcwaiting=true nmidlelocked=2 stopwait=1 sysmonwait=false"),
                     SCHEDLINE_SCHED);
    assert_true(line.head.detailed && line.head.gcwaiting);
    assert_int_equal(line.head.idle_locked, 2);
    assert_int_equal(read_text(OLD " gcwaiting=0 nmidlelocked=-1 stopwait=0 sysmonwait=0"),
                     SCHEDLINE_SCHED);
    assert_true(line.head.detailed && !line.head.gcwaiting);

    assert_int_equal(read_text("  P3: status=1 schedtick=34 syscalltick=4 m=7 runqsize=5 "
                               "gfreecnt=0 timerslen=0"),
                     SCHEDLINE_P);
    assert_int_equal(line.p.id, 3);
    assert_int_equal(line.p.status, SCHEDLINE_P_RUNNING);
    assert_int_equal(line.p.tick, 34);
    assert_int_equal(line.p.syscalltick, 4);
    assert_int_equal(line.p.queue, 5);
    assert_int_equal(line.p.m, 7);
    assert_int_equal(read_text("P0: status=3 tick=1 m=-1 runqsize=2/128 gfreecnt=0"), SCHEDLINE_P);
    assert_int_equal(line.p.tick, 1);
    assert_int_equal(line.p.queue, 2);
    assert_int_equal(line.p.m, -1);

    assert_int_equal(read_text("  M2: p=1 curg=17 mallocing=0 throwing=0 preemptoff= locks=0 "
                               "dying=0 spinning=true blocked=true lockedg=17"),
                     SCHEDLINE_M);
    assert_true(line.m.spinning && line.m.blocked && line.m.locked);
    assert_int_equal(line.m.p, 1);
    assert_int_equal(line.m.g, 17);
    assert_int_equal(
        read_text("  M0: p=nil curg=nil mallocing=0 throwing=0 preemptoff=write heap dump "
                  "locks=0 dying=0 spinning=false blocked=false lockedg=nil"),
        SCHEDLINE_M);
    assert_false(line.m.spinning || line.m.blocked || line.m.locked);
    assert_int_equal(line.m.p, -1);
    assert_int_equal(line.m.g, -1);

    assert_int_equal(read_text("  G17: status=1(IO wait) m=nil lockedm=nil"), SCHEDLINE_G);
    assert_int_equal(line.g.id, 17);
    assert_int_equal(line.g.status, SCHEDLINE_G_RUNNABLE);
    assert_true(line.g.io && !line.g.assist);
    assert_int_equal(read_text("  G5: status=4100(GC worker (idle)) m=3 lockedm=nil"), SCHEDLINE_G);
    assert_int_equal(line.g.status, SCHEDLINE_G_WAITING); /* and its stack is scanned */
    assert_int_equal(line.g.m, 3);
    assert_int_equal(read_text("  G5: status=4(GC assist marking) m=3 lockedm=nil"), SCHEDLINE_G);
    assert_true(line.g.assist && !line.g.io);
}

static void test_nothing(void **state)
{
    static const char *const texts[] = {
        "",
        "SCHED",
        "SCHED soon",
        "SCHED 12ms",
        "RESCHED 1 ms",
        "listening on 127.0.0.1:6060",
        "gc ",
        "gc 1",
        "gc 12 @",
        "gc 1 @x",
        "xgc 1 @1.0s 0%",
        "  P",
        "  P1: stat",
        "P1: ",
        "MP3: p=",
        "G: status=",
        "AG1: status=4(x) m=nil",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(read_text(texts[i]), SCHEDLINE_NONE);
    schedline_read("\0\0SCHED", 7, &line);
    assert_int_equal(line.kind, SCHEDLINE_NONE);
}

static void test_torn(void **state)
{
    static const char good[] = OLD " [1 0 256 3]";
    char text[sizeof(good)];

    (void)state;
    /* Cut anywhere behind its beginning. */
    for (size_t n = strlen("SCHED 1007ms: "); n < sizeof(good) - 1; n++) {
        (void)memcpy(text, good, n);
        text[n] = '\0';
        assert_torn(text);
    }
    assert_torn(OLD " [1 0 2x 3]");
    assert_torn(OLD " [ 1 0 2 3 ] schedticks=[ 1 2 3 ]"); /* one is missing */
    assert_torn("SCHED 0ms: gomaxprocs=0 idleprocs=0 threads=1 idlethreads=0 runqueue=0 []");
    assert_torn("SCHED 0ms: gomaxprocs=1 idleprocs=2 threads=1 idlethreads=0 runqueue=0 [0]");
    assert_torn(
        "SCHED 0ms: gomaxprocs=99999999999 idleprocs=2 threads=1 idlethreads=0 runqueue=0 [0]");
    assert_torn("  P1: status=1 schedtick=");
    assert_torn("  M1: p=1 curg=2");
    assert_torn("  G1: status=4(IO wait");
    assert_torn("gc 1 @0.1s 0%: 1+");
    /* A whole one in the same line counts. */
    assert_int_equal(read_text("SCHED 531ms: " OLD " [1 0 2 3]"), SCHEDLINE_SCHED);
    assert_int_equal(line.at, strlen("SCHED 531ms: "));
    assert_int_equal(line.head.ms, 1007);
}

static void test_many_ps(void **state)
{
    static char text[SCHEDLINE_PS_MAX * 4 + 200];

    (void)state;
    (void)strcpy(text,
                 "SCHED 0ms: gomaxprocs=2000 idleprocs=0 threads=1 idlethreads=0 runqueue=0 [");
    for (int i = 0; i < SCHEDLINE_PS_MAX + 50; i++)
        (void)strcat(text, " 1");
    (void)strcat(text, " ]");
    assert_int_equal(read_text(text), SCHEDLINE_SCHED);
    assert_int_equal(line.head.n, SCHEDLINE_PS_MAX);
}

static void assert_gc(const char *text, double pause0, double pause1, double mark, double assist)
{
    assert_int_equal(read_text(text), SCHEDLINE_GC);
    assert_float_equal(line.gc.pause[0], pause0, 1e-9);
    assert_float_equal(line.gc.pause[1], pause1, 1e-9);
    assert_float_equal(line.gc.mark, mark, 1e-9);
    assert_float_equal(line.gc.assist, assist, 1e-9);
}

static void test_gc(void **state)
{
    (void)state;
    assert_gc("gc 19 @2.481s 58%: 2.4+98+0.005 ms clock, 4.9+116/51/0.011+0.011 ms cpu, "
              "49->52->46 MB, 53 MB goal, 1 MB stacks, 2 MB globals, 2 P (forced)",
              2.4, 0.005, 98, 116);
    assert_int_equal(line.gc.cycle, 19);
    assert_float_equal(line.gc.at, 2.481, 1e-9);
    assert_int_equal(line.gc.percent, 58);
    assert_float_equal(line.gc.background, 51, 1e-9);
    assert_int_equal(line.gc.before, 49);
    assert_int_equal(line.gc.after, 52);
    assert_int_equal(line.gc.live, 46);
    assert_int_equal(line.gc.goal, 53);
    assert_int_equal(line.gc.procs, 2);
    assert_true(line.gc.forced);
    /* Before Go 1.18, of Go 1.26, and of Go 1.5, whose collector had five phases. */
    assert_gc("x: gc 1 @0.018s 1%: 0.018+1.3+0.076 ms clock, 0.054+0.35/1.0/3.0+0.23 ms cpu, "
              "4->4->3 MB, 5 MB goal, 4 P",
              0.018, 0.076, 1.3, 0.35);
    assert_false(line.gc.forced);
    assert_gc("gc 2 @1s 3% (checking for goroutine leaks): 0+1+0 ms clock, 0+0/0/0+0 ms cpu, "
              "0->0->0 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 8 P",
              0, 0, 1, 0);
    assert_gc("gc 3 @0.1s 0%: 1+2+3+4+5 ms clock, 1+2+3+6/7/8+5 ms cpu, 4->4->2 MB, 4 MB goal, 4 P",
              1, 5, 9, 6);
    assert_torn(
        "gc 1 @0.018s 1%: 0.018+1.3+0.076 ms clock, 0.054+0.35/1.0/3.0+0.23 ms cpu, 4->4->");
    assert_torn("gc 1 @0.018s 1%: 1+1 ms clock, 1+1 ms cpu, 4->4->3 MB, 5 MB goal, 4 P");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_of_a_snapshot),
        cmocka_unit_test(test_details),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_many_ps),
        cmocka_unit_test(test_gc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
