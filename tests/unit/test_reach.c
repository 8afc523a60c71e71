/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "lib/store/identity/reach.h"

static char ca[] = "ca.pem", cert[] = "cert.pem", key[] = "key.pem", name[] = "store.internal",
            endpoint[] = "https://10.0.0.1:443/", proxy_url[] = "http://p:1", no_proxy[] = "b";

static const struct upload_config section = {
    .endpoint = endpoint,
    .access.tls = {ca, cert, key, name, true},
    .access.proxy = {proxy_url, no_proxy, true},
};

static void test_store(void **state)
{
    struct http_options o = {.url = "https://10.0.0.1/b/k"};
    struct reach r;

    (void)state;
    assert_int_equal(reach_init(&r, &section), 0);
    reach_store(&r, &o);
    assert_string_equal(o.tls.ca_file, ca);
    assert_false(o.ca_beside);
    assert_string_equal(o.tls.cert_file, cert);
    assert_string_equal(o.tls.key_file, key);
    assert_string_equal(o.tls.server_name, name);
    assert_true(o.tls.insecure_skip_verify);
    assert_string_equal(o.proxy->url, proxy_url);
    assert_string_equal(o.proxy->no_proxy, no_proxy);
    assert_true(o.proxy->from_environment);
    reach_done(&r);
}

static void test_beside(void **state)
{
    static const struct {
        enum reach_peer peer;
        const char *url;
        bool named, same_host, proxied;
    } cases[] = {
        {REACH_PUBLIC, "https://sts.eu-west-1.amazonaws.com/", false, false, true},
        {REACH_PUBLIC, "https://10.0.0.1/", false, false, true},
        {REACH_NAMED, "https://sts.internal/", true, false, true},
        {REACH_NAMED, "https://10.0.0.1/", true, true, true},
        {REACH_NAMED, "https://10.0.0.1:8443/", true, false, true},
        {REACH_NEAR, "http://169.254.169.254/latest", true, false, false},
        {REACH_NEAR, "https://imds.internal/latest", true, false, false},
    };
    struct reach r;

    (void)state;
    assert_int_equal(reach_init(&r, &section), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_options o = {.url = cases[i].url};

        reach_beside(&r, cases[i].peer, &o);
        assert_string_equal(o.tls.ca_file, ca);
        assert_true(o.ca_beside);
        assert_int_equal(o.tls.cert_file != NULL, cases[i].named);
        assert_int_equal(o.tls.key_file != NULL, cases[i].named);
        assert_int_equal(o.tls.insecure_skip_verify, cases[i].named);
        assert_int_equal(o.tls.server_name != NULL, cases[i].same_host);
        assert_int_equal(o.proxy != NULL, cases[i].proxied);
    }
    reach_done(&r);
}

static void test_nothing(void **state)
{
    struct http_options o = {.url = "https://sts.internal/"};
    struct reach r;

    (void)state;
    assert_int_equal(reach_init(&r, &(struct upload_config){0}), 0);
    reach_beside(&r, REACH_NAMED, &o);
    assert_null(o.tls.ca_file);
    assert_null(o.tls.server_name);
    assert_false(o.tls.insecure_skip_verify);
    assert_null(o.proxy->url);
    assert_false(o.proxy->from_environment);
    reach_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store),
        cmocka_unit_test(test_beside),
        cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
