/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/rows/rowfile.h"

#define TIME (1795273445 * USEC_PER_SEC) /* 2026-11-21T15:04:05Z */

static void test_names(void **state)
{
    char name[ROWFILE_NAME_MAX], key[ROWFILE_KEY_MAX], day[ROWFILE_DAY_SIZE];
    struct rowfile f;

    (void)state;
    assert_string_equal(rowfile_day(TIME, day), "2026-11-21");
    assert_string_equal(rowfile_stem(day, "checkout", name), "2026-11-21+checkout+");
    assert_string_equal(rowfile_new(day, "checkout", "web-3", TIME, 0x8f3a, name),
                        "2026-11-21+checkout+web-3-150405-00008f3a.jsonl");
    assert_true(rowfile_is(name, ROWFILE_OPEN));
    assert_false(rowfile_is(name, ROWFILE_READY));
    assert_int_equal(rowfile_key(name, key), -EINVAL);
    (void)strcat(name, ".gz");
    assert_true(rowfile_is(name, ROWFILE_READY));
    assert_int_equal(rowfile_key(name, key), 0);
    assert_string_equal(
        key, ".contrace/rows/dt=2026-11-21/service=checkout/web-3-150405-00008f3a.jsonl.gz");
    assert_int_equal(rowfile_parse(key, &f), 0);
    assert_string_equal(f.day, "2026-11-21");
    assert_string_equal(f.service, "checkout");
    assert_string_equal(f.leaf, "web-3-150405-00008f3a.jsonl.gz");
    assert_string_equal(rowfile_path(&f, key),
                        "dt=2026-11-21/service=checkout/web-3-150405-00008f3a.jsonl.gz");
}

/* The longest service and host. */
static void test_long_names(void **state)
{
    char part[NAME_PART_MAX + 1], name[ROWFILE_NAME_MAX], key[ROWFILE_KEY_MAX];
    struct rowfile f;

    (void)state;
    memset(part, 'x', NAME_PART_MAX);
    part[NAME_PART_MAX] = '\0';
    (void)rowfile_new("2026-11-21", part, part, TIME, UINT32_MAX, name);
    (void)strcat(name, ".gz");
    assert_int_equal(rowfile_key(name, key), 0);
    assert_int_equal(rowfile_parse(key, &f), 0);
    assert_string_equal(f.service, part);
}

/* What a store lists may be anything: none of its parts may lead out of a directory. */
static void test_other_keys(void **state)
{
    static const char *const bad[] = {
        "",
        ".contrace/rows/",
        ".contrace/probe-web-1",
        "dt=2026-11-21/service=s/x.jsonl.gz",
        ".contrace/rows/dt=2026-11-21/service=s/x.jsonl",
        ".contrace/rows/dt=2026-11-21/service=s/.jsonl.gz",
        ".contrace/rows/dt=2026-11-21/service=s/.x.jsonl.gz",
        ".contrace/rows/dt=2026-11-21/service=s/a/x.jsonl.gz",
        ".contrace/rows/dt=2026-11-21/service=../x.jsonl.gz",
        ".contrace/rows/dt=2026-11-21/service=/x.jsonl.gz",
        ".contrace/rows/dt=2026-11-21/services/x.jsonl.gz",
        ".contrace/rows/dt=2026-11-21/service=s/../x.jsonl.gz",
        ".contrace/rows/dt=2026-11-2/service=s/x.jsonl.gz",
        ".contrace/rows/dt=../../../xx/service=s/x.jsonl.gz",
        ".contrace/rows/dt=2026-11-21/service=s/x y.jsonl.gz",
        ".contrace/rows/dt=2026-11-21/service=s/x\n.jsonl.gz",
        "checkout/web-3/20261121/150405-1234.trace",
    };
    char key[ROWFILE_KEY_MAX];
    struct rowfile f;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(rowfile_parse(bad[i], &f), -EINVAL);
    assert_int_equal(rowfile_key("2026-11-21+s+a+b.jsonl.gz", key), -EINVAL);
    assert_int_equal(rowfile_key("2026-11-21+s.jsonl.gz", key), -EINVAL);
    assert_false(rowfile_is("lost+found", ROWFILE_OPEN));
    assert_false(rowfile_is("2026-11-21+s+x.jsonl.gz.tmp", ROWFILE_READY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_other_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
