/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/store/dialect/xmlreply.h"

/* Reads it in pieces of `step` bytes; what finish says. */
static int feed(struct xmlreply *x, const char *text, size_t step)
{
    size_t n = strlen(text);
    int r;

    for (size_t i = 0; i < n; i += step)
        (void)xmlreply_feed(x, text + i, n - i < step ? n - i : step);
    r = xmlreply_finish(x);
    assert_int_equal(xmlreply_finish(x), r);
    xmlreply_free(x);
    return r;
}

static int read_error(const char *text, size_t step, struct xmlreply_error *e)
{
    struct xmlreply *x;

    assert_int_equal(xmlreply_new_error(e, &x), 0);
    return feed(x, text, step);
}

static void test_error(void **state)
{
    static const char text[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>RequestTimeTooSkewed</Code>"
        "<Message>a &lt;b&gt;</Message><Region>eu-west-1</Region>"
        "<Endpoint>b.s3.eu-west-1.example:443</Endpoint><RequestId> 4442587FB7D0A2F9\n</RequestId>"
        "<ServerTime>2026-03-14T09:26:53Z</ServerTime><Other><Code>x</Code></Other></Error>";
    struct xmlreply_error e;

    (void)state;
    for (size_t step = 1; step <= sizeof(text); step++) {
        assert_int_equal(read_error(text, step, &e), 0);
        assert_string_equal(e.code, "RequestTimeTooSkewed");
        assert_string_equal(e.message, "a <b>");
        assert_string_equal(e.region, "eu-west-1");
        assert_string_equal(e.endpoint, "b.s3.eu-west-1.example:443");
        assert_string_equal(e.request_id, "4442587FB7D0A2F9");
        assert_string_equal(e.server_time, "2026-03-14T09:26:53Z");
    }
    assert_int_equal(read_error("<ErrorResponse xmlns=\"u\"><Error><Code>ExpiredToken</Code>"
                                "</Error></ErrorResponse>",
                                7, &e),
                     0);
    assert_string_equal(e.code, "ExpiredToken");
    assert_int_equal(read_error("\xef\xbb\xbf<?xml version=\"1.0\"?><Error><Code>ServerBusy</Code>"
                                "<Message>m</Message></Error>",
                                7, &e),
                     0);
    assert_string_equal(e.code, "ServerBusy");
}

static void test_garbage(void **state)
{
    static const char *const texts[] = {
        "",
        "garbage",
        "<",
        "<html><body><p>502</body></html>",
        "<Error><Code>a/../b</Code></Error>",
        "<Error><Code>half",
        "<!DOCTYPE x [<!ENTITY a \"SlowDown\">]><Error><Code>&a;</Code></Error>",
        "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><Error><Code>&b;</Code></Error>",
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><Error><Code>a</Code></Error>",
        "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><Error><Code>x</Code></Error>",
    };
    struct xmlreply_error e;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        (void)read_error(texts[i], 3, &e);
        assert_string_equal(e.code, "");
    }
    /* what came before the garbage stands */
    assert_int_equal(read_error("<Error><Code>SlowDown</Code><", 3, &e), -EBADMSG);
    assert_string_equal(e.code, "SlowDown");
}

static void test_bounds(void **state)
{
    static char text[XMLREPLY_ERROR_MAX * 2];
    struct xmlreply_error e;
    int n = snprintf(text, sizeof(text), "<Error><Code>SlowDown</Code><Message>");

    (void)state;
    memset(text + n, 'x', sizeof(text) - 1 - (size_t)n);
    assert_int_equal(read_error(text, 1000, &e), -E2BIG);
    assert_string_equal(e.code, "SlowDown");
    assert_int_equal(read_error(text, sizeof(text), &e), -E2BIG);
    assert_string_equal(e.code, "SlowDown");
    memcpy(text + XMLREPLY_ERROR_MAX / 2, "</Message></Error>", sizeof("</Message></Error>"));
    assert_int_equal(read_error(text, 1000, &e), 0);
    assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
}

struct seen {
    unsigned count;
    char keys[256];
    uint64_t bytes;
    usec last;
    int r;
};

static int on_object(void *userdata, const struct xmlreply_object *o)
{
    struct seen *s = userdata;

    s->count++;
    s->bytes += o->size;
    s->last = o->last_modified;
    (void)strncat(s->keys, o->key, sizeof(s->keys) - strlen(s->keys) - 1);
    (void)strncat(s->keys, ";", sizeof(s->keys) - strlen(s->keys) - 1);
    return s->r;
}

static int read_list(const char *text, size_t step, struct xmlreply_page *page, struct seen *seen)
{
    struct xmlreply *x;

    assert_int_equal(xmlreply_new_list(page, on_object, seen, &x), 0);
    return feed(x, text, step);
}

static void test_list(void **state)
{
    static const char text[] =
        "<ListBucketResult xmlns=\"u\"><Name>b</Name><IsTruncated>true</IsTruncated><Contents>"
        "<Key>a/b.trace</Key><LastModified>2026-03-14T09:26:53.000Z</LastModified><Size>5</Size>"
        "<Owner><Key>no</Key></Owner></Contents><Contents><Key>c&amp;d</Key><Size>7</Size>"
        "</Contents><EncodingType>url</EncodingType>"
        "<NextContinuationToken>tok/=</NextContinuationToken></ListBucketResult>";
    struct xmlreply_page page;

    (void)state;
    for (size_t step = 1; step <= sizeof(text); step += 5) {
        struct seen s = {0};

        assert_int_equal(read_list(text, step, &page, &s), 0);
        assert_int_equal(s.count, 2);
        assert_string_equal(s.keys, "a/b.trace;c&d;");
        assert_int_equal(s.bytes, 12);
        assert_true(s.last == 0);
        assert_true(page.truncated && page.url_encoded);
        assert_string_equal(page.next, "tok/=");
    }
}

static void test_azure_list(void **state)
{
    struct xmlreply_page page;
    struct seen s = {0};

    (void)state;
    assert_int_equal(
        read_list("<EnumerationResults><Blobs><Blob><Name>k</Name><Properties><Last-Modified>"
                  "Sat, 14 Mar 2026 09:26:53 GMT</Last-Modified><Content-Length>9</Content-Length>"
                  "</Properties></Blob></Blobs><NextMarker /></EnumerationResults>",
                  5, &page, &s),
        0);
    assert_string_equal(s.keys, "k;");
    assert_int_equal(s.bytes, 9);
    assert_true(s.last == 1773480413 * USEC_PER_SEC);
    assert_false(page.truncated);
}

static void test_bad_lists(void **state)
{
    static const char *const texts[] = {
        "",
        "<Error><Code>NoSuchBucket</Code></Error>",
        "<ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
    };
    struct xmlreply_page page;
    struct seen s = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(read_list(texts[i], 4, &page, &s), -EBADMSG);
    s.r = -ECANCELED;
    assert_int_equal(read_list("<ListBucketResult><Contents><Key>a</Key></Contents>"
                               "</ListBucketResult>",
                               99, &page, &s),
                     -ECANCELED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error),      cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_bounds),     cmocka_unit_test(test_list),
        cmocka_unit_test(test_azure_list), cmocka_unit_test(test_bad_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
