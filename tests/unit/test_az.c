/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/credential/sharedkey.h"
#include "tests/support/compose.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

#define KEY "c2VjcmV0c2VjcmV0"
#define DATE "Sat, 14 Mar 2026 09:26:53 GMT"

static char *dir, *key_file, *sas_file;

static int setup(void **state)
{
    (void)state;
    dir = scratch_new(NULL);
    key_file = strdup(scratch_text(dir, "key", KEY "\n"));
    sas_file = strdup(scratch_text(dir, "sas", "?sv=2021-12-02&sp=rcwl&sig=a%2Fb%3D\n"));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(key_file);
    free(sas_file);
    scratch_free(dir);
    return 0;
}

static void assert_signature(const struct message *m, const struct sharedkey_request *q)
{
    struct buf b;

    buf_init(&b, 512);
    assert_int_equal(sharedkey_sign(q, KEY, &b), 0);
    assert_string_equal(compose_header(m, "Authorization"), buf_str(&b));
    buf_done(&b);
}

/* All that is sent is signed, in the account's name. */
static void test_put(void **state)
{
    const struct upload_config u = {.url = TEXT("az://myaccount/traces/prod"),
                                    .account_key_file = key_file,
                                    .if_none_match = true,
                                    .storage_class = TEXT("Cool")};
    const struct store_meta meta[] = {{"service", "check out"}, {"with-hyphen", "1"}};
    struct store_object o = compose_object;
    const struct dialect_request q = {.verb = DIALECT_PUT, .key = "a b/c.trace", .object = &o};
    const struct sharedkey_pair headers[] = {{"x-ms-version", "2021-12-02"},
                                             {"x-ms-date", DATE},
                                             {"x-ms-blob-type", "BlockBlob"},
                                             {"Content-Type", "application/octet-stream"},
                                             {"If-None-Match", "*"},
                                             {"x-ms-access-tier", "Cool"},
                                             {"x-ms-meta-service", "check%20out"},
                                             {"x-ms-meta-with_hyphen", "1"}};
    const struct sharedkey_request signed_request = {.method = "PUT",
                                                     .account = "myaccount",
                                                     .path = "/traces/prod/a%20b/c.trace",
                                                     .headers = headers,
                                                     .n_headers = 8,
                                                     .content_length = 5};
    struct dialect *d = compose_dialect(az_dialect, &u);
    struct message m;

    (void)state;
    o.meta = meta;
    o.n_meta = 2;
    m = compose(d, &q, NULL);
    assert_string_equal(m.method, "PUT");
    assert_string_equal(buf_str(&m.url),
                        "https://myaccount.blob.core.windows.net/traces/prod/a%20b/c.trace");
    assert_int_equal(m.n_headers, 9);
    for (size_t i = 0; i < 8; i++)
        assert_string_equal(compose_header(&m, headers[i].name), headers[i].value);
    assert_signature(&m, &signed_request);
    assert_string_equal(d->description, "az://myaccount/traces/prod");
    assert_string_equal(d->prefix, "prod/");
    assert_string_equal(d->meta_prefix, "x-ms-meta-");
    assert_true(d->lists && d->conditional);
    message_done(&m);
    o.replace = true;
    m = compose(d, &q, NULL);
    assert_null(compose_header(&m, "If-None-Match"));
    message_done(&m);
    d->ops->free(d);
}

static void test_list(void **state)
{
    const struct upload_config u = {.url = TEXT("az://myaccount/traces/prod/"),
                                    .account_key_file = key_file};
    const struct dialect_request q = {
        .verb = DIALECT_LIST, .key = "check out/", .after = "check out/x", .token = "2!8/+="};
    const struct sharedkey_pair headers[] = {{"x-ms-version", "2021-12-02"}, {"x-ms-date", DATE}};
    const struct sharedkey_pair query[] = {{"comp", "list"},
                                           {"marker", "2!8/+="},
                                           {"maxresults", "1000"},
                                           {"prefix", "prod/check out/"},
                                           {"restype", "container"}};
    const struct sharedkey_request signed_request = {.method = "GET",
                                                     .account = "myaccount",
                                                     .path = "/traces",
                                                     .query = query,
                                                     .n_query = 5,
                                                     .headers = headers,
                                                     .n_headers = 2};
    struct dialect *d = compose_dialect(az_dialect, &u);
    struct message m = compose(d, &q, NULL);

    (void)state;
    assert_string_equal(m.method, "GET");
    assert_string_equal(buf_str(&m.url),
                        "https://myaccount.blob.core.windows.net/traces?comp=list"
                        "&marker=2%218%2F%2B%3D&maxresults=1000&prefix=prod%2Fcheck%20out%2F"
                        "&restype=container");
    assert_signature(&m, &signed_request);
    message_done(&m);
    d->ops->free(d);
}

/* The signature is in the URL, and in no header. */
static void test_sas(void **state)
{
    const struct upload_config u = {.url = TEXT("az://myaccount/traces"),
                                    .sas_token_file = sas_file};
    struct dialect_request q = {.verb = DIALECT_HEAD, .key = "k"};
    struct dialect *d = compose_dialect(az_dialect, &u);
    struct message m = compose(d, &q, NULL);
    char why[STORE_TEXT_MAX] = "";

    (void)state;
    assert_string_equal(m.method, "HEAD");
    assert_string_equal(buf_str(&m.url), "https://myaccount.blob.core.windows.net/traces/k"
                                         "?sv=2021-12-02&sp=rcwl&sig=a%2Fb%3D");
    assert_null(compose_header(&m, "Authorization"));
    message_done(&m);
    q = (struct dialect_request){.verb = DIALECT_LIST, .key = ""};
    m = compose(d, &q, NULL);
    assert_non_null(strstr(buf_str(&m.url), "&restype=container&sv=2021-12-02&sp=rcwl&sig="));
    assert_null(strstr(buf_str(&m.url), "prefix="));
    message_done(&m);
    (void)scratch_text(dir, "sas", "sv=1&sig=rotated");
    m = compose(d, &q, NULL);
    assert_non_null(strstr(buf_str(&m.url), "&sv=1&sig=rotated"));
    message_done(&m);

    /* What is no token says so without showing it. */
    (void)scratch_text(dir, "sas", "s3cret key");
    assert_int_equal(d->ops->compose(d, &q, NULL, COMPOSE_NOW, &m, why), -EINVAL);
    assert_non_null(strstr(why, sas_file));
    assert_null(strstr(why, "s3cret"));
    d->ops->free(d);
}

/* Without a secret of its own the section is Entra ID's; the token goes nowhere else. */
static void test_token(void **state)
{
    const struct upload_config u = {.url = TEXT("az://abc/traces/p")};
    struct secret_set secrets = {.session_token = TEXT("eyJ.tok"), .expiry = USEC_NEVER};
    struct dialect *d = compose_dialect(az_dialect, &u);
    struct message m;

    (void)state;
    assert_int_equal(d->identity, DIALECT_IDENTITY_AZURE);
    m = compose(
        d, &(struct dialect_request){.verb = DIALECT_PUT, .key = "k", .object = &compose_object},
        &secrets);
    assert_string_equal(compose_header(&m, "Authorization"), "Bearer eyJ.tok");
    assert_string_equal(compose_header(&m, "x-ms-version"), "2021-12-02");
    assert_non_null(compose_header(&m, "x-ms-date"));
    assert_string_equal(buf_str(&m.url), "https://abc.blob.core.windows.net/traces/p/k");
    message_done(&m);
    d->ops->free(d);
}

static void test_bad_key(void **state)
{
    const struct upload_config u = {.url = TEXT("az://myaccount/traces"),
                                    .account_key_file = key_file};
    const struct dialect_request q = {.verb = DIALECT_GET, .key = "k"};
    struct dialect *d = compose_dialect(az_dialect, &u);
    char why[STORE_TEXT_MAX] = "";
    struct message m;

    (void)state;
    (void)scratch_text(dir, "key", "s3cret!");
    assert_int_equal(d->ops->compose(d, &q, NULL, COMPOSE_NOW, &m, why), -EINVAL);
    assert_non_null(strstr(why, "holds no account key"));
    assert_null(strstr(why, "s3cret"));
    d->ops->free(d);
}

static void assert_url(const char *endpoint, const char *expected)
{
    const struct upload_config u = {.url = TEXT("az://myaccount/traces"),
                                    .endpoint = TEXT(endpoint),
                                    .account_key_file = key_file};
    const struct dialect_request q = {.verb = DIALECT_GET, .key = "k"};
    struct dialect *d = compose_dialect(az_dialect, &u);
    struct message m = compose(d, &q, NULL);

    assert_string_equal(buf_str(&m.url), expected);
    message_done(&m);
    d->ops->free(d);
}

static void test_endpoints(void **state)
{
    (void)state;
    assert_url("http://127.0.0.1:10000", "http://127.0.0.1:10000/myaccount/traces/k");
    assert_url("http://127.0.0.1:10000/", "http://127.0.0.1:10000/myaccount/traces/k");
    assert_url("http://127.0.0.1:10000/myaccount", "http://127.0.0.1:10000/myaccount/traces/k");
    assert_url("http://127.0.0.1:10000/myaccount/", "http://127.0.0.1:10000/myaccount/traces/k");
    assert_url("https://gw.example/azure", "https://gw.example/azure/myaccount/traces/k");
    assert_url("https://gw.example/azure/myaccount/",
               "https://gw.example/azure/myaccount/traces/k");
    assert_url("https://myaccount.gw.example/azure", "https://myaccount.gw.example/azure/traces/k");
    assert_url("https://myaccount.blob.core.usgovcloudapi.net",
               "https://myaccount.blob.core.usgovcloudapi.net/traces/k");
    assert_url("https://myaccount2.example.com",
               "https://myaccount2.example.com/myaccount/traces/k");
}

static void test_sections(void **state)
{
    static const struct {
        const char *url, *endpoint, *why;
    } bad[] = {
        {"s3://myaccount/traces", NULL, "must begin with az://"},
        {"az://myaccount", NULL, "must be az://account/container"},
        {"az://My/traces", NULL, "account's name has only"},
        {"az://ab/traces", NULL, "3 to 24"},
        {"az://abc/tr_aces", NULL, "container's name has only"},
        {"az://abc/tr--aces", NULL, "each hyphen"},
        {"az://abc/traces//x", NULL, "empty part"},
        {"az://abc/traces/a?b", NULL, "no query"},
        {"az://abc/traces", "abc.example.com", "endpoint: must begin"},
        {"az://abc/traces", "https://", "names no host"},
        {"az://abc/traces/../x", NULL, "`.` or `..`"},
        {"az://abc/traces/a\\b", NULL, "no '\\'"},
        {"az://abc/traces", "https://h/a//b", "empty part"},
        {"az://abc/traces", "https://h/../b", "`.` or `..`"},
        {"az://abc/traces", "https://abc.h/abc", "account's name twice"},
        {"az://abc/traces", "https://h?x", "a host and a path"},
    };
    struct upload_config u = {.url = TEXT("az://abc/traces")};

    (void)state;
    u.account_key_file = key_file;
    u.sas_token_file = sas_file;
    assert_non_null(strstr(compose_fault(az_dialect, &u), "exclude each other"));
    u.sas_token_file = NULL;
    u.storage_class = TEXT("Hot\r\nx: y");
    assert_non_null(strstr(compose_fault(az_dialect, &u), "access tier"));
    u.storage_class = NULL;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        u.url = TEXT(bad[i].url);
        u.endpoint = TEXT(bad[i].endpoint);
        assert_non_null(strstr(compose_fault(az_dialect, &u), bad[i].why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_put, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sas, setup, teardown),
        cmocka_unit_test_setup_teardown(test_token, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_endpoints, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sections, setup, teardown),
    };

    return cmocka_run_group_tests_name("az", tests, NULL, NULL);
}
