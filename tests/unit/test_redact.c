/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/net/redact.h"
#include "tests/support/text.h"

static void expect(const struct redact *r, unsigned flags, const char *text, size_t show,
                   const char *want)
{
    struct buf out;

    buf_init(&out, 1000);
    redact_text(r, flags, text, strlen(text), show, &out);
    assert_string_equal(buf_str(&out), want);
    buf_done(&out);
}

/* Whatever they look like, and however they were quoted. */
static void test_known(void **state)
{
    struct redact r;

    (void)state;
    redact_init(&r);
    assert_int_equal(redact_add(&r, "tok-en"), 0);
    assert_int_equal(redact_add(&r, "s&\"/+"), 0);
    assert_int_equal(redact_add(&r, "pw"), 0);
    assert_int_equal(redact_add(&r, NULL), 0);
    assert_int_equal(redact_add(&r, ""), 0);
    expect(&r, 0, "got tok-en|tok-enx, not token\n", 100, "got [...]|[...]x, not token\\n");
    expect(&r, 0, "<s&amp;&#34;/&#43;> s\\u0026\\\"/+ s%26%22%2F%2b", 100, "<[...]> [...] [...]");
    expect(&r, 0, "pw, pws, spw, (pw)", 100, "[...], pws, spw, ([...])");
    expect(&r, 0, "cut: tok-", 100, "cut: [...]");
    expect(&r, 0, "cut: tok", 100, "cut: tok");
    expect(&r, 0, "shown: tok-en or not", 9, "shown: [...]");
    expect(&r, REDACT_KNOWN, "tok-en 0123456789ABCDEF", 100, "[...] 0123456789ABCDEF");
    expect(&r, REDACT_ESCAPED, "a\\n\xc3\xa4 tok-en", 100, "a\\n\xc3\xa4 [...]");
    redact_done(&r);
    expect(&r, 0, "tok-en", 100, "tok-en");
}

/* In every way in which JSON and HTML may be written, and cut within a quoted character. */
static void test_quoted(void **state)
{
    struct redact r;

    (void)state;
    redact_init(&r);
    assert_int_equal(redact_add(&r, "abcd/=+'efgh"), 0);
    expect(&r, 0, "abcd\\u002f\\u003D\\u002b\\u0027efgh abcd\\/=+'efgh", 100, "[...] [...]");
    expect(&r, 0, "abcd&#x2F;&#61;&#43;&#039;efgh abcd/=+&apos;efgh", 100, "[...] [...]");
    expect(&r, REDACT_KNOWN | REDACT_ESCAPED, "abcd\\x2f=+'efgh", 100, "[...]");
    expect(&r, 0, "abcd%2", 100, "[...]%2");
    expect(&r, 0, "abcd%", 100, "[...]%");
    expect(&r, 0, "abcd\\u00", 100, "[...]\\\\u00");
    expect(&r, 0, "abcd&#x2", 100, "[...]&#x2");
    expect(&r, 0, "abcd", 100, "[...]");
    expect(&r, 0, "abcd%2x, and more", 100, "abcd%2x, and more");
    redact_done(&r);
}

static void test_overlap(void **state)
{
    struct redact r;

    (void)state;
    redact_init(&r);
    assert_int_equal(redact_add(&r, "abcdef"), 0);
    assert_int_equal(redact_add(&r, "efghij"), 0);
    assert_int_equal(redact_add(&r, "ijklmn"), 0);
    expect(&r, 0, "abcdefghijklmn, abcdefefghij.", 100, "[...], [...][...].");
    expect(&r, 0, "abcdefghijklmn", 3, "[...]");
    redact_done(&r);
}

static void test_request(void **state)
{
    static const struct http_header headers[] = {{"x-amz-security-token", "sess-ion"},
                                                 {"Content-Type", "text/plain"},
                                                 {"Authorization", "AWS4-HMAC-SHA256 region, sig"},
                                                 {"x-ms-date", "today"}};
    const struct proxy proxy = {.url = TEXT("http://joe:pr%6fxypw@p.example:3128")};
    const struct http_options o = {
        .url = "http://h.example/x?seconds=1.9&sig=a%2Bbcd&api_key=que-ry",
        .authorization = "Authorization: Basic dTpzaG9ydA==", /* u:short */
        .headers = headers,
        .n_headers = 4,
        .proxy = &proxy,
    };
    struct redact r;

    (void)state;
    redact_init(&r);
    assert_int_equal(redact_request(&r, &o), 0);
    expect(&r, REDACT_KNOWN, "dTpzaG9ydA== u:short short sess-ion text/plain region today", 100,
           "[...] [...] [...] [...] text/plain region today");
    expect(&r, REDACT_KNOWN, "1.9 a+bcd a%2Bbcd que-ry", 100, "1.9 [...] [...] [...]");
    expect(&r, REDACT_KNOWN, "joe:proxypw proxypw am9lOnByb3h5cHc=", 100, "[...] [...] [...]");
    redact_done(&r);
}

static void test_token(void **state)
{
    const struct http_options o = {.url = "http://u:userpw@h/",
                                   .authorization = "Authorization: Token a b"};
    struct redact r;

    (void)state;
    redact_init(&r);
    assert_int_equal(redact_request(&r, &o), 0);
    expect(&r, REDACT_KNOWN, "Token a b: userpw", 100, "Token [...]: [...]");
    redact_done(&r);
}

/* Of a program's complaints nobody knows the secrets. */
static void test_pairs(void **state)
{
    static const char *const texts[][2] = {
        {"Bearer abc.def.ghi https://u:pw@host/x?token=TTT", "Bearer [...] [...]@host/x?[...]"},
        {"key=SECRETPROC, x=\"a b\" y", "key=[...] x=[...] y"},
        {"password: hunter, \"SecretKey\":\"abc\"}", "password: [...] \"SecretKey\":[...]"},
        {"vault: error: token expired, status 403", "vault: error: token expired, status 403"},
        {"open /root/.vault-token: no such file", "open /root/.vault-token: no such file"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect(NULL, REDACT_KEYS | REDACT_PAIRS, texts[i][0], 200, texts[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),   cmocka_unit_test(test_quoted),
        cmocka_unit_test(test_overlap), cmocka_unit_test(test_request),
        cmocka_unit_test(test_token),   cmocka_unit_test(test_pairs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
