/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/support/compose.h"
#include "tests/support/text.h"

static struct secret_set keys = {
    .access_key = TEXT("GOOG1EXAMPLE"), .secret_key = TEXT("secret"), .expiry = USEC_NEVER};
static struct secret_set token = {
    .access_key = TEXT("x"), .secret_key = TEXT("x"), .session_token = TEXT("ya29.t0ken")};

/* Headers whose names begin so. */
static size_t count(const struct message *m, const char *prefix)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_headers; i++)
        n += strncasecmp(m->headers[i].name, prefix, strlen(prefix)) == 0;
    return n;
}

/* S3's language and signature at Google's door. */
static void test_hmac_keys(void **state)
{
    const struct upload_config u = {.url = TEXT("gs://my_bucket/prod/"),
                                    .storage_class = TEXT("NEARLINE"),
                                    .access_key_file = TEXT("/a"),
                                    .secret_key_file = TEXT("/s")};
    const struct dialect_request q = {
        .verb = DIALECT_PUT, .key = "k.trace", .object = &compose_object};
    struct dialect *d = compose_dialect(gs_dialect, &u);
    struct message m = compose(d, &q, &keys);

    (void)state;
    assert_int_equal(d->identity, DIALECT_IDENTITY_AWS);
    assert_string_equal(buf_str(&m.url), "https://storage.googleapis.com/my_bucket/prod/k.trace");
    assert_memory_equal(compose_header(&m, "Authorization"),
                        "AWS4-HMAC-SHA256 Credential=GOOG1EXAMPLE/20260314/auto/s3/aws4_request",
                        70);
    assert_string_equal(compose_header(&m, "x-amz-content-sha256"), compose_object.sha256);
    assert_string_equal(compose_header(&m, "x-amz-storage-class"), "NEARLINE");
    assert_string_equal(compose_header(&m, "x-amz-meta-service"), "checkout");
    assert_int_equal(count(&m, "x-goog-"), 0);
    assert_string_equal(d->description, "gs://my_bucket/prod");
    message_done(&m);
    d->ops->free(d);
}

static void test_token(void **state)
{
    const struct upload_config u = {
        .url = TEXT("gs://bucket/prod"), .storage_class = TEXT("NEARLINE"), .if_none_match = true};
    struct store_object o = compose_object;
    const struct dialect_request q = {.verb = DIALECT_PUT, .key = "a b.trace", .object = &o};
    struct dialect *d = compose_dialect(gs_dialect, &u);
    struct message m = compose(d, &q, &token);

    (void)state;
    assert_int_equal(d->identity, DIALECT_IDENTITY_GOOGLE);
    assert_string_equal(m.method, "PUT");
    assert_string_equal(buf_str(&m.url), "https://storage.googleapis.com/bucket/prod/a%20b.trace");
    assert_string_equal(compose_header(&m, "Authorization"), "Bearer ya29.t0ken");
    assert_string_equal(compose_header(&m, "Content-Type"), "application/octet-stream");
    assert_string_equal(compose_header(&m, "x-goog-if-generation-match"), "0");
    assert_string_equal(compose_header(&m, "x-goog-storage-class"), "NEARLINE");
    assert_string_equal(compose_header(&m, "x-goog-meta-sha256"), compose_object.sha256);
    assert_int_equal(count(&m, "x-amz-"), 0);
    assert_string_equal(d->prefix, "prod/");
    assert_string_equal(d->description, "gs://bucket/prod");
    message_done(&m);
    o.replace = true;
    m = compose(d, &q, &token);
    assert_null(compose_header(&m, "x-goog-if-generation-match"));
    message_done(&m);
    d->ops->free(d);
}

static void test_list(void **state)
{
    const struct upload_config u = {.url = TEXT("gs://bucket/prod"),
                                    .endpoint = TEXT("http://127.0.0.1:4443")};
    struct dialect_request q = {.verb = DIALECT_LIST, .key = "s/", .after = "s/x"};
    struct dialect *d = compose_dialect(gs_dialect, &u);
    struct message m = compose(d, &q, &token);

    (void)state;
    assert_string_equal(m.method, "GET");
    assert_string_equal(buf_str(&m.url),
                        "http://127.0.0.1:4443/bucket?encoding-type=url&list-type=2&max-keys=1000"
                        "&prefix=prod%2Fs%2F&start-after=prod%2Fs%2Fx");
    assert_string_equal(d->description, "gs://bucket/prod (http://127.0.0.1:4443)");
    message_done(&m);
    q.token = "next/+";
    m = compose(d, &q, &token);
    assert_string_equal(buf_str(&m.url),
                        "http://127.0.0.1:4443/bucket?continuation-token=next%2F%2B"
                        "&encoding-type=url&list-type=2&max-keys=1000&prefix=prod%2Fs%2F");
    message_done(&m);
    d->ops->free(d);
}

static void test_sections(void **state)
{
    static const struct {
        struct upload_config u;
        const char *why;
    } bad[] = {
        {{.url = TEXT("s3://bucket")}, "must begin with gs://"},
        {{.url = TEXT("gs://")}, "bucket's name"},
        {{.url = TEXT("gs://bucket//x")}, "empty part"},
        {{.url = TEXT("gs://bucket"), .endpoint = TEXT("h")}, "endpoint: must begin"},
        {{.url = TEXT("gs://bucket"), .access_key_file = TEXT("/a")}, "go together"},
        {{.url = TEXT("gs://bucket"), .secret_key_file = TEXT("/s")}, "go together"},
        {{.url = TEXT("gs://bucket"), .session_token_file = TEXT("/t")}, "no session token"},
        {{.url = TEXT("gs://bucket"),
          .if_none_match = true,
          .access_key_file = TEXT("/a"),
          .secret_key_file = TEXT("/s")},
         "workload identity only"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_non_null(strstr(compose_fault(gs_dialect, &bad[i].u), bad[i].why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hmac_keys),
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_sections),
    };

    return cmocka_run_group_tests_name("gs", tests, NULL, NULL);
}
