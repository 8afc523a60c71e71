/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "trace/schedtrace/loglines.h"

static struct buf seen;

static int on_line(void *userdata, const struct logline *line)
{
    (void)userdata;
    assert_int_equal(line->text[line->n], 0);
    if (line->n > 100)
        return buf_addf(&seen, "%ju:#%zu|", (uintmax_t)line->number, line->n);
    return buf_addf(&seen, "%ju:%.*s|", (uintmax_t)line->number, (int)line->n, line->text);
}

static int refuse(void *userdata, const struct logline *line)
{
    (void)userdata;
    (void)line;
    return -ECANCELED;
}

static void read_in_pieces(const char *text, size_t n, size_t piece, uint64_t *ret_cut)
{
    struct loglines l;

    buf_clear(&seen);
    loglines_init(&l);
    for (size_t at = 0; at < n; at += piece)
        assert_int_equal(
            loglines_feed(&l, text + at, piece < n - at ? piece : n - at, on_line, NULL), 0);
    assert_int_equal(loglines_finish(&l, on_line, NULL), 0);
    assert_int_equal(buf_error(&seen), 0);
    *ret_cut = l.cut;
    loglines_done(&l);
}

static void test_pieces(void **state)
{
    static const char text[] = "one\n\ntwo\r\nthree";
    uint64_t cut;

    (void)state;
    for (size_t piece = 1; piece < sizeof(text); piece++) {
        read_in_pieces(text, sizeof(text) - 1, piece, &cut);
        assert_string_equal(buf_str(&seen), "1:one|2:|3:two|4:three|");
        assert_int_equal(cut, 0);
    }
    read_in_pieces("", 0, 1, &cut);
    assert_string_equal(buf_str(&seen), "");
}

static void test_overlong(void **state)
{
    static char text[3 * LOGLINES_MAX];
    uint64_t cut;

    (void)state;
    (void)memset(text, 'x', sizeof(text));
    text[2 * LOGLINES_MAX] = '\n';
    read_in_pieces(text, 2 * LOGLINES_MAX + 4, 1000, &cut);
    assert_string_equal(buf_str(&seen), "1:#65536|2:xxx|");
    assert_int_equal(cut, 1);
    /* One that just fits is whole. */
    text[LOGLINES_MAX] = '\n';
    read_in_pieces(text, LOGLINES_MAX + 1, 4096, &cut);
    assert_string_equal(buf_str(&seen), "1:#65536|");
    assert_int_equal(cut, 0);
}

static void test_refused(void **state)
{
    struct loglines l;

    (void)state;
    loglines_init(&l);
    assert_int_equal(loglines_feed(&l, "a\nb\n", 4, refuse, NULL), -ECANCELED);
    assert_int_equal(l.number, 1);
    loglines_done(&l);
}

static int setup(void **state)
{
    (void)state;
    buf_init(&seen, 4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_done(&seen);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_overlong),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
