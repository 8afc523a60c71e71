/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/spool/core/retention.h"
#include "tests/support/seed.h"

#define ITEMS_MAX 24

static const struct retention_limits no_limits = {
    .max_bytes = UINT64_MAX, .max_files = UINT64_MAX, .max_age = 0, .min_free = 0};

static void count(struct retention_facts *f)
{
    f->kept_files = f->n;
    f->kept_bytes = 0;
    for (size_t i = 0; i < f->n; i++)
        f->kept_bytes += f->items[i].bytes;
}

static struct retention_plan plan_of(struct retention_facts *f, const struct retention_limits *l)
{
    struct retention_plan p;

    count(f);
    assert_int_equal(retention_plan(f, l, &p), 0);
    return p;
}

static void expect(const struct retention_plan *p, size_t i, size_t index,
                   enum retention_cause cause)
{
    assert_true(i < p->n);
    assert_int_equal(p->choices[i].index, index);
    assert_int_equal(p->choices[i].cause, cause);
}

static void test_nothing_to_do(void **state)
{
    struct retention_item items[] = {{.time = 1, .bytes = 4096}, {.time = 2, .bytes = 4096}};
    struct retention_facts f = {.items = items, .n = 2, .now = USEC_PER_DAY};
    struct retention_plan p = plan_of(&f, &no_limits);

    (void)state;
    assert_int_equal(p.n, 0);
    assert_true(p.enough);
    retention_plan_done(&p);
}

static void test_age_spares_pending(void **state)
{
    struct retention_item items[] = {
        {.time = 10, .bytes = 1, .pending = true},
        {.time = 20, .bytes = 1},
        {.time = 30, .bytes = 1, .busy = true},
        {.time = 40, .bytes = 1, .failed = true},
        {.time = 50, .bytes = 1},
        {.time = 51, .bytes = 1},
    };
    struct retention_facts f = {.items = items, .n = 6, .now = 151};
    struct retention_limits l = no_limits;
    struct retention_plan p;

    (void)state;
    l.max_age = 100;
    p = plan_of(&f, &l);
    assert_int_equal(p.n, 2);
    expect(&p, 0, 1, RETENTION_AGE);
    expect(&p, 1, 4, RETENTION_AGE);
    retention_plan_done(&p);
    f.now = 5; /* before all of them: nothing is old */
    p = plan_of(&f, &l);
    assert_int_equal(p.n, 0);
    retention_plan_done(&p);
}

static void test_archive_before_pending(void **state)
{
    struct retention_item items[] = {
        {.time = 1, .bytes = 100, .pending = true},
        {.time = 2, .bytes = 100},
        {.time = 3, .bytes = 100, .pending = true},
        {.time = 4, .bytes = 100},
    };
    struct retention_facts f = {
        .items = items, .n = 4, .now = 5, .wanted_bytes = 50, .wanted_files = 1};
    struct retention_limits l = no_limits;
    struct retention_plan p;

    (void)state;
    l.max_bytes = 150;
    p = plan_of(&f, &l);
    assert_true(p.enough);
    assert_int_equal(p.n, 3);
    expect(&p, 0, 1, RETENTION_BYTES);
    expect(&p, 1, 3, RETENTION_BYTES);
    expect(&p, 2, 0, RETENTION_BYTES);
    retention_plan_done(&p);

    l.max_bytes = 450;
    l.max_files = 3;
    p = plan_of(&f, &l);
    assert_true(p.enough);
    assert_int_equal(p.n, 2);
    expect(&p, 0, 1, RETENTION_FILES);
    expect(&p, 1, 3, RETENTION_FILES);
    retention_plan_done(&p);
}

static void test_free_space_and_inodes(void **state)
{
    struct retention_item items[] = {{.time = 1, .bytes = 100}, {.time = 2, .bytes = 100}};
    struct retention_facts f = {.items = items,
                                .n = 2,
                                .free_bytes = 100,
                                .total_bytes = 1000,
                                .free_inodes = 10,
                                .total_inodes = 100,
                                .unwritten_bytes = 50};
    struct retention_limits l = no_limits;
    struct retention_plan p;

    (void)state;
    l.min_free = 0.1;
    p = plan_of(&f, &l);
    assert_true(p.enough);
    assert_int_equal(p.n, 1);
    expect(&p, 0, 0, RETENTION_FREE_SPACE);
    retention_plan_done(&p);

    f.free_bytes = 1000;
    f.unwritten_inodes = 3; /* two items give four back */
    p = plan_of(&f, &l);
    assert_true(p.enough);
    assert_int_equal(p.n, 2);
    retention_plan_done(&p);

    f.unwritten_inodes = 5;
    p = plan_of(&f, &l);
    assert_false(p.enough);
    assert_int_equal(p.lacking, RETENTION_FREE_SPACE);
    retention_plan_done(&p);

    f.total_inodes = 0; /* not counted */
    p = plan_of(&f, &l);
    assert_true(p.enough);
    assert_int_equal(p.n, 0);
    retention_plan_done(&p);
}

static void test_numbers_that_do_not_fit(void **state)
{
    struct retention_item items[] = {{.time = 1, .bytes = UINT64_MAX - 1}};
    struct retention_facts f = {.items = items,
                                .n = 1,
                                .now = UINT64_MAX,
                                .wanted_bytes = UINT64_MAX,
                                .unwritten_bytes = UINT64_MAX,
                                .total_bytes = UINT64_MAX};
    struct retention_limits l = {
        .max_bytes = 1000, .max_files = 10, .max_age = UINT64_MAX, .min_free = 1};
    struct retention_plan p = plan_of(&f, &l);

    (void)state;
    assert_false(p.enough);
    retention_plan_done(&p);
}

/*
 * The oracle knows no order of walking: it tries every number of deletions from the order of
 * sacrifice and takes the first after which all bounds hold.
 */
static bool holds(const struct retention_facts *f, const struct retention_limits *l,
                  const bool *gone, enum retention_cause *ret)
{
    uint64_t bytes = f->kept_bytes + f->wanted_bytes, files = f->kept_files + f->wanted_files;
    uint64_t free_bytes = f->free_bytes, free_inodes = f->free_inodes;
    uint64_t reserve_bytes = (uint64_t)(l->min_free * (double)f->total_bytes);
    uint64_t reserve_inodes = (uint64_t)(l->min_free * (double)f->total_inodes);

    for (size_t i = 0; i < f->n; i++) {
        if (gone[i]) {
            bytes -= f->items[i].bytes;
            files--;
            free_bytes += f->items[i].bytes;
            free_inodes += 2;
        }
    }
    *ret = files > l->max_files ? RETENTION_FILES
         : bytes > l->max_bytes ? RETENTION_BYTES
         : free_bytes < f->unwritten_bytes + reserve_bytes ||
                   (f->total_inodes && free_inodes < f->unwritten_inodes + reserve_inodes)
             ? RETENTION_FREE_SPACE
             : RETENTION_CAUSES;
    return *ret == RETENTION_CAUSES;
}

static bool is_old(const struct retention_facts *f, const struct retention_limits *l, size_t i)
{
    const struct retention_item *it = &f->items[i];
    bool known = it->annotated || (l->keep_worst == 0 && l->keep_incidents <= l->max_age);

    return l->max_age && f->now > it->time && f->now - it->time > l->max_age && !it->worst &&
           known && (!it->incident || f->now > it->time + l->keep_incidents);
}

/* The first item from which on those of value take no more than half of the bounds. */
static bool is_valued(const struct retention_facts *f, const struct retention_limits *l, size_t i)
{
    uint64_t bytes = 0, files = 0;

    for (size_t k = f->n; k-- > i;) {
        const struct retention_item *it = &f->items[k];

        bool kept = it->incident && l->keep_incidents > 0 && f->now < it->time + l->keep_incidents;

        if (it->pending || !(it->worst || kept))
            continue;
        bytes += it->bytes;
        files++;
        if (bytes > l->max_bytes / 2 || files > l->max_files / 2)
            return false;
        if (k == i)
            return true;
    }
    return false;
}

static size_t sacrifice(const struct retention_facts *f, const struct retention_limits *l,
                        size_t order[static ITEMS_MAX], size_t *ret_old)
{
    size_t n = 0;

    for (int group = 0; group < 4; group++) {
        for (size_t i = 0; i < f->n; i++) {
            const struct retention_item *it = &f->items[i];
            int its = it->pending ? 3 : is_old(f, l, i) ? 0 : is_valued(f, l, i) ? 2 : 1;

            if (!it->busy && !it->failed && group == its)
                order[n++] = i;
        }
        if (group == 0)
            *ret_old = n;
    }
    return n;
}

static void compare_with_oracle(const struct retention_facts *f, const struct retention_limits *l)
{
    size_t order[ITEMS_MAX], old = 0, n = sacrifice(f, l, order, &old);
    bool gone[ITEMS_MAX] = {false};
    enum retention_cause lacks;
    struct retention_plan p;
    size_t i;

    assert_int_equal(retention_plan(f, l, &p), 0);
    for (i = 0; i < n; i++) {
        bool enough = holds(f, l, gone, &lacks);

        if (i >= old && enough)
            break;
        expect(&p, i, order[i], i < old ? RETENTION_AGE : lacks);
        gone[order[i]] = true;
    }
    assert_int_equal(p.n, i);
    assert_int_equal(p.enough, holds(f, l, gone, &lacks));
    assert_int_equal(p.lacking, lacks);
    retention_plan_done(&p);
}

static uint64_t below(long n)
{
    return (uint64_t)(random() % n);
}

static void test_against_oracle(void **state)
{
    (void)state;
    for (int round = 0; round < 100000; round++) {
        struct retention_item items[ITEMS_MAX];
        struct retention_facts f = {.items = items, .n = below(ITEMS_MAX + 1)};
        struct retention_limits l = {0};
        usec time = 1000;

        for (size_t i = 0; i < f.n; i++) {
            time += below(20);
            items[i] = (struct retention_item){
                .time = time,
                .bytes = 4096 * (1 + below(8)),
                .pending = below(4) == 0,
                .busy = below(8) == 0,
                .failed = below(16) == 0,
                .annotated = below(4) > 0,
                .worst = below(4) == 0,
                .incident = below(4) == 0,
            };
        }
        count(&f);
        f.now = 900 + below(400);
        f.wanted_bytes = 4096 * below(20);
        f.unwritten_bytes = f.wanted_bytes / (1 + below(3));
        f.wanted_files = below(4);
        f.unwritten_inodes = f.wanted_files * below(6);
        f.free_bytes = 4096 * below(100);
        f.total_bytes = f.free_bytes + 4096 * below(200);
        f.free_inodes = below(60);
        f.total_inodes = below(3) ? f.free_inodes + below(100) : 0;
        l.max_bytes = 4096 * below(150);
        l.max_files = below(30);
        l.max_age = below(3) ? below(300) : 0;
        l.min_free = (double)below(30) / 100;
        l.keep_worst = (unsigned)below(2);
        l.keep_incidents = below(600);
        compare_with_oracle(&f, &l);
    }
}

#define SECONDS(n) ((usec)(n) * USEC_PER_SEC)

/* The worst outlive max_age, and an incident is as old as its beginning. */
static void test_what_outlives_max_age(void **state)
{
    struct retention_item items[] = {
        {.time = SECONDS(10), .bytes = 1, .annotated = true, .worst = true},
        {.time = SECONDS(20), .bytes = 1, .annotated = true},
        {.time = SECONDS(30), .bytes = 1, .annotated = true, .incident = 1},
        {.time = SECONDS(35), .bytes = 1, .annotated = true, .incident = 1 + 5},
        {.time = SECONDS(40), .bytes = 1}, /* its record was not read yet */
    };
    struct retention_facts f = {.items = items, .n = 5, .now = SECONDS(230)};
    struct retention_limits l = no_limits;
    struct retention_plan p;

    (void)state;
    l.max_age = SECONDS(100);
    l.keep_worst = 1;
    l.keep_incidents = SECONDS(200);
    p = plan_of(&f, &l);
    assert_int_equal(p.n, 1);
    expect(&p, 0, 1, RETENTION_AGE);
    retention_plan_done(&p);
    f.now = SECONDS(230) + 1;
    p = plan_of(&f, &l);
    assert_int_equal(p.n, 3);
    expect(&p, 1, 2, RETENTION_AGE);
    expect(&p, 2, 3, RETENTION_AGE);
    retention_plan_done(&p);
    l.keep_worst = 0; /* marks of before do not matter to what was not read */
    l.keep_incidents = 0;
    items[0].worst = false;
    p = plan_of(&f, &l);
    assert_int_equal(p.n, 5);
    retention_plan_done(&p);
}

/* Bounds take what is worth more last; but it never takes more than half of them. */
static void test_half_for_what_is_valued(void **state)
{
    struct retention_item items[] = {
        {.time = 1, .bytes = 100, .worst = true},
        {.time = 2, .bytes = 100, .worst = true},
        {.time = 3, .bytes = 100},
        {.time = 4, .bytes = 100},
    };
    struct retention_facts f = {
        .items = items, .n = 4, .now = 5, .wanted_bytes = 100, .wanted_files = 1};
    struct retention_limits l = no_limits;
    struct retention_plan p;

    (void)state;
    l.max_bytes = 400;
    p = plan_of(&f, &l);
    assert_int_equal(p.n, 1);
    expect(&p, 0, 2, RETENTION_BYTES);
    retention_plan_done(&p);
    l.max_bytes = 399; /* half is less than both */
    p = plan_of(&f, &l);
    assert_int_equal(p.n, 2);
    expect(&p, 0, 0, RETENTION_BYTES);
    expect(&p, 1, 2, RETENTION_BYTES);
    retention_plan_done(&p);
    l.max_bytes = 150; /* there is no room but theirs */
    p = plan_of(&f, &l);
    assert_int_equal(p.n, 4);
    assert_true(p.enough);
    retention_plan_done(&p);
}

static void test_rank(void **state)
{
    struct retention_item items[] = {
        {.time = 1, .label = 1, .severity = 3}, {.time = 2, .label = 1, .severity = 5},
        {.time = 3, .label = 1, .severity = 3}, {.time = 4, .label = 2, .severity = 0.5F},
        {.time = 5, .label = 1, .severity = 1}, {.time = 6, .label = 1},
        {.time = 7, .label = 1, .severity = 1},
    };
    const char *const keys[] = {"a/h/1", "a/h/2", "a/g/3", "a/h/4", "ab/h/5", "ab/h/6", "ab/h/7"};
    const bool two[] = {false, true, true, true, true, false, true};
    const bool one[] = {false, true, false, true, false, false, true};

    (void)state;
    assert_int_equal(retention_rank(items, keys, 7, 2), 0);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(items[i].worst, two[i]);
    assert_int_equal(retention_rank(items, keys, 7, 1), 0);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(items[i].worst, one[i]);
    assert_int_equal(retention_rank(items, keys, 7, 0), 0);
    for (size_t i = 0; i < 7; i++)
        assert_false(items[i].worst);
    assert_int_equal(retention_rank(NULL, NULL, 0, 2), 0);
}

static void test_when_incidents_began(void **state)
{
    (void)state;
    assert_int_equal(retention_incident(SECONDS(100), 0), 0);
    assert_int_equal(retention_incident(SECONDS(100), SECONDS(100)), 1);
    assert_int_equal(retention_incident(SECONDS(100), SECONDS(93)), 8);
    assert_int_equal(retention_incident(SECONDS(100), SECONDS(101)), 0);
    assert_int_equal(retention_incident(SECONDS(50000), SECONDS(1)), 0);
}

/* A history of a million and one trace too many: the work must not grow with the history. */
static void test_steady_state_is_cheap(void **state)
{
    size_t n = 1000000;
    struct retention_item *items = calloc(n, sizeof(*items));
    struct retention_facts f = {.items = items,
                                .n = n,
                                .kept_files = n,
                                .kept_bytes = n * 4096,
                                .wanted_files = 1,
                                .wanted_bytes = 4096,
                                .now = 2 * n};
    struct retention_limits l = no_limits;
    clock_t start = clock();

    (void)state;
    assert_non_null(items);
    l.max_files = n;
    l.max_age = 3 * n;
    for (size_t i = 0; i < n; i++)
        items[i] = (struct retention_item){.time = i, .bytes = 4096};
    for (int i = 0; i < 10000; i++) {
        struct retention_plan p;

        assert_int_equal(retention_plan(&f, &l, &p), 0);
        assert_int_equal(p.n, 1);
        retention_plan_done(&p);
    }
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC); /* a walk through all would take minutes */
    free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_do),
        cmocka_unit_test(test_age_spares_pending),
        cmocka_unit_test(test_archive_before_pending),
        cmocka_unit_test(test_free_space_and_inodes),
        cmocka_unit_test(test_numbers_that_do_not_fit),
        cmocka_unit_test(test_against_oracle),
        cmocka_unit_test(test_what_outlives_max_age),
        cmocka_unit_test(test_half_for_what_is_valued),
        cmocka_unit_test(test_rank),
        cmocka_unit_test(test_when_incidents_began),
        cmocka_unit_test(test_steady_state_is_cheap),
    };

    return cmocka_run_group_tests_name("retention", tests, seed_setup, NULL);
}
