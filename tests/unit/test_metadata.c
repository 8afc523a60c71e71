/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/ship/metadata.h"

#define KEY "check_out/web-1/20260314/092653-4711.trace"
#define BARE "check_out/web-1/20260314/092653.trace"
/* of "abc" and of nothing */
#define SHA_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct metadata m;

/* All items as "name=value ". */
static const char *fill(const char *key, const char *record)
{
    static char text[METADATA_ITEMS * (METADATA_VALUE_MAX + 16)];
    struct buf b;
    size_t n = 0;

    buf_init(&b, 4096);
    if (record)
        assert_int_equal(buf_adds(&b, record), 0);
    assert_int_equal(metadata_init(&m, key, record ? &b : NULL), 0);
    buf_done(&b);
    text[0] = '\0';
    for (size_t i = 0; i < m.n; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s=%s ", m.items[i].name,
                              m.items[i].value);
    return text;
}

#define FROM_KEY \
    "service=check_out host=web-1 artifact=trace pid=4711 start=2026-03-14T09:26:53.000Z "

static void test_record(void **state)
{
    (void)state;
    assert_string_equal(
        fill(KEY, "{\"service\": \"check out\", \"host\": \"web\", \"pid\": 12, \"reason\": "
                  "\"trigger:p99\", \"start\": \"2026-03-14T09:26:53.589Z\", \"seconds\": 1.9, "
                  "\"label\": \"idle\", \"sha256\": \"" SHA_ABC "\"}"),
        "service=check out host=web artifact=trace pid=12 reason=trigger:p99 start=2026-03-14T09:26:53.589Z "
        "seconds=1.9 label=idle sha256=" SHA_ABC " ");
    assert_string_equal(m.sha256, SHA_ABC);
}

static void test_key(void **state)
{
    (void)state;
    assert_string_equal(fill(KEY, NULL), FROM_KEY);
    assert_string_equal(m.sha256, "");
    assert_string_equal(
        fill(BARE, NULL),
        "service=check_out host=web-1 artifact=trace start=2026-03-14T09:26:53.000Z ");
    assert_string_equal(fill(KEY, ""), FROM_KEY);
    assert_string_equal(fill(KEY, "{\"serv"), FROM_KEY);
    assert_string_equal(fill(KEY, "[1]"), FROM_KEY);
    assert_string_equal(fill(KEY, "{\"service\": [], \"host\": null, \"pid\": true}"), FROM_KEY);
    assert_string_equal(fill(KEY, "{\"seconds\": 2, \"reason\": \"\"}"), FROM_KEY "seconds=2 ");
    metadata_set_sha256(&m, SHA_EMPTY);
    assert_string_equal(m.items[m.n - 1].value, SHA_EMPTY);
}

/* Only what can be a hash is taken for one. */
static void test_sha256(void **state)
{
    static const char *const bad[] = {"", "abc", "X" SHA_ABC, SHA_ABC "0",
                                      "BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f200"
                                      "15ad"};
    char record[256];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        (void)snprintf(record, sizeof(record), "{\"sha256\": \"%s\"}", bad[i]);
        assert_string_equal(fill(KEY, record), FROM_KEY);
        assert_string_equal(m.sha256, "");
    }
}

/* A long value is cut between two characters. */
static void test_long(void **state)
{
    char record[700], expected[600] = "";

    (void)state;
    for (unsigned i = 0; i < 127; i++)
        strcat(expected, "\xc3\xa4");
    (void)snprintf(record, sizeof(record), "{\"label\": \"x%s\xc3\xa4\xc3\xa4\"}", expected);
    (void)fill(KEY, record);
    assert_string_equal(m.items[m.n - 1].name, "label");
    assert_int_equal(strlen(m.items[m.n - 1].value), 255);
    (void)snprintf(record, sizeof(record), "{\"label\": \"%s\xc3\xa4\xc3\xa4\"}", expected);
    (void)fill(KEY, record);
    assert_string_equal(m.items[m.n - 1].value, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}
