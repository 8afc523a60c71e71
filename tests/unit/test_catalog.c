/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/find/catalog.h"

#define OLD "checkout/web-1/20261120/100000-1.trace"
#define MIDDLE "checkout/web-2/20261121/090000-22.trace"
#define NEW "billing/web-3/20261121/100000-3.trace"

static void add(struct catalog *c, const char *key, uint64_t size, unsigned where)
{
    assert_int_equal(catalog_add(c, key, size, where), 0);
}

static void give_facts(struct entry *e, const char *reason, bool complete)
{
    e->facts = calloc(1, sizeof(*e->facts));
    assert_non_null(e->facts);
    e->facts->reason = strdup(reason);
    e->facts->has_complete = true;
    e->facts->complete = complete;
}

static void check_order(const struct catalog *c, const char *first, const char *second,
                        const char *third)
{
    assert_int_equal(c->n, 3);
    assert_string_equal(c->items[0].key, first);
    assert_string_equal(c->items[1].key, second);
    assert_string_equal(c->items[2].key, third);
}

static void test_only_keys(void **state)
{
    struct catalog c = {0};

    (void)state;
    assert_int_equal(catalog_add(&c, "../x/20261121/100000.trace", 1, 0), -EINVAL);
    assert_int_equal(catalog_add(&c, "a/b/20261121/100000.json", 1, 0), -EINVAL);
    assert_int_equal(catalog_add(&c, "", 1, 0), -EINVAL);
    assert_int_equal(c.n, 0);
    catalog_done(&c);
}

static void test_merge(void **state)
{
    struct catalog c = {0};

    (void)state;
    add(&c, OLD, 1, WHERE_REMOTE);
    add(&c, NEW, 5, WHERE_REMOTE);
    give_facts(&c.items[1], "signal", true);
    add(&c, OLD, 2, WHERE_ARCHIVE);
    add(&c, OLD, 2, WHERE_PENDING);
    add(&c, NEW, 6, WHERE_PENDING);
    catalog_merge(&c);
    assert_int_equal(c.n, 2);
    assert_string_equal(c.items[0].key, NEW);
    assert_int_equal(c.items[0].size, 6);
    assert_int_equal(c.items[0].where, WHERE_PENDING | WHERE_REMOTE);
    assert_string_equal(c.items[0].facts->reason, "signal");
    assert_string_equal(c.items[1].key, OLD);
    assert_int_equal(c.items[1].where, WHERE_LOCAL | WHERE_REMOTE);
    catalog_done(&c);
}

static void test_orders(void **state)
{
    static const struct {
        const char *order, *first, *second, *third;
    } rows[] = {
        {"time", NEW, MIDDLE, OLD},    {"size", MIDDLE, OLD, NEW},
        {"service", NEW, MIDDLE, OLD}, {"host", OLD, MIDDLE, NEW},
        {"pid", OLD, NEW, MIDDLE},     {"where", MIDDLE, OLD, NEW},
        {"reason", MIDDLE, OLD, NEW},  {"state", OLD, NEW, MIDDLE},
        {"label", OLD, NEW, MIDDLE},   {"AGE", OLD, MIDDLE, NEW},
        {"Key", NEW, OLD, MIDDLE},     {"go", MIDDLE, NEW, OLD},
        {"SECONDS", OLD, NEW, MIDDLE}, {"artifact", NEW, MIDDLE, OLD},
    };
    struct catalog c = {0};

    (void)state;
    add(&c, MIDDLE, 30, WHERE_PENDING);
    add(&c, NEW, 10, WHERE_REMOTE);
    give_facts(&c.items[1], "signal", true);
    add(&c, OLD, 20, WHERE_ARCHIVE);
    give_facts(&c.items[2], "schedule", false);
    c.items[1].facts->label = strdup("idle");
    c.items[2].facts->label = strdup("healthy");
    c.items[1].facts->go_version = strdup("1.9");
    c.items[2].facts->go_version = strdup("1.26");
    c.items[1].facts->seconds = 1;
    c.items[2].facts->seconds = 2;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        catalog_order_fn order = order_find(rows[i].order);

        assert_non_null(order);
        catalog_sort(&c, order, false);
        check_order(&c, rows[i].first, rows[i].second, rows[i].third);
        catalog_sort(&c, order, true);
        check_order(&c, rows[i].third, rows[i].second, rows[i].first);
        assert_int_equal(order_needs_facts(order),
                         strstr("reason state label go SECONDS", rows[i].order) != NULL);
    }
    assert_null(order_find("colour"));
    catalog_done(&c);
}

static bool is_large(const struct entry *e, const void *userdata)
{
    return e->size > *(const uint64_t *)userdata;
}

static void test_filter_and_cut(void **state)
{
    struct catalog c = {0};
    uint64_t limit = 15;

    (void)state;
    add(&c, OLD, 10, WHERE_ARCHIVE);
    add(&c, MIDDLE, 20, WHERE_ARCHIVE);
    add(&c, NEW, 30, WHERE_ARCHIVE);
    catalog_filter(&c, is_large, &limit);
    assert_int_equal(c.n, 2);
    assert_string_equal(c.items[0].key, MIDDLE);
    catalog_cut(&c, 5);
    assert_int_equal(c.n, 2);
    catalog_cut(&c, 1);
    assert_int_equal(c.n, 1);
    catalog_done(&c);
}

static void test_where(void **state)
{
    char out[WHERE_TEXT_SIZE];

    (void)state;
    assert_string_equal(where_text(WHERE_PENDING, out), "pending");
    assert_string_equal(where_text(WHERE_LOCAL, out), "archive");
    assert_string_equal(where_text(WHERE_REMOTE, out), "remote");
    assert_string_equal(where_text(WHERE_PENDING | WHERE_REMOTE, out), "pending,remote");
    assert_string_equal(where_text(WHERE_LOCAL | WHERE_REMOTE, out), "archive,remote");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_keys), cmocka_unit_test(test_merge),
        cmocka_unit_test(test_orders),    cmocka_unit_test(test_filter_and_cut),
        cmocka_unit_test(test_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
