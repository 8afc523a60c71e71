/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "daemon/source/kube/cutter.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What was cut, with a bar behind each document. */
struct cut {
    char text[512];
    int answer;
};

static int take(void *userdata, const char *document, size_t n)
{
    struct cut *cut = userdata;

    strncat(cut->text, document, n);
    strcat(cut->text, "|");
    return cut->answer;
}

/* Cuts the text in pieces of `piece` bytes. */
static int cut_up(bool items, const char *text, size_t piece, struct cut *cut, char *rest)
{
    size_t n = strlen(text);
    struct cutter c;
    int r = 0;

    cut->text[0] = '\0';
    cutter_init(&c, items, take, cut);
    for (size_t i = 0; r == 0 && i < n; i += piece)
        r = cutter_add(&c, text + i, n - i < piece ? n - i : piece);
    strcpy(rest, buf_str(cutter_rest(&c)));
    if (r == 0 && !cutter_at_end(&c))
        r = -EAGAIN;
    cutter_done(&c);
    return r;
}

static void test_good(void **state)
{
    static const struct {
        bool items;
        const char *text, *cut, *rest;
    } rows[] = {
        {false, "", "", ""},
        {false, "{\"a\":1}\n{\"b\":[{},2]}\n", "{\"a\":1}|{\"b\":[{},2]}|", ""},
        {false, "{\"a\":\"}\\\"{\\\\\"} {}", "{\"a\":\"}\\\"{\\\\\"}|{}|", ""},
        {true, "{\"kind\":\"PodList\",\"items\":[{\"a\":1},\n{\"items\":[{}]}]}",
         "{\"a\":1}|{\"items\":[{}]}|", "{\"kind\":\"PodList\",\"items\":[]}"},
        {true, "{\"items\":[],\"metadata\":{\"items\":[1,{}],\"continue\":\"items\"}}\n", "",
         "{\"items\":[],\"metadata\":{\"items\":[1,{}],\"continue\":\"items\"}}\n"},
        {true, "{\"items\" : [ {} ] , \"x\":\"items\", \"y\":[{}]}", "{}|",
         "{\"items\" : [] , \"x\":\"items\", \"y\":[{}]}"},
        {true, "{\"items\":null}", "", "{\"items\":null}"},
        {true, "{\"items-and-more\":[{}]}", "", "{\"items-and-more\":[{}]}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t piece = 1; piece < 80; piece += piece < 4 ? 1 : 15) {
            struct cut cut = {0};
            char rest[512];

            assert_int_equal(cut_up(rows[i].items, rows[i].text, piece, &cut, rest), 0);
            assert_string_equal(cut.text, rows[i].cut);
            assert_string_equal(rest, rows[i].rest);
        }
    }
}

static void test_bad(void **state)
{
    static const struct {
        bool items;
        const char *text;
        int r;
    } rows[] = {
        {false, "{\"a\":1}x", -EBADMSG},      {false, "[{}]", -EBADMSG},
        {false, "\"text\"", -EBADMSG},        {false, "{}}", -EBADMSG},
        {false, "{},{}", -EBADMSG},           {true, "{\"items\":[1]}", -EBADMSG},
        {true, "{\"items\":[[]]}", -EBADMSG}, {true, "{\"items\":[\"a\"]}", -EBADMSG},
        {false, "{\"a\":", -EAGAIN},          {true, "{\"items\":[{}", -EAGAIN},
        {true, "{\"items\":[{}]", -EAGAIN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cut cut = {0};
        char rest[512];

        assert_int_equal(cut_up(rows[i].items, rows[i].text, 1, &cut, rest), rows[i].r);
        assert_int_equal(cut_up(rows[i].items, rows[i].text, 100, &cut, rest), rows[i].r);
    }
}

static void test_refused(void **state)
{
    struct cut cut = {.answer = -ECANCELED};
    char rest[512];

    (void)state;
    assert_int_equal(cut_up(false, "{\"a\":1}{\"b\":2}", 100, &cut, rest), -ECANCELED);
    assert_string_equal(cut.text, "{\"a\":1}|");
}

static void test_too_long(void **state)
{
    static const char block[4096] = {[0 ... 4095] = 'x'};
    struct cut cut = {0};
    struct cutter c;
    size_t n = 0;
    int r;

    (void)state;
    cutter_init(&c, false, take, &cut);
    r = cutter_add(&c, "{\"a\":\"", 6);
    for (; r == 0 && n < 2 * CUTTER_DOCUMENT_MAX; n += sizeof(block))
        r = cutter_add(&c, block, sizeof(block));
    assert_int_equal(r, -E2BIG);
    assert_in_range(n, CUTTER_DOCUMENT_MAX - 2 * sizeof(block),
                    CUTTER_DOCUMENT_MAX + sizeof(block));
    cutter_done(&c);
    cutter_init(&c, true, take, &cut);
    r = cutter_add(&c, "{\"a\":\"", 6);
    for (n = 0; r == 0 && n < 2 * CUTTER_REST_MAX; n += sizeof(block))
        r = cutter_add(&c, block, sizeof(block));
    assert_int_equal(r, -E2BIG);
    cutter_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests_name("cutter", tests, NULL, NULL);
}
