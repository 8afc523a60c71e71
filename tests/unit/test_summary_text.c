/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/read/summary.h"

/* The text for a trace that has nothing but these tasks. To be freed. */
static char *text_of_tasks(struct summary_row *rows, size_t n)
{
    const struct summary_view view = {.name = "t.trace", .top = 5};
    struct summary s = {.complete = true, .tasks = {.list = rows, .n = n}};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_int_equal(summary_text(out, &s, &view), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static const char whole_line[] =
    "  request                              3   6.00 ms   2.00 ms   2.00 ms   2.00 ms\n";

static const struct summary_times whole = {
    .count = 3, .total = 6000000, .p50 = 2000000, .p99 = 2000000, .max = 2000000};

/* A trace begins and ends in the midst of things: that is no row of zeros, and none without a name. */
static void parts(void **state)
{
    struct summary_row rows[] = {
        {.name = "request", .times = whole, .open = 2},
        {.name = "", .open = 1},
        {.name = "import", .open = 4},
    };
    char *text = text_of_tasks(rows, 3);

    (void)state;
    assert_non_null(strstr(text, whole_line));
    assert_non_null(strstr(text, "    and 2 of which the trace has only a part\n"));
    assert_non_null(
        strstr(text, "  (began before the trace)        1, of which the trace has only a part\n"));
    assert_non_null(
        strstr(text, "  import                          4, of which the trace has only a part\n"));
    assert_null(strstr(text, "  0 ns  "));
    free(text);
}

/* A label without findings would read as if all were well. */
static void unended(void **state)
{
    struct summary_site site = {.at = {"app.hang", "app/main.go", 7},
                                .own = {.at = {"", "", 0}, .call = ""},
                                .open = {.count = 101, .total = 101000000000, .max = 1000000000}};
    struct summary s = {.complete = true, .covered = 1, .window = 1000000000, .spans = 1000000000};
    const struct summary_view view = {.name = "t.trace", .top = 5};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    s.sites[SUMMARY_SYSCALL] = (struct summary_sites){.list = &site, .n = 1, .open = site.open};
    assert_int_equal(summary_text(out, &s, &view), 0);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "Label: idle"));
    assert_non_null(strstr(text, "  but 101 goroutines sit in system calls that did not end"));
    free(text);
}

static char *text_of(const struct summary *s);

/* However short each of the waits is. */
static void crowds(void **state)
{
    static const struct summary_frame stacks[][3] = {
        {{"runtime.selectgo", "", 1},
         {"main.ask", "a.go", 2},
         {"net/http.HandlerFunc.ServeHTTP", "", 3}},
        {{"runtime.chansend1", "", 1}, {"main.put", "a.go", 4}, {"main.read", "a.go", 5}},
        {{"runtime.chanrecv1", "", 1}, {"main.get", "a.go", 6}, {"main.work", "a.go", 7}},
    };
    struct summary_site sites[3];
    struct summary s = {.complete = true, .covered = 1, .window = 1000000000, .spans = 1000000000};
    char *text;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        sites[i] = (struct summary_site){.at = stacks[i][1],
                                         .own = {stacks[i][1], stacks[i][0].func},
                                         .count = 400,
                                         .total = INT64_C(40000000000),
                                         .top = stacks[i],
                                         .n_top = 3};
    s.sites[SUMMARY_SYNC] = (struct summary_sites){.list = sites, .n = 3};
    text = text_of(&s);
    assert_non_null(
        strstr(text, "Label: idle\n  but 40.0 requests wait at any time: main.ask  a.go:2"));
    assert_null(strstr(text, "to send"));
    free(text);
    sites[0].total = INT64_C(11000000000); /* a few are told if they are most that wait */
    text = text_of(&s);
    assert_non_null(strstr(text, "  but 11.0 requests wait at any time"));
    free(text);
    sites[0].total = INT64_C(9000000000);
    text = text_of(&s);
    assert_non_null(
        strstr(text, "  but 40.0 goroutines wait to send at any time: main.put  a.go:4"));
    free(text);
    sites[1].total = INT64_C(19000000000); /* who waits to receive is never told */
    text = text_of(&s);
    assert_null(strstr(text, "  but "));
    free(text);
}

/* A program may call a task nothing. */
static void nameless(void **state)
{
    struct summary_row rows[] = {{.name = "", .times = whole}};
    char *text = text_of_tasks(rows, 1);

    (void)state;
    assert_non_null(strstr(text, "  (no name)                            3   6.00 ms"));
    assert_null(strstr(text, "only a part"));
    free(text);
}

/* The text of a summary. To be freed. */
static char *text_of(const struct summary *s)
{
    const struct summary_view view = {.name = "t.trace", .top = 5};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    assert_int_equal(summary_text(out, s, &view), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* The longest of Go's reasons to wait stands there whole; goroutines are told as they grow. */
static void goroutines(void **state)
{
    struct summary_wait wait = {.reason = "GC mark assist wait for work", .total = 300000000};
    struct summary s = {.window = 200000000,
                        .goroutines = {.at_start = 9102,
                                       .at_end = 16312,
                                       .created = 8000,
                                       .ended = 790,
                                       .max_alive = 16400,
                                       .waiting = 300000000,
                                       .waits = &wait,
                                       .n_waits = 1}};
    char *text = text_of(&s);

    (void)state;
    assert_non_null(strstr(text, "\nGoroutines: 9,102 -> 16,312 (created 8,000, ended 790, most at "
                                 "once 16,400)\n"));
    assert_non_null(strstr(text, " 1.50 waiting:\n    GC mark assist wait for work 1.50\n"));
    free(text);
}

#define SECOND INT64_C(1000000000)

static const struct summary_frame frame_of_tx = {"go.example/bolt.(*DB).beginRWTx", "/x/db.go", 9};
static const struct summary_frame frame_of_signals = {"os/signal.signal_recv", "sigqueue.go", 152};

/* 50 waits in all, of which 48 had not ended, beside one that is meant to wait. */
static struct summary waiting(struct summary_site sites[2])
{
    struct summary s = {.window = 2 * SECOND, .complete = true, .spans = 2 * SECOND};

    sites[0] = (struct summary_site){.at = frame_of_tx,
                                     .own = {{"main.(*store).commit", "/a/b/app/store.go", 12},
                                             "go.example/bolt.(*DB).beginRWTx"},
                                     .count = 2,
                                     .total = SECOND,
                                     .open = {48, 95 * SECOND, 2 * SECOND}};
    sites[1] = (struct summary_site){.at = frame_of_signals,
                                     .top = &frame_of_signals,
                                     .n_top = 1,
                                     .class = STACK_PARKED,
                                     .open = {3, 6 * SECOND, 2 * SECOND}};
    s.sites[SUMMARY_SYNC] = (struct summary_sites){.list = sites,
                                                   .n = 2,
                                                   .count = 2,
                                                   .total = SECOND,
                                                   .open = {51, 101 * SECOND, 2 * SECOND},
                                                   .standing = {3, 6 * SECOND, 0},
                                                   .standing_open = 3};
    return s;
}

/* Own code first, with all its waits; what is meant to wait is one line. */
static void waits(void **state)
{
    struct summary_site sites[2];
    struct summary s = waiting(sites);
    char *text = text_of(&s);

    (void)state;
    assert_non_null(strstr(text, "  at once      total     times     still waiting  Blocked on "
                                 "channels, select, locks\n"
                                 "     48.0     96.0 s        50      48    95.0 s  "
                                 "main.(*store).commit  app/store.go:12  <- "
                                 "go.example/bolt.(*DB).beginRWTx\n"));
    assert_non_null(strstr(text, "  standing waits, not counted above: 3.00 goroutines at once\n"
                                 "    (signals)\n"));
    assert_null(strstr(text, "signal_recv"));
    assert_non_null(strstr(text, "Label: idle\n"
                                 "  but 48 goroutines waited for most of the window and to its "
                                 "end: see \"still waiting\"\n"));
    free(text);
}

/* Rows that would look the same have what tells them apart. */
static void twins(void **state)
{
    static const struct summary_frame first[] = {{"net.(*pipe).read", "net/pipe.go", 159},
                                                 {"main.query", "app/q.go", 9}},
                                      second[] = {{"net.(*pipe).read", "net/pipe.go", 162},
                                                  {"main.query", "app/q.go", 9}};
    const struct summary_own own = {{"main.query", "app/q.go", 9}, "net.(*pipe).read"};
    struct summary_site sites[] = {
        {.at = first[0],
         .own = own,
         .total = SECOND,
         .count = 1,
         .top = first,
         .n_top = 2,
         .n_stacks = 3},
        {.at = second[0],
         .own = own,
         .total = SECOND,
         .count = 1,
         .top = second,
         .n_top = 2,
         .n_stacks = 1},
    };
    struct summary s = {.window = SECOND, .complete = true, .spans = SECOND};
    const struct summary_view view = {.name = "t.trace", .top = 5, .stacks = true};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    s.sites[SUMMARY_NET] =
        (struct summary_sites){.list = sites, .n = 2, .count = 2, .total = 2 * SECOND};
    assert_int_equal(summary_text(out, &s, &view), 0);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "main.query  app/q.go:9  <- net.(*pipe).read  (net.(*pipe).read  "
                                 "net/pipe.go:159)\n"));
    assert_non_null(strstr(text, "  (net.(*pipe).read  net/pipe.go:162)\n"));
    assert_non_null(strstr(text, "  main.query  app/q.go:9\n                                     "
                                 "         (and 2 other stacks)\n"));
    free(text);
    sites[1].top = first; /* other in nothing but the class */
    sites[1].class = STACK_CALL;
    text = text_of(&s);
    assert_non_null(strstr(text, "<- net.(*pipe).read  (other)\n"));
    assert_non_null(strstr(text, "<- net.(*pipe).read  (call)\n"));
    free(text);
    sites[1].own.at.line = 10;
    text = text_of(&s);
    assert_non_null(strstr(text, "app/q.go:9  <- net.(*pipe).read\n"));
    assert_non_null(strstr(text, "app/q.go:10  <- net.(*pipe).read\n"));
    free(text);
}

/* What own code calls itself, in the language's words. */
static void own_calls(void **state)
{
    struct summary_site sites[2];
    struct summary s = waiting(sites);
    char *text;

    (void)state;
    sites[0].own.call = "runtime.chansend1";
    text = text_of(&s);
    assert_non_null(strstr(text, "main.(*store).commit  app/store.go:12  <- chan send\n"));
    free(text);
    sites[0].own = (struct summary_own){{"", "", 0}, ""};
    text = text_of(&s);
    assert_non_null(strstr(text, "  go.example/bolt.(*DB).beginRWTx  x/db.go:9\n"));
    free(text);
}

/* The table of times has calls that the trace has as a whole; a longer one stands below. */
static void longest_call(void **state)
{
    struct summary s = {.window = 2 * SECOND};
    char *text;

    (void)state;
    s.syscalls.times = (struct summary_times){.count = 9, .max = 257000, .exact = true};
    s.syscalls.longest_active =
        (struct summary_longest){.duration = 1550000000,
                                 .g = 7,
                                 .open = true,
                                 .older = true,
                                 .at = {"syscall.Fdatasync", "z.go", 1},
                                 .own = {{"main.save", "a/s.go", 5}, "syscall.Fdatasync"}};
    text = text_of(&s);
    assert_non_null(strstr(text, "  system calls, begin to end           9"));
    assert_non_null(strstr(text, "  longest system call 1.55 s (since before the trace, not over, "
                                 "goroutine 7)  main.save  a/s.go:5  <- syscall.Fdatasync\n"));
    free(text);
    s.syscalls.times.max = 1600000000; /* of a call that is meant to wait */
    text = text_of(&s);
    assert_non_null(strstr(text, "  longest that is not meant to wait 1.55 s ("));
    free(text);
    s.syscalls.times.max = s.syscalls.longest_active.duration; /* the table has it */
    text = text_of(&s);
    assert_null(strstr(text, "  longest "));
    free(text);
}

/* Lines that would only repeat what others say. */
static void nothing_to_add(void **state)
{
    struct summary s = {.window = 2 * SECOND, .spans = 2 * SECOND, .complete = true};
    char *text;

    (void)state;
    s.scheduler.overdue = 30000000;
    text = text_of(&s);
    assert_non_null(strstr(text, "\n  a goroutine was runnable for over 10.0 us: for 1.5% of the "
                                 "time\n"));
    assert_null(strstr(text, "no rule matched"));
    free(text);
    s.scheduler.overdue_with_idle = 20000000;
    text = text_of(&s);
    assert_non_null(strstr(text, " 1.5% of the time; while a P was idle: for 1.0%\n"));
    free(text);
    s.scheduler.overdue = s.scheduler.overdue_with_idle = 1000000;
    text = text_of(&s);
    assert_null(strstr(text, "was runnable for over"));
    free(text);
    s.window = 1000000; /* not inspected */
    text = text_of(&s);
    assert_null(strstr(text, "no rule matched"));
    free(text);
}

/* Whatever there is one of stands in the singular. */
static void one_of_each(void **state)
{
    struct summary_site site = {.at = frame_of_tx, .count = 1, .total = SECOND, .max = SECOND};
    struct summary_row rows[] = {{.name = "a", .times = whole},
                                 {.name = "b", .times = {.count = 1}}};
    struct summary s = {.complete = true,
                        .window = SECOND,
                        .spans = SECOND,
                        .covered = 1,
                        .generations = 1,
                        .events = {.total = 1},
                        .threads = {.seen = 1},
                        .gc = {.cycles = 1},
                        .silences = {.count = 1, .total = 2000000, .longest = 2000000},
                        .lost_tasks = 1,
                        .tasks = {.list = rows, .n = 2}};
    const struct summary_view view = {.name = "t.trace", .top = 1};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    s.sites[SUMMARY_SYNC] = (struct summary_sites){
        .list = &site, .n = 1, .count = 2, .total = SECOND + 1000000, .left_out = 1};
    assert_int_equal(summary_text(out, &s, &view), 0);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, ", 1 event, 1 generation\n"));
    assert_non_null(strstr(text, "; 1 thread seen\n"));
    assert_non_null(strstr(text, "\nGC: 1 cycle, "));
    assert_non_null(strstr(text, "though goroutines had work: 1 time, 2.00 ms\n"));
    assert_non_null(strstr(text, "    and 1 type more: 1 time, 0 in all\n"));
    assert_non_null(strstr(text, "    and 1 call site more: 1 time, 1.00 ms in all\n"));
    assert_non_null(
        strstr(text, "  1 task was open beside too many others: its work is not known"));
    assert_string_equal(summary_words("waits", true), "%s wait");
    assert_string_equal(summary_words("waits", false), "%s waits");
    assert_string_equal(summary_words("looking_share", true),
                        summary_words("looking_share", false));
    free(text);
}

/* A finding says its numbers in words, and where to look first. */
static void finding(void **state)
{
    struct summary_site sites[2];
    struct summary s = waiting(sites);
    char *text;

    (void)state;
    sites[0].class = STACK_LOCK;
    s.delays[SUMMARY_SYNC] = s.sites[SUMMARY_SYNC];
    s.delays[SUMMARY_SYNC].n = 1;
    s.classes.sync[STACK_LOCK] =
        (struct summary_class){.count = 50, .total = 96 * SECOND, .max = 2 * SECOND};
    text = text_of(&s);
    assert_non_null(strstr(text, "  lock-contention  (beyond doubt: score 1.00 of 1, from 0.5 on a "
                                 "finding)\n    48 goroutines wait at any time,"));
    assert_non_null(strstr(text, " 50 waits,"));
    assert_non_null(strstr(text, " the longest 2.00 s\n        96.0 s        50x  "
                                 "main.(*store).commit  app/store.go:12  <- "
                                 "go.example/bolt.(*DB).beginRWTx, 48 not over\n"));
    assert_null(strstr(text, "no rule matched"));
    free(text);
}

static size_t lines_of(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* What does not fit a screen loses lines; who asks for rows gets them all. */
static void brief(void **state)
{
    struct summary_row rows[40];
    struct summary s = {.window = 1000000000, .spans = 1000000000, .complete = true, .covered = 1};
    const struct summary_view whole_view = {.name = "t.trace", .top = 5, .whole = true};
    char *text, *all = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&all, &size);

    (void)state;
    for (size_t i = 0; i < 40; i++)
        rows[i] = (struct summary_row){.name = "request", .times = whole, .open = 1};
    s.tasks = (struct summary_rows){.list = rows, .n = 40};
    s.regions = s.tasks;
    s.procs.available = 2000000000;
    s.procs.executing = s.procs.running = 500000000;
    s.gc.cycles = 2;
    assert_int_equal(summary_text(out, &s, &whole_view), 0);
    assert_int_equal(fclose(out), 0);
    text = text_of(&s);
    assert_true(lines_of(all) > 50);
    assert_in_range(lines_of(text), 20, 50);
    assert_non_null(strstr(all, "  run goroutines "));
    assert_null(strstr(text, "  run goroutines "));
    assert_non_null(strstr(text, "0 threads seen; running goroutines 25.0%, idle 75.0%\nGC: 2 "));
    assert_null(strstr(text, "  a goroutine was runnable for over"));
    free(text);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),       cmocka_unit_test(unended),        cmocka_unit_test(crowds),
        cmocka_unit_test(nameless),    cmocka_unit_test(goroutines),     cmocka_unit_test(waits),
        cmocka_unit_test(own_calls),   cmocka_unit_test(longest_call),   cmocka_unit_test(finding),
        cmocka_unit_test(one_of_each), cmocka_unit_test(nothing_to_add), cmocka_unit_test(twins),
        cmocka_unit_test(brief),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
