/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jsonwriter.h"
#include "tests/support/allocations.h"

#define COMPACT ((struct jsonwriter_style){.digits = 15})
#define MAX (1u << 20)

static void write_all(struct jsonwriter *w)
{
    jsonwriter_object(w, NULL);
    jsonwriter_text(w, "text",
                    "a\"b\\c/\b\f\n\r\t\x01\x1f\x7f \xc3\xa9\xe2\x80\xae\xf0\x9f\x98\x80");
    jsonwriter_text(w, "nothing", NULL);
    jsonwriter_textn(w, "part", "line\nrest", 4);
    jsonwriter_text(w, "a \"key\"\n", "");
    jsonwriter_object(w, "empty");
    jsonwriter_end(w);
    jsonwriter_array(w, "none");
    jsonwriter_end(w);
    jsonwriter_array(w, "list");
    jsonwriter_integer(w, NULL, INT64_MIN);
    jsonwriter_count(w, NULL, INT64_MAX);
    jsonwriter_object(w, NULL);
    jsonwriter_bool(w, "yes", true);
    jsonwriter_bool(w, "no", false);
    jsonwriter_end(w);
    jsonwriter_array(w, NULL);
    jsonwriter_real(w, NULL, 0.1);
    jsonwriter_real(w, NULL, 2);
    jsonwriter_real(w, NULL, -0.0);
    jsonwriter_real(w, NULL, 1e-7);
    jsonwriter_real(w, NULL, 1e300);
    jsonwriter_end(w);
    jsonwriter_end(w);
    jsonwriter_end(w);
}

/* What jansson makes of the text is the text again. */
static void check_same(struct jsonwriter_style style, size_t flags)
{
    struct jsonwriter w;
    struct buf b;
    json_t *o;
    char *text;

    buf_init(&b, MAX);
    jsonwriter_init(&w, &b, style);
    write_all(&w);
    assert_int_equal(jsonwriter_finish(&w), 0);
    o = json_loadb(b.data, b.len, 0, NULL);
    assert_non_null(o);
    text = json_dumps(o, flags);
    assert_string_equal(buf_str(&b), text);
    free(text);
    json_decref(o);
    buf_done(&b);
}

static void test_as_jansson(void **state)
{
    (void)state;
    check_same(COMPACT, JSON_COMPACT | JSON_REAL_PRECISION(15));
    check_same((struct jsonwriter_style){.digits = 9, .indent = 2},
               JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    check_same((struct jsonwriter_style){.digits = 15, .ascii = true},
               JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
}

static void check_real(double value, unsigned digits)
{
    struct jsonwriter w;
    struct buf b;
    json_t *o = json_real(value);
    char *text = json_dumps(o, JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));

    buf_init(&b, MAX);
    jsonwriter_init(&w, &b, (struct jsonwriter_style){.digits = digits});
    jsonwriter_real(&w, NULL, value);
    assert_int_equal(jsonwriter_finish(&w), 0);
    assert_string_equal(buf_str(&b), text);
    free(text);
    json_decref(o);
    buf_done(&b);
}

static void test_reals(void **state)
{
    unsigned seed = (unsigned)getpid();

    (void)state;
    print_message("seed %u\n", seed);
    srand48(seed);
    for (int i = 0; i < 100000; i++) {
        double value = ldexp(drand48() - 0.5, (int)(mrand48() % 1000));

        check_real(i % 2 ? value : trunc(value), 1 + (unsigned)i % 17);
    }
}

static void test_escapes(void **state)
{
    struct jsonwriter w;
    struct buf b;

    (void)state;
    buf_init(&b, MAX);
    jsonwriter_init(&w, &b, COMPACT);
    jsonwriter_array(&w, NULL);
    jsonwriter_text(&w, NULL, "\xff\n\xc3\xa9");
    jsonwriter_real(&w, NULL, (double)NAN);
    jsonwriter_real(&w, NULL, (double)INFINITY);
    jsonwriter_count(&w, NULL, UINT64_MAX);
    jsonwriter_json(&w, NULL, "{\"a\": 1}");
    jsonwriter_end(&w);
    assert_int_equal(jsonwriter_finish(&w), 0);
    assert_string_equal(buf_str(&b), "[\"\\\\xff\\\\n\\\\xc3\\\\xa9\",null,null,"
                                     "9223372036854775807,{\"a\": 1}]");
    buf_done(&b);
}

static void test_not_whole(void **state)
{
    struct jsonwriter w;
    struct buf b;

    (void)state;
    buf_init(&b, 8);
    jsonwriter_init(&w, &b, COMPACT);
    assert_int_equal(jsonwriter_finish(&w), -EINVAL);
    jsonwriter_array(&w, NULL);
    assert_int_equal(jsonwriter_finish(&w), -EINVAL);
    jsonwriter_text(&w, NULL, "too long for it");
    jsonwriter_end(&w);
    assert_int_equal(jsonwriter_finish(&w), -E2BIG);
    buf_clear(&b);
    jsonwriter_init(&w, &b, COMPACT);
    jsonwriter_text(&w, NULL, "\xff\xff\xff\xff"); /* too long once it is escaped */
    assert_int_equal(jsonwriter_finish(&w), -E2BIG);
    buf_done(&b);

    buf_init(&b, MAX);
    jsonwriter_init(&w, &b, COMPACT);
    jsonwriter_end(&w);
    assert_int_equal(jsonwriter_finish(&w), -EINVAL);
    buf_clear(&b);
    jsonwriter_init(&w, &b, COMPACT);
    for (int i = 0; i <= JSONWRITER_DEPTH_MAX; i++)
        jsonwriter_array(&w, NULL);
    for (int i = 0; i <= JSONWRITER_DEPTH_MAX; i++)
        jsonwriter_end(&w);
    assert_int_equal(jsonwriter_finish(&w), -EINVAL);
    buf_done(&b);
}

/* Whichever allocation fails, the text is whole or it is said. */
static void test_no_memory(void **state)
{
    struct jsonwriter w;
    struct buf b;
    int r;

    (void)state;
    allocations_fail_once = true;
    for (allocations_fail_at = 0;; allocations_fail_at++) {
        buf_init(&b, MAX);
        jsonwriter_init(&w, &b, COMPACT);
        allocations_made = 0;
        allocations_failing = true;
        write_all(&w);
        allocations_failing = false;
        r = jsonwriter_finish(&w);
        buf_done(&b);
        if (allocations_made <= allocations_fail_at)
            break;
        assert_int_equal(r, -ENOMEM);
    }
    assert_int_equal(r, 0);
    assert_true(allocations_fail_at > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_jansson), cmocka_unit_test(test_reals),
        cmocka_unit_test(test_escapes),    cmocka_unit_test(test_not_whole),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
