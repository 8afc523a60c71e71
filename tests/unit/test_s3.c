/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/store/credential/sigv4.h"
#include "lib/store/dialect/dialect.h"
#include "tests/support/allocations.h"

#define NOW (1773480413 * USEC_PER_SEC) /* 2026-03-14T09:26:53Z */
#define SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static const struct secret_set secrets = {
    .access_key = (char *)"AKID", .secret_key = (char *)"secret", .expiry = USEC_NEVER};
static const struct store_meta meta[] = {{"service", "checkout"}, {"reason", "a b"}};
static const struct store_object object = {.key = "svc/k+1.trace",
                                           .data = "hello",
                                           .size = 5,
                                           .sha256 = SHA256,
                                           .content_type = "application/octet-stream",
                                           .meta = meta,
                                           .n_meta = 2};
static const struct dialect_request put = {
    .verb = DIALECT_PUT, .key = "svc/k+1.trace", .object = &object};

static char why[STORE_TEXT_MAX];

static struct dialect *dialect_of(const struct upload_config *u)
{
    struct dialect *d;

    why[0] = '\0';
    assert_int_equal(s3_dialect(u, &d, why), 0);
    return d;
}

static void compose(const struct dialect *d, const struct dialect_request *q, struct message *ret)
{
    assert_int_equal(d->ops->compose(d, q, &secrets, NOW, ret, why), 0);
}

static const char *header(const struct message *m, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < m->n_headers; i++) {
        if (strcasecmp(m->headers[i].name, name) == 0) {
            assert_null(value);
            value = m->headers[i].value;
        }
    }
    return value;
}

static void free_dialect(struct dialect *d)
{
    d->ops->free(d);
}

static void test_urls(void **state)
{
    static const struct {
        const char *url, *endpoint;
        enum upload_addressing addressing;
        const char *put, *list, *description;
    } rows[] = {
        {"s3://bucket", NULL, UPLOAD_ADDRESSING_AUTO,
         "https://bucket.s3.eu-west-1.amazonaws.com/svc/k%2B1.trace",
         "https://bucket.s3.eu-west-1.amazonaws.com/?"
         "encoding-type=url&list-type=2&max-keys=1000&prefix=svc",
         "s3://bucket (eu-west-1)"},
        {"s3://bucket/a b", NULL, UPLOAD_ADDRESSING_PATH,
         "https://s3.eu-west-1.amazonaws.com/bucket/a%20b/svc/k%2B1.trace",
         "https://s3.eu-west-1.amazonaws.com/bucket?"
         "encoding-type=url&list-type=2&max-keys=1000&prefix=a%20b%2Fsvc",
         "s3://bucket/a b (eu-west-1)"},
        {"s3://bucket/p/", "http://127.0.0.1:9000", UPLOAD_ADDRESSING_AUTO,
         "http://127.0.0.1:9000/bucket/p/svc/k%2B1.trace",
         "http://127.0.0.1:9000/bucket?"
         "encoding-type=url&list-type=2&max-keys=1000&prefix=p%2Fsvc",
         "s3://bucket/p (eu-west-1, http://127.0.0.1:9000)"},
        {"s3://bucket", "https://store.example", UPLOAD_ADDRESSING_VIRTUAL,
         "https://bucket.store.example/svc/k%2B1.trace",
         "https://bucket.store.example/?encoding-type=url&list-type=2&max-keys=1000&prefix=svc",
         "s3://bucket (eu-west-1, https://store.example)"},
    };
    const struct dialect_request list = {.verb = DIALECT_LIST, .key = "svc"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct upload_config u = {.url = (char *)rows[i].url,
                                        .endpoint = (char *)rows[i].endpoint,
                                        .addressing = rows[i].addressing,
                                        .region = (char *)"eu-west-1"};
        struct dialect *d = dialect_of(&u);
        struct message m;

        assert_string_equal(d->description, rows[i].description);
        assert_string_equal(d->region, "eu-west-1");
        compose(d, &put, &m);
        assert_string_equal(m.method, "PUT");
        assert_string_equal(buf_str(&m.url), rows[i].put);
        message_done(&m);
        compose(d, &list, &m);
        assert_string_equal(m.method, "GET");
        assert_string_equal(buf_str(&m.url), rows[i].list);
        message_done(&m);
        free_dialect(d);
    }
}

static void test_put_headers(void **state)
{
    struct label tags[] = {{(char *)"team", (char *)"a b/c"}, {(char *)"env", (char *)"prod=1"}};
    struct upload_config u = {.url = (char *)"s3://bucket",
                              .storage_class = (char *)"STANDARD_IA",
                              .sse = (char *)"aws:kms",
                              .sse_kms_key_id = (char *)"arn:aws:kms:x",
                              .if_none_match = true,
                              .tags = tags,
                              .n_tags = 2};
    struct dialect *d = dialect_of(&u);
    struct message m;

    (void)state;
    assert_true(d->conditional);
    compose(d, &put, &m);
    assert_string_equal(header(&m, "content-type"), "application/octet-stream");
    assert_string_equal(header(&m, "if-none-match"), "*");
    assert_string_equal(header(&m, "x-amz-storage-class"), "STANDARD_IA");
    assert_string_equal(header(&m, "x-amz-server-side-encryption"), "aws:kms");
    assert_string_equal(header(&m, "x-amz-server-side-encryption-aws-kms-key-id"), "arn:aws:kms:x");
    assert_string_equal(header(&m, "x-amz-tagging"), "env=prod%3D1&team=a%20b%2Fc");
    assert_string_equal(header(&m, "x-amz-meta-service"), "checkout");
    assert_string_equal(header(&m, "x-amz-meta-reason"), "a%20b");
    assert_string_equal(header(&m, "x-amz-content-sha256"), SHA256);
    assert_string_equal(header(&m, "x-amz-date"), "20260314T092653Z");
    assert_null(header(&m, "x-amz-security-token"));
    /* All of them are signed. */
    assert_non_null(
        strstr(header(&m, "authorization"),
               "AWS4-HMAC-SHA256 Credential=AKID/20260314/us-east-1/s3/aws4_request,SignedHeaders="
               "content-type;host;if-none-match;x-amz-content-sha256;x-amz-date;x-amz-meta-reason;"
               "x-amz-meta-service;x-amz-server-side-encryption;"
               "x-amz-server-side-encryption-aws-kms-key-id;x-amz-storage-class;x-amz-tagging,"
               "Signature="));
    message_done(&m);
    free_dialect(d);
}

/* What a bucket's policy may demand. */
static void test_demanded_headers(void **state)
{
    struct label context[] = {{(char *)"team", (char *)"a\"\xc3\xa4"},
                              {(char *)"app", (char *)"x"}};
    const struct upload_config u = {.url = (char *)"s3://bucket",
                                    .sse = (char *)"aws:kms",
                                    .sse_context = context,
                                    .n_sse_context = 2,
                                    .acl = (char *)"bucket-owner-full-control",
                                    .checksum = true,
                                    .requester_pays = true};
    const struct dialect_request summed = {
        .verb = DIALECT_PUT, .key = "k", .object = &object, .checksum = true};
    const struct dialect_request list = {.verb = DIALECT_LIST, .key = ""};
    struct dialect *d = dialect_of(&u);
    struct message m;

    (void)state;
    assert_true(d->checksum);
    compose(d, &summed, &m);
    /* echo -n hello | openssl dgst -sha256 -binary | base64 */
    assert_string_equal(header(&m, "x-amz-checksum-sha256"),
                        "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=");
    assert_string_equal(header(&m, "x-amz-acl"), "bucket-owner-full-control");
    assert_string_equal(header(&m, "x-amz-request-payer"), "requester");
    /* {"app":"x","team":"a\"\u00e4"} */
    assert_string_equal(header(&m, "x-amz-server-side-encryption-context"),
                        "eyJhcHAiOiJ4IiwidGVhbSI6ImFcIlx1MDBFNCJ9");
    assert_non_null(strstr(header(&m, "authorization"),
                           ";host;x-amz-acl;x-amz-checksum-sha256;x-amz-content-sha256;x-amz-date;"
                           "x-amz-meta-reason;x-amz-meta-service;x-amz-request-payer;"
                           "x-amz-sdk-checksum-algorithm;"
                           "x-amz-server-side-encryption;x-amz-server-side-encryption-context,"));
    message_done(&m);
    compose(d, &put, &m);
    assert_null(header(&m, "x-amz-checksum-sha256"));
    message_done(&m);
    /* Whoever reads pays, too. */
    compose(d, &list, &m);
    assert_string_equal(header(&m, "x-amz-request-payer"), "requester");
    assert_null(header(&m, "x-amz-acl"));
    message_done(&m);
    free_dialect(d);
}

/* The same as sigv4_sign says of the request: nothing is sent that was not signed so. */
static void test_signature(void **state)
{
    static const struct secret_set session = {.access_key = (char *)"AKID",
                                              .secret_key = (char *)"secret",
                                              .session_token = (char *)"token",
                                              .expiry = USEC_NEVER};
    static const struct sigv4_credentials c = {"AKID", "secret", "token"};
    const struct upload_config u = {.url = (char *)"s3://bucket/p", .region = (char *)"eu-west-1"};
    const struct sigv4_request expected = {.method = "HEAD",
                                           .host = "bucket.s3.eu-west-1.amazonaws.com",
                                           .path = "/p/k+",
                                           .payload_sha256 = SIGV4_EMPTY_SHA256,
                                           .region = "eu-west-1",
                                           .service = "s3",
                                           .time = NOW};
    const struct dialect_request head = {.verb = DIALECT_HEAD, .key = "k+"};
    struct dialect *d = dialect_of(&u);
    struct sigv4_signature s;
    struct message m;

    (void)state;
    assert_int_equal(d->ops->compose(d, &head, &session, NOW, &m, why), 0);
    assert_int_equal(sigv4_sign(&expected, &c, &s), 0);
    assert_string_equal(header(&m, "x-amz-security-token"), "token");
    assert_string_equal(header(&m, "authorization"), buf_str(&s.authorization));
    assert_int_equal(m.n_headers, 4);
    sigv4_signature_done(&s);
    message_done(&m);
    free_dialect(d);
}

static void test_pages(void **state)
{
    const struct upload_config u = {.url = (char *)"s3://bucket/p"};
    const struct dialect_request after = {.verb = DIALECT_LIST, .key = "", .after = "a/b c"},
                                 next = {.verb = DIALECT_LIST,
                                         .key = "",
                                         .after = "a/b c",
                                         .token = "t+/="};
    struct dialect *d = dialect_of(&u);
    struct message m;

    (void)state;
    compose(d, &after, &m);
    assert_non_null(strstr(buf_str(&m.url), "&prefix=p%2F&start-after=p%2Fa%2Fb%20c"));
    message_done(&m);
    compose(d, &next, &m);
    assert_non_null(strstr(buf_str(&m.url), "?continuation-token=t%2B%2F%3D&"));
    assert_null(strstr(buf_str(&m.url), "start-after"));
    message_done(&m);
    free_dialect(d);
}

static void test_replace(void **state)
{
    const struct upload_config u = {.url = (char *)"s3://bucket", .if_none_match = true};
    struct store_object o = object;
    const struct dialect_request q = {.verb = DIALECT_PUT, .key = o.key, .object = &o};
    struct dialect *d = dialect_of(&u);
    struct message m;

    (void)state;
    o.replace = true;
    compose(d, &q, &m);
    assert_null(header(&m, "if-none-match"));
    message_done(&m);
    free_dialect(d);
}

static void test_move(void **state)
{
    struct upload_config u = {.url = (char *)"s3://bucket", .region = (char *)"us-east-1"};
    struct dialect *d = dialect_of(&u);
    struct message m;

    (void)state;
    assert_int_equal(d->ops->move(d, "evil.example.org/"), -EINVAL);
    assert_string_equal(d->region, "us-east-1");
    assert_int_equal(d->ops->move(d, "ap-south-1"), 0);
    assert_string_equal(d->region, "ap-south-1");
    compose(d, &put, &m);
    assert_string_equal(buf_str(&m.url),
                        "https://bucket.s3.ap-south-1.amazonaws.com/svc/k%2B1.trace");
    assert_non_null(strstr(header(&m, "authorization"), "/ap-south-1/s3/"));
    message_done(&m);
    free_dialect(d);
}

static void test_region(void **state)
{
    struct upload_config u = {.url = (char *)"s3://bucket"};
    static const struct {
        const char *section, *first, *second, *region;
    } rows[] = {
        {NULL, NULL, NULL, "us-east-1"},      {NULL, NULL, "eu-b-2", "eu-b-2"},
        {NULL, "eu-a-1", "eu-b-2", "eu-a-1"}, {NULL, "", "eu-b-2", "eu-b-2"},
        {"eu-c-3", "eu-a-1", NULL, "eu-c-3"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dialect *d;

        (void)unsetenv("AWS_REGION");
        (void)unsetenv("AWS_DEFAULT_REGION");
        if (rows[i].first)
            (void)setenv("AWS_REGION", rows[i].first, 1);
        if (rows[i].second)
            (void)setenv("AWS_DEFAULT_REGION", rows[i].second, 1);
        u.region = (char *)rows[i].section;
        d = dialect_of(&u);
        assert_string_equal(d->region, rows[i].region);
        free_dialect(d);
    }
    (void)unsetenv("AWS_REGION");
    (void)unsetenv("AWS_DEFAULT_REGION");
}

static void test_wrong_sections(void **state)
{
    static const struct {
        struct upload_config u;
        const char *begins;
    } rows[] = {
        {{.url = (char *)"s3://"}, "url: "},
        {{.url = (char *)"s3://Upper"}, "url: "},
        {{.url = (char *)"s3://bucket", .endpoint = (char *)"host"}, "endpoint: "},
        {{.url = (char *)"s3://bucket", .region = (char *)"EU"}, "region: "},
        {{.url = (char *)"s3://bucket", .sse = (char *)"DES"}, "server_side_encryption: "},
        {{.url = (char *)"s3://bucket", .sse = (char *)"AES256", .sse_kms_key_id = (char *)"k"},
         "sse_kms_key_id: "},
        {{.url = (char *)"s3://bucket", .access_key_file = (char *)"f"}, "access_key_file: "},
        {{.url = (char *)"s3://bucket", .secret_key_file = (char *)"f"}, "access_key_file: "},
        {{.url = (char *)"s3://bucket", .session_token_file = (char *)"f"}, "session_token_file: "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dialect *d;

        assert_int_equal(s3_dialect(&rows[i].u, &d, why), -EINVAL);
        assert_memory_equal(why, rows[i].begins, strlen(rows[i].begins));
    }
}

static void test_too_long(void **state)
{
    const struct upload_config u = {.url = (char *)"s3://bucket"};
    struct dialect *d = dialect_of(&u);
    char key[2000];
    const struct dialect_request q = {.verb = DIALECT_GET, .key = key};
    struct message m;

    (void)state;
    memset(key, 'k', sizeof(key));
    key[sizeof(key) - 1] = '\0';
    assert_int_equal(d->ops->compose(d, &q, &secrets, NOW, &m, why), -E2BIG);
    free_dialect(d);
}

/* Whole, or an error: another context would be a key that nobody can ask for. */
static void test_context_without_memory(void **state)
{
    struct label context[] = {{(char *)"a name that makes a buffer grow", (char *)"x"},
                              {(char *)"and another name, still longer than that", (char *)"y"}};
    const struct upload_config u = {.url = (char *)"s3://bucket",
                                    .sse = (char *)"aws:kms",
                                    .sse_context = context,
                                    .n_sse_context = 2};
    static const char name[] = "x-amz-server-side-encryption-context";
    struct dialect *d = dialect_of(&u);
    struct message right, m;
    int r;

    (void)state;
    compose(d, &put, &right);
    free_dialect(d);
    allocations_fail_once = true;
    for (allocations_fail_at = 0;; allocations_fail_at++) {
        allocations_made = 0;
        allocations_failing = true;
        r = s3_dialect(&u, &d, why);
        allocations_failing = false;
        if (r < 0)
            continue;
        compose(d, &put, &m);
        assert_string_equal(header(&m, name), header(&right, name));
        message_done(&m);
        free_dialect(d);
        if (allocations_made <= allocations_fail_at)
            break;
    }
    message_done(&right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_region), /* first: it clears the environment */
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_put_headers),
        cmocka_unit_test(test_demanded_headers),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_wrong_sections),
        cmocka_unit_test(test_context_without_memory),
    };

    json_set_alloc_funcs(malloc, free); /* those of tests/support/allocations.h */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
