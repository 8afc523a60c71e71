/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/name.h"
#include "tests/support/seed.h"

#define MARCH ((usec)1773480413 * USEC_PER_SEC) /* 2026-03-14 09:26:53 */

static const char *key_of(const char *service, const char *host, usec time, uint32_t pid,
                          uint32_t sequence)
{
    static char key[NAME_KEY_MAX];
    struct name n;

    name_init(&n, service, host, time, pid);
    n.sequence = sequence;
    return name_key(&n, key);
}

static void test_forms(void **state)
{
    (void)state;
    assert_string_equal(key_of("checkout", "web-1", MARCH, 0, 0),
                        "checkout/web-1/20260314/092653.trace");
    assert_string_equal(key_of("checkout", "web-1", MARCH + 999999, 4711, 0),
                        "checkout/web-1/20260314/092653-4711.trace");
    assert_string_equal(key_of("checkout", "web-1", MARCH, 4711, 2),
                        "checkout/web-1/20260314/092653-4711-2.trace");
    assert_string_equal(key_of("checkout", "web-1", MARCH, 0, 1),
                        "checkout/web-1/20260314/092653-0-1.trace");
}

static void test_unsafe_parts(void **state)
{
    char longer[300];

    (void)state;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_string_equal(key_of("", NULL, 0, 0, 0), "_/_/19700101/000000.trace");
    assert_string_equal(key_of(".", "..", 0, 0, 0), "_/__/19700101/000000.trace");
    assert_string_equal(key_of("a/b c", "h\xc3\xa9:80", 0, 0, 0),
                        "a_b_c/h___80/19700101/000000.trace");
    assert_string_equal(key_of("...", "-", 0, 0, 0), ".../-/19700101/000000.trace");
    assert_int_equal(strcspn(key_of(longer, longer, 0, 0, 0), "/"), NAME_PART_MAX);
    assert_true(strlen(key_of(longer, longer, UINT64_MAX, UINT32_MAX, UINT32_MAX)) < NAME_KEY_MAX);
    assert_string_equal(key_of("a", "b", UINT64_MAX, 0, 0), "a/b/99991231/235959.trace");
}

static void test_record_key(void **state)
{
    char out[NAME_KEY_MAX];

    (void)state;
    assert_string_equal(name_record_key("a/b/20260314/092653-1.trace", out),
                        "a/b/20260314/092653-1.json");
    assert_string_equal(name_record_key("092653.trace", out), "092653.json");
    assert_string_equal(name_record_key("a.b/c.d/20260314/092653-1.mutex.pb.gz", out),
                        "a.b/c.d/20260314/092653-1.mutex.pb.gz.json");
    assert_string_equal(name_record_key("092653.flight.trace", out), "092653.flight.trace.json");
    /* One file name for all of a key, with dots in its parts. */
    assert_string_equal(name_record_key("a.b_c.d_20260314_092653-1.trace", out),
                        "a.b_c.d_20260314_092653-1.json");
}

static void test_suffixes(void **state)
{
    static const char *const expected[KINDS] = {
        ".trace",
        ".flight.trace",
        ".cpu.pb.gz",
        ".mutex.pb.gz",
        ".block.pb.gz",
        ".goroutine.pb.gz",
        ".heap.pb.gz",
        ".allocs.pb.gz",
        ".goroutineleak.pb.gz",
        ".threadcreate.pb.gz",
    };
    static const char *const names[KINDS] = {
        "trace",     "flight", "cpu",    "mutex",         "block",
        "goroutine", "heap",   "allocs", "goroutineleak", "threadcreate",
    };
    char key[NAME_KEY_MAX], stem[NAME_KEY_MAX];
    enum kind found;
    char all[KIND_NAMES_SIZE];
    struct name n, m;

    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        name_init(&n, "a.trace", "b.json", MARCH, 7);
        n.kind = (enum kind)i;
        name_key(&n, key);
        (void)snprintf(stem, sizeof(stem), "a.trace/b.json/20260314/092653-7%s", expected[i]);
        assert_string_equal(key, stem);
        assert_int_equal(name_parse(key, &m), 0);
        assert_int_equal(m.kind, i);
        assert_int_equal(name_kind(key), i);
        assert_string_equal(kind_name((enum kind)i), names[i]);
        assert_non_null(strstr(kind_names(all), names[i]));
        assert_true(kind_of_name(names[i], &found));
        assert_int_equal(found, i);
    }
    assert_false(kind_of_name("", &found));
    assert_false(kind_of_name("Trace", &found));
}

static void test_of_record(void **state)
{
    static const char *const refused[] = {
        "",
        ".json",
        "a/b/20260314/092653-1",
        "a/b/20260314/092653-1.trace",
        "a/b/20260314/092653-1.mutex.pb.gz",
        "a/b/20260314/092653-1.trace.json", /* that is 092653-1.json */
        "a/b/20260314/092653-1.json.json",
        "a/b/20260314/092653-1.other.json",
        "a/b/20260314/092653-01.json",
        "a/b/20260314/x.json",
        "092653-1.json",
    };
    char key[NAME_KEY_MAX] = "as it was", longer[400];

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (name_of_record(refused[i], key) != -EINVAL)
            fail_msg("accepted: %s", refused[i]);
    }
    memset(longer, 'x', sizeof(longer) - 1);
    strcpy(longer + sizeof(longer) - 6, ".json");
    assert_int_equal(name_of_record(longer, key), -EINVAL);
    assert_string_equal(key, "as it was");
    assert_int_equal(name_of_record("a/b/20260314/092653-1.json", key), 0);
    assert_string_equal(key, "a/b/20260314/092653-1.trace");
    assert_int_equal(name_of_record("a/b/20260314/092653-1.heap.pb.gz.json", key), 0);
    assert_string_equal(key, "a/b/20260314/092653-1.heap.pb.gz");
    assert_int_equal(name_of_record("a/b/20260314/092653-1.flight.trace.json", key), 0);
    assert_string_equal(key, "a/b/20260314/092653-1.flight.trace");
}

static void test_parse(void **state)
{
    struct name n;

    (void)state;
    assert_int_equal(name_parse("checkout/web-1/20260314/092653-4711-2.trace", &n), 0);
    assert_string_equal(n.service, "checkout");
    assert_string_equal(n.host, "web-1");
    assert_true(n.time == MARCH);
    assert_int_equal(n.pid, 4711);
    assert_int_equal(n.sequence, 2);
    assert_int_equal(name_parse("a/b/20240229/235959-0-7.trace", &n), 0);
    assert_int_equal(n.pid, 0);
    assert_int_equal(n.sequence, 7);
}

static void test_refused(void **state)
{
    static const char *const keys[] = {
        "",
        "a",
        "a/b/20260314/092653",
        "a/b/20260314/092653.json",
        "a/b/20260314/092653.trace/",
        "a/b/20260314/092653.trace.json",
        "a/b/20260314/092653.mutex",
        "a/b/20260314/092653.mutex.pb",
        "a/b/20260314/092653.mutex.pb.gz.json",
        "a/b/20260314/092653.Mutex.pb.gz",
        "a/b/20260314/092653.nothing.pb.gz",
        "a/b/20260314/092653.mutex.trace",
        "a/b/20260314/092653.pb.gz",
        "a/b/20260314/092653.trace.out",
        "/a/b/20260314/092653.trace",
        "a//20260314/092653.trace",
        "./b/20260314/092653.trace",
        "a/../20260314/092653.trace",
        "a b/c/20260314/092653.trace",
        "a/b/20260231/092653.trace",
        "a/b/20230229/092653.trace",
        "a/b/20261301/092653.trace",
        "a/b/20260001/092653.trace",
        "a/b/20260300/092653.trace",
        "a/b/20260314/240000.trace",
        "a/b/20260314/096053.trace",
        "a/b/20161231/235960.trace",
        "a/b/19691231/235959.trace",
        "a/b/00000101/000000.trace",
        "a/b/2026031/092653.trace",
        "a/b/20260314/09265.trace",
        "a/b/20260314/0926530.trace",
        "a/b/20260314/092653-.trace",
        "a/b/20260314/092653-0.trace",
        "a/b/20260314/092653-01.trace",
        "a/b/20260314/092653-1-0.trace",
        "a/b/20260314/092653-1-.trace",
        "a/b/20260314/092653-1-2-3.trace",
        "a/b/20260314/092653-+1.trace",
        "a/b/20260314/092653-4294967296.trace",
        "a/b/20260314/092653-99999999999999999999999999.trace",
        "a/b/c/20260314/092653.trace",
    };
    struct name n = {.pid = 77};

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (name_parse(keys[i], &n) != -EINVAL)
            fail_msg("accepted: %s", keys[i]);
    }
    assert_int_equal(n.pid, 77); /* written only on success */
}

static uint64_t random_bits(void)
{
    return (uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^ (uint64_t)random();
}

static void random_part(char *out, size_t size)
{
    size_t n = (size_t)random() % (size - 1);

    for (size_t i = 0; i < n; i++)
        out[i] = (char)(1 + random() % 255);
    out[n] = '\0';
}

static void test_round_trip(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char service[130], host[130], key[NAME_KEY_MAX], again[NAME_KEY_MAX];
        char record[NAME_KEY_MAX];
        struct name a, b;

        random_part(service, sizeof(service));
        random_part(host, sizeof(host));
        name_init(&a, service, host, random_bits() % 253402300800000000, (uint32_t)random_bits());
        if (random() % 3 == 0)
            a.pid = 0;
        if (random() % 2)
            a.sequence = (uint32_t)random_bits();
        a.kind = (enum kind)(random() % KINDS);
        name_key(&a, key);
        assert_int_equal(name_parse(key, &b), 0);
        assert_string_equal(name_key(&b, again), key);
        assert_int_equal(name_compare(&a, &b), 0);
        assert_true(b.time == a.time - a.time % USEC_PER_SEC);
        assert_int_equal(a.pid, b.pid);
        assert_int_equal(a.sequence, b.sequence);
        assert_int_equal(a.kind, b.kind);
        assert_int_equal(name_of_record(name_record_key(key, record), again), 0);
        assert_string_equal(again, key);
    }
}

static void test_compare(void **state)
{
    static const char *const ordered[] = {
        "b/b/20260313/235959-9-9.trace",    "a/a/20260314/000000.trace",
        "a/b/20260314/000000.trace",        "a/b/20260314/000000-0-1.trace",
        "a/b/20260314/000000-2.trace",      "a/b/20260314/000000-2.mutex.pb.gz",
        "a/b/20260314/000000-2.heap.pb.gz", "a/b/20260314/000000-2-9.trace",
        "a/b/20260314/000000-2-10.trace",   "a/b/20260314/000000-10.trace",
        "b/a/20260314/000000.trace",
    };
    size_t n = sizeof(ordered) / sizeof(ordered[0]);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            struct name a, b;
            int r;

            assert_int_equal(name_parse(ordered[i], &a), 0);
            assert_int_equal(name_parse(ordered[j], &b), 0);
            r = name_compare(&a, &b);
            assert_true(i < j ? r < 0 : i > j ? r > 0 : r == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),      cmocka_unit_test(test_unsafe_parts),
        cmocka_unit_test(test_record_key), cmocka_unit_test(test_suffixes),
        cmocka_unit_test(test_of_record),  cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_compare),
    };

    return cmocka_run_group_tests_name("name", tests, seed_setup, NULL);
}
