/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/random.h>

#include "lib/store/http/breaker.h"

#define NOW (7 * USEC_PER_DAY)
#define OUTAGE (72 * USEC_PER_HOUR)

static uint64_t rng;

static uint64_t draw(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

static void open_it(struct breaker *b, usec now)
{
    breaker_init(b, now);
    for (unsigned i = 1; i < BREAKER_THRESHOLD; i++)
        assert_false(breaker_failed(b, false, now, 0, 0));
    assert_true(breaker_failed(b, false, now, 0, 0));
}

static void test_opens_and_closes(void **state)
{
    struct breaker b;

    (void)state;
    open_it(&b, NOW);
    assert_int_equal(b.state, BREAKER_OPEN);
    assert_true(breaker_next(&b) == NOW + BREAKER_LEAST);
    assert_int_equal(breaker_allows(&b, NOW), BREAKER_NO);
    assert_int_equal(breaker_allows(&b, NOW + BREAKER_LEAST), BREAKER_PROBE);
    breaker_probe(&b);
    assert_int_equal(breaker_allows(&b, NOW + USEC_PER_DAY), BREAKER_NO);
    assert_true(breaker_next(&b) == USEC_NEVER);
    /* what was under way before says nothing */
    assert_false(breaker_succeeded(&b, false, NOW));
    assert_false(breaker_failed(&b, false, NOW, 0, 0));
    assert_false(breaker_parked(&b, false, NOW, 0));
    assert_true(b.probing);
    assert_true(breaker_succeeded(&b, true, NOW));
    assert_int_equal(breaker_allows(&b, NOW), BREAKER_YES);
    assert_true(breaker_next(&b) == 0);
}

static void test_successes_between(void **state)
{
    struct breaker b;

    (void)state;
    breaker_init(&b, NOW);
    for (unsigned i = 0; i < 100; i++) {
        assert_false(breaker_failed(&b, false, NOW, 0, draw()));
        assert_false(breaker_succeeded(&b, false, NOW));
    }
    assert_int_equal(b.state, BREAKER_CLOSED);
}

static void test_retry_after(void **state)
{
    struct breaker b;

    (void)state;
    breaker_init(&b, NOW);
    assert_true(breaker_failed(&b, false, NOW, USEC_PER_MIN, 0));
    assert_true(breaker_next(&b) == NOW + USEC_PER_MIN);
}

static void test_parked(void **state)
{
    struct breaker b;

    (void)state;
    breaker_init(&b, NOW);
    assert_true(breaker_parked(&b, false, NOW, 0));
    assert_string_equal(breaker_state_name(b.state), "parked");
    assert_true(breaker_next(&b) == NOW + BREAKER_PARK);
    breaker_probe(&b);
    assert_false(breaker_parked(&b, true, NOW, UINT64_MAX));
    assert_true(breaker_next(&b) == NOW + BREAKER_PARK * 9 / 10);
    breaker_wake(&b, NOW + 1);
    assert_int_equal(breaker_allows(&b, NOW + 1), BREAKER_PROBE);
    breaker_probe(&b);
    assert_false(breaker_abandoned(&b, true, NOW + 1));
    assert_true(breaker_next(&b) == NOW + 1 + BREAKER_LEAST);
    breaker_probe(&b);
    assert_true(breaker_failed(&b, true, NOW + 1, 0, 0)); /* now it is the store's trouble */
    assert_int_equal(b.state, BREAKER_OPEN);
}

/* Three days: how many requests in any minute, how many in all, how late after its end. */
static void outage(uint64_t seed)
{
    usec now = NOW, minute[16] = {0};
    unsigned requests = 0;
    struct breaker b;

    rng = seed | 1;
    open_it(&b, now);
    for (;;) {
        now = breaker_next(&b);
        if (now >= NOW + OUTAGE)
            break;
        assert_int_equal(breaker_allows(&b, now), BREAKER_PROBE);
        breaker_probe(&b);
        assert_true(now - minute[(requests + 3) % 16] > USEC_PER_MIN || requests < 13);
        minute[requests++ % 16] = now;
        now += draw() % (2 * USEC_PER_SEC); /* it takes a while to fail */
        assert_false(breaker_failed(&b, true, now, 0, draw()));
        assert_true(breaker_next(&b) >= now + BREAKER_LEAST);
        assert_true(breaker_next(&b) <= now + BREAKER_MOST);
    }
    assert_in_range(requests, OUTAGE / BREAKER_MOST, 3 * OUTAGE / USEC_PER_MIN);
    assert_true(now <= NOW + OUTAGE + BREAKER_MOST + 2 * USEC_PER_SEC);
    breaker_probe(&b);
    assert_true(breaker_succeeded(&b, true, now));
}

static void test_outage(void **state)
{
    uint64_t seed = 0;

    (void)state;
    assert_int_equal(getrandom(&seed, sizeof(seed), 0), sizeof(seed));
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned i = 0; i < 50; i++)
        outage(seed + i * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_and_closes), cmocka_unit_test(test_successes_between),
        cmocka_unit_test(test_retry_after),      cmocka_unit_test(test_parked),
        cmocka_unit_test(test_outage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
