/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/http/answer.h"

static unsigned until; /* the allocation of expat's that fails; 0: none */

static void *short_malloc(size_t n)
{
    return until > 0 && --until == 0 ? NULL : malloc(n);
}

static void *short_realloc(void *p, size_t n)
{
    return until > 0 && --until == 0 ? NULL : realloc(p, n);
}

XML_Parser __wrap_XML_ParserCreate(const XML_Char *encoding);

XML_Parser __wrap_XML_ParserCreate(const XML_Char *encoding)
{
    static const XML_Memory_Handling_Suite memory = {short_malloc, short_realloc, free};

    return XML_ParserCreate_MM(encoding, &memory, NULL);
}

static const struct http_result no = {.error = HTTP_OK, .status = 403};

static struct answer answer_of(const char *body)
{
    struct answer a;

    answer_init(&a);
    if (body)
        assert_int_equal(answer_body(&a, body, strlen(body)), 0);
    return a;
}

static void test_head(void **state)
{
    static const char *const lines[][2] = {
        {"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"RETRY-AFTER", "3"},
        {"x-amz-bucket-region", "eu-west-1"},
        {"x-amz-request-id", "RQ"},
        {"content-length", "18446744073709551615"},
        {"X-Amz-Meta-SHA256", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"},
        {"x-amz-meta-sha256x", "0"}};
    struct answer a = answer_of(NULL);
    struct reply_facts f = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        answer_header(&a, "x-amz-meta-", lines[i][0], lines[i][1]);
    assert_string_equal(a.retry_after, "3");
    assert_string_equal(a.sha256,
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_true(a.sized);
    assert_true(a.size == UINT64_MAX);
    answer_facts(&a, &f);
    assert_string_equal(f.date, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_string_equal(f.region_told, "eu-west-1");
    assert_string_equal(f.code, "");
    answer_done(&a);
}

/* What is too long, or is not what it should be, was never said. */
static void test_bad_head(void **state)
{
    char longer[4000];
    struct answer a = answer_of(NULL), empty;
    const char *const names[] = {"Date",
                                 "Retry-After",
                                 "x-amz-bucket-region",
                                 "x-ms-error-code",
                                 "x-amz-request-id",
                                 "x-amz-meta-sha256",
                                 "Content-Length"};

    (void)state;
    memset(longer, '1', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        answer_header(&a, "x-amz-meta-", names[i], longer);
    answer_header(&a, "x-amz-meta-", "x-amz-bucket-region", "eu/../west");
    answer_header(&a, "x-amz-meta-", "x-ms-error-code", "a b");
    answer_header(&a, "x-amz-meta-", "x-amz-meta-sha256", "g3b0");
    answer_header(&a, "x-amz-meta-", "Content-Length", "-1");
    answer_init(&empty);
    assert_memory_equal(&a, &empty, sizeof(a));
}

static void test_document(void **state)
{
    struct answer a = answer_of("<Error><Code>C</Code><Region>r-1</Region>"
                                "<ServerTime>2026-03-14T09:26:53Z</ServerTime></Error>");
    struct reply_facts f = {0};

    (void)state;
    answer_header(&a, NULL, "x-ms-error-code", "Other");
    answer_facts(&a, &f);
    assert_string_equal(f.code, "C");
    assert_string_equal(f.region_told, "r-1");
    assert_string_equal(f.server_time, "2026-03-14T09:26:53Z");
    answer_done(&a);
    answer_done(&a);
}

static void test_enough(void **state)
{
    char part[1000];
    struct answer a = answer_of("<Error><Code>C</Code>");
    size_t n = 0;
    int r = 0;

    (void)state;
    memset(part, ' ', sizeof(part));
    for (; n < 1000 && r == 0; n++)
        r = answer_body(&a, part, sizeof(part));
    assert_int_equal(r, -E2BIG);
    assert_in_range(n, 60, 70);
    assert_string_equal(a.error.code, "C");
    answer_done(&a);
}

static void expect_text(struct answer *a, const struct http_result *result, const char *hint,
                        const char *text)
{
    char out[STORE_TEXT_MAX];

    answer_text(a, result, NULL, hint, out);
    assert_string_equal(out, text);
    answer_done(a);
}

static void test_text(void **state)
{
    static const struct http_result refused = {.error = HTTP_CONNECT, .text = "Not\nconnected"},
                                    broken = {.error = HTTP_CLOSED, .status = 500, .text = "reset"},
                                    aborted = {.error = HTTP_ABORTED, .status = 400, .text = "x"},
                                    nothing = {.error = HTTP_TIMEOUT};
    struct answer a = answer_of("<Error><Code>C</Code><Message>m\t\x7f\xc3\xa4</Message>"
                                "<RequestId>R 1</RequestId></Error>");

    (void)state;
    expect_text(&a, &no, "do this", "403 C: m\\t\\x7f\\xc3\\xa4, request R 1; do this");
    a = answer_of("<html>\n");
    expect_text(&a, &no, "", "403: <html>\\n");
    a = answer_of(NULL);
    expect_text(&a, &no, "", "403");
    a = answer_of(NULL);
    expect_text(&a, &refused, "is it up?", "Not\\nconnected; is it up?");
    a = answer_of(NULL);
    expect_text(&a, &broken, "", "500; reset");
    a = answer_of(NULL);
    expect_text(&a, &aborted, "", "400");
    a = answer_of(NULL);
    expect_text(&a, &nothing, "", "");
}

static void test_long_text(void **state)
{
    char body[5000], out[STORE_TEXT_MAX];
    struct answer a;

    (void)state;
    memset(body, '\x01', sizeof(body));
    body[sizeof(body) - 1] = '\0';
    a = answer_of(body);
    answer_header(&a, NULL, "x-amz-request-id", "RQ");
    answer_text(&a, &no, NULL, "the hint stands", out);
    assert_non_null(strstr(out, ", request RQ; the hint stands"));
    answer_done(&a);
}

/* Some servers and proxies say what they were sent. */
static void test_echo(void **state)
{
    static const char *const texts[][2] = {
        {"sent: Authorization: Basic dTpw", "sent: Authorization: Basic [...]"},
        {"bearer  x, y", "bearer  [...], y"},
        {"(Bearer ya29.a-b_c)", "(Bearer [...])"},
        {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "[...]"},
        {"no such host: traces.s3.eu-west-1.amazonaws.com",
         "no such host: traces.s3.eu-west-1.amazonaws.com"},
        {"AKIAIOSFODNN7EXAMPLE has no such right", "[...] has no such right"},
        {"token=FwoGZXIvYXdzEBYaDHqa0AP/1+x== is old", "[...] is old"},
        {"(wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY)", "([...])"},
        {"'5d41402abc4b2a76b9719d911017c592'", "'[...]'"},
        {"my-bucket-2026-eu/prod/checkout/host-1/20260314: the region is eu-central-1",
         "my-bucket-2026-eu/prod/checkout/host-1/20260314: the region is eu-central-1"},
        {"arn:aws:iam::123456789012:user/x is not authorized to perform: s3:PutObject",
         "arn:aws:iam::123456789012:user/x is not authorized to perform: s3:PutObject"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[300], body[300];
        struct answer a = answer_of(texts[i][0]);

        (void)snprintf(text, sizeof(text), "403: %s", texts[i][1]);
        expect_text(&a, &no, "", text);
        (void)snprintf(body, sizeof(body), "<Error><Code>C</Code><Message>%s</Message></Error>",
                       texts[i][0]);
        a = answer_of(body);
        (void)snprintf(text, sizeof(text), "403 C: %s", texts[i][1]);
        expect_text(&a, &no, "", text);
    }
}

/* A document that could not be read for want of memory has not said nothing. */
static void test_no_memory(void **state)
{
    static const char body[] = "<Error><Code>ExpiredToken</Code><Message>M</Message></Error>";
    unsigned at = 0;
    int r;

    (void)state;
    do {
        struct answer a;

        answer_init(&a);
        until = ++at;
        r = answer_body(&a, body, strlen(body));
        until = 0;
        if (r < 0)
            assert_int_equal(r, -ENOMEM);
        else
            assert_string_equal(a.error.code, "ExpiredToken");
        answer_done(&a);
    } while (r < 0);
    assert_true(at > 5);
}

/* Secrets in use stay here whatever they look like, also where the text is cut. */
static void test_known(void **state)
{
    struct answer a = answer_of("<Error><Code>InvalidToken</Code><Message>bad env-TOKEN: sk/1"
                                "</Message><RequestId>env-TOKEN</RequestId></Error>");
    char body[200], out[STORE_TEXT_MAX];
    struct redact secrets;

    (void)state;
    redact_init(&secrets);
    assert_int_equal(redact_add(&secrets, "env-TOKEN"), 0);
    assert_int_equal(redact_add(&secrets, "sk/1"), 0);
    answer_text(&a, &no, &secrets, "", out);
    assert_string_equal(out, "403 InvalidToken: bad [...]: [...], request [...]");
    answer_done(&a);
    memset(body, '.', ANSWER_SAID_MAX - 5);
    (void)snprintf(body + ANSWER_SAID_MAX - 5, 30, "env-TOKEN");
    a = answer_of(body);
    answer_text(&a, &no, &secrets, "", out);
    assert_null(strstr(out, "env"));
    answer_done(&a);
    redact_done(&secrets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head),      cmocka_unit_test(test_bad_head),
        cmocka_unit_test(test_document),  cmocka_unit_test(test_enough),
        cmocka_unit_test(test_text),      cmocka_unit_test(test_echo),
        cmocka_unit_test(test_known),     cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
