/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/credential/sigv4.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* The examples of the Amazon S3 API Reference share these. */
#define MAY_24_2013 (1369353600 * USEC_PER_SEC)
static const struct sigv4_credentials example = {
    .access_key = "AKIAIOSFODNN7EXAMPLE",
    .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};

static struct sigv4_request example_request(const char *method, const char *path)
{
    return (struct sigv4_request){
        .method = method,
        .host = "examplebucket.s3.amazonaws.com",
        .path = path,
        .payload_sha256 = SIGV4_EMPTY_SHA256,
        .region = "us-east-1",
        .service = "s3",
        .time = MAY_24_2013,
    };
}

static void check(const struct sigv4_request *q, const char *headers, const char *signature)
{
    struct sigv4_signature s;
    struct buf expected;

    assert_int_equal(sigv4_sign(q, &example, &s), 0);
    buf_init(&expected, 4096);
    (void)buf_addf(&expected,
                   "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                   "aws4_request,SignedHeaders=%s,Signature=%s",
                   headers, signature);
    assert_string_equal(s.date, "20130524T000000Z");
    assert_string_equal(buf_str(&s.authorization), buf_str(&expected));
    buf_done(&expected);
    sigv4_signature_done(&s);
}

static void test_get_object(void **state)
{
    static const struct sigv4_pair headers[] = {{"Range", "bytes=0-9"}};
    struct sigv4_request q = example_request("GET", "/test.txt");

    (void)state;
    q.headers = headers;
    q.n_headers = N(headers);
    check(&q, "host;range;x-amz-content-sha256;x-amz-date",
          "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void test_put_object(void **state)
{
    static const struct sigv4_pair headers[] = {
        {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
        {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
    };
    struct sigv4_request q = example_request("PUT", "/test$file.text");

    (void)state;
    q.headers = headers;
    q.n_headers = N(headers);
    q.payload_sha256 = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    check(&q, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
          "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void test_query_without_a_value(void **state)
{
    static const struct sigv4_pair query[] = {{"lifecycle", ""}};
    struct sigv4_request q = example_request("GET", "/");

    (void)state;
    q.query = query;
    q.n_query = N(query);
    check(&q, "host;x-amz-content-sha256;x-amz-date",
          "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

static void test_query_is_sorted(void **state)
{
    static const struct sigv4_pair query[] = {{"prefix", "J"}, {"max-keys", "2"}};
    struct sigv4_request q = example_request("GET", "/");

    (void)state;
    q.query = query;
    q.n_query = N(query);
    check(&q, "host;x-amz-content-sha256;x-amz-date",
          "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void test_url(void **state)
{
    static const struct sigv4_pair query[] = {{"b", "x/y z"}, {"a ", "\xc3\xa9+"}, {"b", "%41"}};
    struct buf url;

    (void)state;
    buf_init(&url, 1024);
    assert_int_equal(sigv4_add_path(&url, "/a b/./c//d+~\xc3\xa9%41/e?f#g"), 0);
    assert_string_equal(buf_str(&url), "/a%20b/./c//d%2B~%C3%A9%2541/e%3Ff%23g");
    buf_clear(&url);
    assert_int_equal(sigv4_add_query(&url, query, N(query)), 0);
    assert_string_equal(buf_str(&url), "a%20=%C3%A9%2B&b=%2541&b=x%2Fy%20z");
    buf_done(&url);
}

static void test_refused(void **state)
{
    static const struct sigv4_pair twice[] = {{"x-amz-meta-a", "1"}, {"X-Amz-Meta-A", "2"}};
    static const struct sigv4_pair ours[] = {{"X-Amz-Date", "20130524T000000Z"}};
    struct sigv4_request q = example_request("GET", "relative");
    struct sigv4_signature s;
    char *path;

    (void)state;
    assert_int_equal(sigv4_sign(&q, &example, &s), -EINVAL);
    q.path = "/";
    q.headers = twice;
    q.n_headers = N(twice);
    assert_int_equal(sigv4_sign(&q, &example, &s), -EINVAL);
    q.headers = ours;
    q.n_headers = N(ours);
    assert_int_equal(sigv4_sign(&q, &example, &s), -EINVAL);
    q.n_headers = 0;
    path = malloc(100000);
    assert_non_null(path);
    memset(path, '/', 99999);
    path[99999] = '\0';
    q.path = path;
    assert_int_equal(sigv4_sign(&q, &example, &s), -E2BIG);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_object),
        cmocka_unit_test(test_put_object),
        cmocka_unit_test(test_query_without_a_value),
        cmocka_unit_test(test_query_is_sorted),
        cmocka_unit_test(test_url),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
