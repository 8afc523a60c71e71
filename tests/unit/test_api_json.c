/* SPDX-License-Identifier: Apache-2.0 */

/* How the values of answers are written. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/api/api_state.h"

/* What `write` makes of an object. */
static const char *written(void (*write)(struct jsonwriter *w))
{
    static struct buf text;
    struct jsonwriter w;

    buf_done(&text);
    buf_init(&text, 4096);
    jsonwriter_init(&w, &text, api_style);
    jsonwriter_object(&w, NULL);
    write(&w);
    jsonwriter_end(&w);
    assert_int_equal(jsonwriter_finish(&w), 0);
    return buf_str(&text);
}

static void times(struct jsonwriter *w)
{
    api_put_time(w, "never", 0);
    api_put_time(w, "at", (usec)1773480413 * USEC_PER_SEC + 589 * USEC_PER_MSEC);
    api_put_seconds(w, "none", 0);
    api_put_seconds(w, "for", 1900 * USEC_PER_MSEC);
}

static void latencies(struct jsonwriter *w)
{
    api_put_latency(w, "unknown", -1);
    api_put_latency(w, "zero", 0);
    api_put_latency(w, "ms", 1234567.0);
    api_put_latency(w, "rounded", 1234566.8); /* the index has 24 bits of it */
    api_put_covered(w, -1);
}

static void covered(struct jsonwriter *w)
{
    api_put_covered(w, 0.5);
}

static const char *word(unsigned i)
{
    static const char *const words[] = {"ok", "timeout", "busy"};

    return words[i];
}

static void counts(struct jsonwriter *w)
{
    static const uint64_t n[] = {12, 0, 1}, none[] = {0, 0, 0};

    api_put_counts(w, "some", n, 3, word);
    api_put_counts(w, "none", none, 3, word);
}

static void test_values(void **state)
{
    (void)state;
    assert_string_equal(written(times), "{\"never\":null,\"at\":\"2026-03-14T09:26:53.589Z\","
                                        "\"none\":0.0,\"for\":1.9}");
    assert_string_equal(written(latencies), "{\"unknown\":null,\"zero\":0.0,\"ms\":0.001234567,"
                                            "\"rounded\":0.001234567,\"covered\":null}");
    assert_string_equal(written(covered), "{\"covered\":0.5}");
    assert_string_equal(written(counts), "{\"some\":{\"ok\":12,\"busy\":1},\"none\":{}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
