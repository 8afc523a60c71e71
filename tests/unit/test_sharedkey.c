/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "lib/store/credential/sharedkey.h"

/* The account that every emulator has, with its published key. */
#define ACCOUNT "devstoreaccount1"
#define KEY \
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

static const char *text_of(const struct sharedkey_request *q)
{
    static char text[2048];
    struct buf b;

    buf_init(&b, sizeof(text) - 1);
    assert_int_equal(sharedkey_text(q, &b), 0);
    (void)strcpy(text, buf_str(&b));
    buf_done(&b);
    return text;
}

/* The two that Azure's documentation shows. */
static void test_documented(void **state)
{
    static const struct sharedkey_pair get_query[] = {
        {"timeout", "20"}, {"restype", "container"}, {"comp", "metadata"}};
    static const struct sharedkey_pair get_headers[] = {
        {"x-ms-version", "2015-02-21"}, {"x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"}};
    static const struct sharedkey_pair list_query[] = {{"include", "snapshots"},
                                                       {"restype", "container"},
                                                       {"comp", "list"},
                                                       {"include", "metadata"},
                                                       {"include", "uncommittedblobs"}};
    const struct sharedkey_request get = {.method = "GET",
                                          .account = "myaccount",
                                          .path = "/mycontainer",
                                          .query = get_query,
                                          .n_query = 3,
                                          .headers = get_headers,
                                          .n_headers = 2};
    const struct sharedkey_request list = {.method = "GET",
                                           .account = "myaccount",
                                           .path = "/mycontainer",
                                           .query = list_query,
                                           .n_query = 5};

    (void)state;
    assert_string_equal(text_of(&get),
                        "GET\n\n\n\n\n\n\n\n\n\n\n\n"
                        "x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
                        "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20");
    assert_string_equal(text_of(&list),
                        "GET\n\n\n\n\n\n\n\n\n\n\n\n/myaccount/mycontainer\ncomp:list\n"
                        "include:metadata,snapshots,uncommittedblobs\nrestype:container");
}

/* Each header in its line, whatever their order and case. */
static void test_lines(void **state)
{
    static const struct sharedkey_pair headers[] = {{"Range", "r"},
                                                    {"X-MS-Meta-B", "2"},
                                                    {"content-type", "t"},
                                                    {"If-None-Match", "*"},
                                                    {"x-ms-meta-a", "1"},
                                                    {"Unsigned", "x"},
                                                    {"Content-MD5", "m"},
                                                    {"Content-Encoding", "e"},
                                                    {"If-Match", "i"},
                                                    {"Content-Language", "l"},
                                                    {"Date", "d"},
                                                    {"If-Modified-Since", "s"},
                                                    {"If-Unmodified-Since", "u"}};
    const struct sharedkey_request q = {.method = "PUT",
                                        .account = "acc",
                                        .path = "/c/a%20b",
                                        .headers = headers,
                                        .n_headers = sizeof(headers) / sizeof(headers[0]),
                                        .content_length = 4711};

    (void)state;
    assert_string_equal(text_of(&q), "PUT\ne\nl\n4711\nm\nt\nd\ns\ni\n*\nu\nr\n"
                                     "x-ms-meta-a:1\nx-ms-meta-b:2\n/acc/c/a%20b");
}

/* Against a value that another implementation computed (Python: hmac, base64). */
static void test_signature(void **state)
{
    static const struct sharedkey_pair headers[] = {{"x-ms-date", "Sat, 14 Mar 2026 09:26:53 GMT"},
                                                    {"x-ms-version", "2021-12-02"}};
    const struct sharedkey_request q = {.method = "HEAD",
                                        .account = ACCOUNT,
                                        .path = "/" ACCOUNT "/traces/k",
                                        .headers = headers,
                                        .n_headers = 2};
    struct buf b;

    (void)state;
    buf_init(&b, 512);
    assert_int_equal(sharedkey_sign(&q, KEY, &b), 0);
    assert_string_equal(buf_str(&b),
                        "SharedKey " ACCOUNT ":xpy8ZyVKSUz73Wl52YFsWl9PtwCr5fCzy5zXOMkYDQE=");
    buf_done(&b);
}

static void test_bad_keys(void **state)
{
    static const char *const bad[] = {"", "abc", "ab*=", "a\nb=", "=abc="};
    const struct sharedkey_request q = {.method = "GET", .account = "a", .path = "/"};
    char large[1024];
    struct buf b;

    (void)state;
    buf_init(&b, 512);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sharedkey_sign(&q, bad[i], &b), -EINVAL);
    memset(large, 'A', sizeof(large));
    large[sizeof(large) - 4] = '\0';
    assert_int_equal(sharedkey_sign(&q, large, &b), -EINVAL);
    assert_int_equal(b.len, 0);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documented),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_bad_keys),
    };

    return cmocka_run_group_tests_name("sharedkey", tests, NULL, NULL);
}
