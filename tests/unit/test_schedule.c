/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/capture/agenda.h"
#include "daemon/capture/schedule.h"

#define INTERVAL (300 * USEC_PER_SEC)
#define REAL (1773480413 * USEC_PER_SEC + 589793)
#define BOOT (40 * USEC_PER_DAY + 12345)

/* The i-th of a large fleet's targets; without printf, for there are millions. */
static uint64_t fleet_hash(uint32_t i)
{
    char address[] = "10.000.000.000:6060";

    for (char *p = address + 13; p > address + 2; i /= 10, p -= p[-1] == '.' ? 2 : 1)
        *p = (char)('0' + i % 10);
    return schedule_hash("checkout", address, "node");
}

static void fleet_schedule(struct schedule *s, uint32_t i, usec interval)
{
    schedule_init(s, fleet_hash(i), interval, REAL, BOOT);
}

static void test_hash(void **state)
{
    uint64_t h = schedule_hash("job", "127.0.0.1:6060", "host");

    (void)state;
    assert_true(h == schedule_hash("job", "127.0.0.1:6060", "host"));
    assert_true(h != schedule_hash("job", "127.0.0.1:6061", "host"));
    assert_true(h != schedule_hash("jobs", "127.0.0.1:6060", "host"));
    assert_true(h != schedule_hash("job", "127.0.0.1:6060", "hosu"));
    assert_true(h != schedule_hash("job1", "27.0.0.1:6060", "host"));
    assert_true(schedule_hash("", "ab", "c") != schedule_hash("", "a", "bc"));
    assert_true(schedule_hash("a", "", "") != schedule_hash("", "a", ""));
}

#define FLEET 4000000

static void test_even_spread(void **state)
{
    static uint32_t phase[300], due[300];

    (void)state;
    for (uint32_t i = 0; i < FLEET; i++) {
        struct schedule s;

        fleet_schedule(&s, i, INTERVAL);
        phase[s.origin % INTERVAL / USEC_PER_SEC]++;
        due[schedule_due(&s, 7) % INTERVAL / USEC_PER_SEC]++;
    }
    for (size_t second = 0; second < 300; second++) {
        assert_in_range(phase[second], FLEET / 300 * 95 / 100, FLEET / 300 * 105 / 100);
        assert_in_range(due[second], FLEET / 300 * 95 / 100, FLEET / 300 * 105 / 100);
    }
}

/* Walks a schedule as the daemon does, each capture beginning when it is due. */
static void walk(uint32_t i, usec interval, unsigned cycles)
{
    usec now = BOOT, last = 0, end = BOOT + cycles * interval;
    uint64_t count = 0;
    struct schedule s;

    fleet_schedule(&s, i, interval);
    for (;;) {
        usec next = schedule_next(&s, last, now);

        assert_true(next > now);
        if (last > 0) {
            assert_true(next - last >= interval - interval / 10);
            assert_true(next - last <= interval + interval / 10);
        }
        if (next >= end)
            break;
        count++;
        now = last = next;
    }
    assert_in_range(count, cycles - 1, cycles + 1);
}

static void test_none_starved(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20000; i++)
        walk(i, INTERVAL, 100);
    for (uint32_t i = 0; i < 20; i++)
        walk(i, INTERVAL, 100000);
    for (uint32_t i = 0; i < 1000; i++) {
        walk(i, USEC_PER_SEC, 200);
        walk(i, 365 * USEC_PER_DAY, 200);
    }
}

/* The jitter reaches both ends of its range, is not one-sided, and is no pattern. */
static void test_jitter(void **state)
{
    const int64_t width = (int64_t)(INTERVAL / 20);
    int64_t least = INT64_MAX, most = INT64_MIN, sum = 0;
    unsigned same = 0, n = 200000;
    struct schedule s;

    (void)state;
    fleet_schedule(&s, 1, INTERVAL);
    for (unsigned i = 0; i < n; i++) {
        int64_t jitter = (int64_t)(schedule_due(&s, i) - (s.origin + i * INTERVAL));
        int64_t later = (int64_t)(schedule_due(&s, i + 2) - (s.origin + (i + 2) * INTERVAL));

        least = jitter < least ? jitter : least;
        most = jitter > most ? jitter : most;
        sum += jitter;
        same += (jitter > 0) == (later > 0);
    }
    assert_true(least >= -width && least < -width * 99 / 100);
    assert_true(most <= width && most > width * 99 / 100);
    assert_true(llabs(sum / (int64_t)n) < width / 50);
    assert_in_range(same, n * 48 / 100, n * 52 / 100);
}

/* Started at any moment, a target's cycles fall on the same moments of the wall clock. */
static void test_restart_keeps_phase(void **state)
{
    static const usec intervals[] = {USEC_PER_SEC, 7 * USEC_PER_SEC, INTERVAL, USEC_PER_DAY};

    (void)state;
    for (size_t k = 0; k < sizeof(intervals) / sizeof(intervals[0]); k++) {
        usec interval = intervals[k];

        for (uint32_t i = 0; i < 2000; i++) {
            usec later = (usec)i * i * 1234567;
            struct schedule before, after, rebooted;

            schedule_init(&before, fleet_hash(i), interval, REAL, BOOT);
            schedule_init(&after, fleet_hash(i), interval, REAL + later, BOOT + later);
            assert_true((after.origin - before.origin) % interval == 0);
            assert_true(after.origin <= BOOT + later);
            assert_true(BOOT + later - after.origin < interval);
            /* another boot: boot time differs, the wall clock's moment of the cycle does not */
            schedule_init(&rebooted, fleet_hash(i), interval, REAL + later, 17);
            assert_true((REAL + later - 17 + rebooted.origin) % interval ==
                        (REAL - BOOT + before.origin) % interval);
        }
    }
}

/* After the beginning no real time goes in: all there is to assert is that it has no way in. A step
 * between two starts moves the phase by just as much on boot time. */
static void test_step_of_the_wall_clock(void **state)
{
    struct schedule a, b;
    usec due[50], step = 11 * USEC_PER_SEC;

    (void)state;
    fleet_schedule(&a, 5, INTERVAL);
    for (uint64_t c = 0; c < 50; c++)
        due[c] = schedule_due(&a, c);
    schedule_init(&b, fleet_hash(5), INTERVAL, REAL + USEC_PER_DAY * 366, BOOT);
    for (uint64_t c = 0; c < 50; c++)
        assert_true(schedule_due(&a, c) == due[c]);
    assert_true((a.origin - b.origin) % INTERVAL == 366 * USEC_PER_DAY % INTERVAL);
    schedule_init(&b, fleet_hash(5), INTERVAL, REAL + step, BOOT);
    assert_true((a.origin + INTERVAL - b.origin) % INTERVAL == step);
    assert_true(schedule_next(&a, 0, BOOT) == schedule_next(&a, 0, BOOT));
}

static void test_extremes(void **state)
{
    static const usec intervals[] = {USEC_PER_SEC, 61 * USEC_PER_SEC, 365 * USEC_PER_DAY};
    static const usec reals[] = {0, 1, REAL, 253402300799 * USEC_PER_SEC};
    static const usec boots[] = {0, 1, USEC_PER_SEC, BOOT, 100 * 365 * USEC_PER_DAY};

    (void)state;
    for (unsigned i = 0; i < 3 * 4 * 5 * 200; i++) {
        usec interval = intervals[i % 3], real = reals[i / 3 % 4], boot = boots[i / 12 % 5];
        usec now = boot, previous = 0;
        struct schedule s;

        schedule_init(&s, fleet_hash(i), interval, real, boot);
        for (unsigned n = 0; n < 5; n++) {
            usec next = schedule_next(&s, 0, now);

            assert_true(next > now);
            assert_true(next - now <= interval + interval / 10);
            assert_true(n == 0 || next - previous >= interval - interval / 10);
            now = previous = next;
        }
    }
}

static void test_next_leaves_half_an_interval(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        struct schedule s;

        fleet_schedule(&s, i, INTERVAL);
        for (usec late = 0; late < 2 * INTERVAL; late += 7654321) {
            usec last = BOOT + late;
            usec next = schedule_next(&s, last, last + 2 * USEC_PER_SEC);

            assert_true(next - last >= INTERVAL / 2);
            assert_true(next - last <= INTERVAL + INTERVAL / 2 + INTERVAL / 10);
            /* it is a due time of the schedule, not one counted from the last capture */
            assert_true(next == schedule_next(&s, 0, next - 1));
        }
    }
}

static void test_next_is_the_first(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 50; i++) {
        struct schedule s;

        fleet_schedule(&s, i, 10 * USEC_PER_SEC);
        for (usec now = BOOT; now < BOOT + 60 * USEC_PER_SEC; now += 333333) {
            usec expected = 0;

            for (uint64_t c = 0; expected == 0; c++) {
                if (schedule_due(&s, c) > now)
                    expected = schedule_due(&s, c);
            }
            assert_true(schedule_next(&s, 0, now) == expected);
            assert_true(schedule_next(&s, now > 10 * USEC_PER_SEC ? now - 10 * USEC_PER_SEC : 0,
                                      now) == expected);
        }
    }
}

/* A suspended machine misses cycles and goes on with the next one, not with all of them. */
static void test_next_after_a_long_sleep(void **state)
{
    struct schedule s;
    usec now = BOOT + 1000 * USEC_PER_DAY, next;

    (void)state;
    fleet_schedule(&s, 9, INTERVAL);
    next = schedule_next(&s, BOOT, now);
    assert_true(next > now && next - now <= INTERVAL + INTERVAL / 10);
}

static void check_first(uint64_t n, usec interval)
{
    usec spread = n * SCHEDULE_FIRST_SPACING, last = 0;

    if (spread > interval)
        spread = interval;
    for (uint64_t i = 0; i < n; i++) {
        usec at = schedule_first(i, n, interval, BOOT);
        usec even = BOOT + (usec)((double)spread * (double)i / (double)n);

        assert_true(i > 0 || at == BOOT);
        assert_true(at >= last && at < BOOT + spread);
        assert_true(at + 2 >= even && at <= even + 2);
        last = at;
    }
}

static void test_first(void **state)
{
    (void)state;
    check_first(1, INTERVAL);
    check_first(2, INTERVAL);
    check_first(64, INTERVAL);
    check_first(3000, INTERVAL); /* just fits */
    check_first(3001, INTERVAL);
    check_first(1000000, INTERVAL);
    check_first(1000, USEC_PER_SEC);
    check_first(100000, 365 * USEC_PER_DAY);
}

static void test_retry_busy(void **state)
{
    const usec window = 2 * USEC_PER_SEC, next = BOOT + INTERVAL;
    usec least = USEC_NEVER, most = 0;

    (void)state;
    for (uint64_t i = 0; i < 4096; i++) {
        usec at = schedule_retry_busy(BOOT, next, window, i << 52 | 0x123);

        least = at < least ? at : least;
        most = at > most ? at : most;
    }
    assert_true(least == BOOT + window);
    assert_true(most > BOOT + 5 * window - window / 10 && most <= BOOT + 5 * window);
    assert_true(schedule_retry_busy(BOOT, next, window, UINT64_MAX) == BOOT + 5 * window);
    assert_true(schedule_retry_busy(BOOT, BOOT + window, window, 0) == USEC_NEVER);
    assert_true(schedule_retry_busy(BOOT, BOOT + window + 1, window, 0) == BOOT + window);
    assert_true(schedule_retry_busy(BOOT, BOOT, window, 0) == USEC_NEVER);
    assert_true(schedule_retry_busy(next, BOOT, window, 0) == USEC_NEVER);
}

static void test_backoff(void **state)
{
    static const struct {
        unsigned failures;
        usec interval, wait;
    } rows[] = {
        {0, 60, 60},   {2, 60, 60},    {3, 60, 120},  {5, 60, 120},     {6, 60, 240},
        {99, 60, 240}, {99, 300, 900}, {3, 300, 600}, {99, 1200, 1200},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(schedule_backoff(rows[i].failures, rows[i].interval * USEC_PER_SEC),
                         rows[i].wait * USEC_PER_SEC);
}

static void test_retry_down(void **state)
{
    usec first = 5 * USEC_PER_SEC;

    (void)state;
    for (unsigned attempt = 0; attempt < 100; attempt++) {
        unsigned doublings = attempt < 16 ? attempt : 16;
        usec wait = first << doublings;

        assert_true(schedule_retry_down(BOOT, USEC_NEVER, attempt, 0) == BOOT + wait / 2);
        assert_true(schedule_retry_down(BOOT, USEC_NEVER, attempt, UINT64_MAX) == BOOT + wait);
        assert_true(schedule_retry_down(BOOT, BOOT + wait / 2, attempt, 0) == USEC_NEVER);
    }
    assert_true(schedule_retry_down(BOOT, BOOT, UINT_MAX, 0) == USEC_NEVER);
}

/* The agenda, the schedules and a queue before max_concurrent slots, as the daemon joins them. */
struct simulation {
    size_t n;
    struct lane *lanes;
    struct agenda agenda;
    unsigned *counts;
    usec *longest;   /* between two starts */
    uint32_t *queue; /* a ring of n */
    size_t queue_at, queue_n;
    struct running {
        uint32_t i;
        usec end;
    } *running; /* a ring of `slots`: all take the same time, so the first to start ends first */
    size_t slots, running_at, running_n;
    usec window;
};

static void start_queued(struct simulation *s, usec now)
{
    while (s->queue_n > 0 && s->running_n < s->slots) {
        uint32_t i = s->queue[s->queue_at];
        struct lane *l = &s->lanes[i];

        s->queue_at = (s->queue_at + 1) % s->n;
        s->queue_n--;
        if (l->last_start > 0 && now - l->last_start > s->longest[i])
            s->longest[i] = now - l->last_start;
        l->last_start = now;
        s->counts[i]++;
        s->running[(s->running_at + s->running_n++) % s->slots] =
            (struct running){i, now + s->window};
    }
}

static void on_due(struct simulation *s, uint32_t i, usec now)
{
    struct lane *l = &s->lanes[i];

    if (l->capture_job == NULL) { /* else the tick is skipped */
        l->capture_job = (struct capture_job *)l;
        s->queue[(s->queue_at + s->queue_n++) % s->n] = i;
    }
    agenda_set(&s->agenda, l, schedule_next(&l->schedule, l->last_start, now));
}

static void on_end(struct simulation *s)
{
    struct lane *l = &s->lanes[s->running[s->running_at].i];

    s->running_at = (s->running_at + 1) % s->slots;
    s->running_n--;
    l->capture_job = NULL;
}

static void simulate(struct simulation *s, size_t n, size_t slots, usec window, usec duration)
{
    *s = (struct simulation){.n = n, .slots = slots, .window = window};
    s->lanes = calloc(n, sizeof(*s->lanes));
    s->counts = calloc(n, sizeof(*s->counts));
    s->longest = calloc(n, sizeof(*s->longest));
    s->queue = calloc(n, sizeof(*s->queue));
    s->running = calloc(slots, sizeof(*s->running));
    agenda_init(&s->agenda);
    assert_int_equal(agenda_reserve(&s->agenda, n), 0);
    for (uint32_t i = 0; i < n; i++) {
        fleet_schedule(&s->lanes[i].schedule, i, INTERVAL);
        agenda_set(&s->agenda, &s->lanes[i], schedule_first(i, n, INTERVAL, BOOT));
    }
    for (;;) {
        struct lane *first = agenda_first(&s->agenda);
        usec end = s->running_n > 0 ? s->running[s->running_at].end : USEC_NEVER;
        usec now = first->due < end ? first->due : end;

        if (now > BOOT + duration)
            break;
        if (now == end)
            on_end(s);
        else
            on_due(s, (uint32_t)(first - s->lanes), now);
        start_queued(s, now);
    }
}

static void simulation_done(struct simulation *s)
{
    agenda_done(&s->agenda);
    free(s->lanes);
    free(s->counts);
    free(s->longest);
    free(s->queue);
    free(s->running);
}

/* Enough slots: each target has its capture in each interval. */
static void test_simulation(void **state)
{
    const unsigned cycles = 8;
    struct simulation s;

    (void)state;
    simulate(&s, 100000, 1000, 2 * USEC_PER_SEC, cycles * INTERVAL);
    for (size_t i = 0; i < s.n; i++) {
        /* the first capture is beside the schedule */
        assert_in_range(s.counts[i], cycles - 1, cycles + 2);
        assert_true(s.longest[i] <= INTERVAL * 17 / 10);
    }
    simulation_done(&s);
}

/* A tenth of the slots that would be needed: all wait longer, and all alike. */
static void test_simulation_overloaded(void **state)
{
    const unsigned cycles = 30;
    struct simulation s;

    (void)state;
    simulate(&s, 20000, 14, 2 * USEC_PER_SEC, cycles * INTERVAL);
    for (size_t i = 0; i < s.n; i++) {
        assert_in_range(s.counts[i], 2, 5);
        assert_true(s.longest[i] <= 14 * INTERVAL);
    }
    simulation_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_even_spread),
        cmocka_unit_test(test_none_starved),
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_restart_keeps_phase),
        cmocka_unit_test(test_step_of_the_wall_clock),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_next_leaves_half_an_interval),
        cmocka_unit_test(test_next_is_the_first),
        cmocka_unit_test(test_next_after_a_long_sleep),
        cmocka_unit_test(test_first),
        cmocka_unit_test(test_retry_busy),
        cmocka_unit_test(test_retry_down),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_simulation),
        cmocka_unit_test(test_simulation_overloaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
