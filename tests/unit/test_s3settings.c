/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/store/dialect/dialect.h"
#include "tests/support/compose.h"
#include "tests/support/scratch.h"

#define N(a) (sizeof(a) / sizeof(a)[0])

static char *dir; /* HOME */

static int setup(void **state)
{
    char path[512];

    (void)state;
    assert_int_equal(clearenv(), 0);
    dir = scratch_new(NULL);
    assert_int_equal(setenv("HOME", dir, 1), 0);
    (void)snprintf(path, sizeof(path), "%s/.aws", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_free(dir);
    return 0;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    (void)scratch_write(dir, name, text, strlen(text), mode);
}

/* The URL of an object as the dialect has it now. */
static void url_of(const struct upload_config *u, char *out, size_t size)
{
    struct secret_set secrets = {.access_key = (char[]){"AK"}, .secret_key = (char[]){"s"}};
    struct dialect *d = compose_dialect(s3_dialect, u);
    struct message m =
        compose(d, &(struct dialect_request){.verb = DIALECT_HEAD, .key = "k"}, &secrets);

    (void)snprintf(out, size, "%s", buf_str(&m.url));
    message_done(&m);
    d->ops->free(d);
}

/* What the environment and the profile say, where the section leaves it open. */
static void test_hosts(void **state)
{
    static const struct {
        const char *profile, *variable, *value, *url;
    } rows[] = {
        {"", NULL, NULL, "https://bucket.s3.us-east-1.amazonaws.com/k"},
        {"region = eu-west-1\n", NULL, NULL, "https://bucket.s3.eu-west-1.amazonaws.com/k"},
        {"region = eu-west-1\n", "AWS_REGION", "eu-west-2",
         "https://bucket.s3.eu-west-2.amazonaws.com/k"},
        {"", "AWS_DEFAULT_REGION", "eu-west-3", "https://bucket.s3.eu-west-3.amazonaws.com/k"},
        {"", "AWS_USE_FIPS_ENDPOINT", "true", "https://bucket.s3-fips.us-east-1.amazonaws.com/k"},
        {"", "AWS_USE_DUALSTACK_ENDPOINT", "true",
         "https://bucket.s3.dualstack.us-east-1.amazonaws.com/k"},
        {"use_fips_endpoint = true\nuse_dualstack_endpoint = true\n", NULL, NULL,
         "https://bucket.s3-fips.dualstack.us-east-1.amazonaws.com/k"},
        {"s3 =\n  use_dualstack_endpoint = true\n  addressing_style = path\n", NULL, NULL,
         "https://s3.dualstack.us-east-1.amazonaws.com/bucket/k"},
        {"", "AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000/", "http://127.0.0.1:9000/bucket/k"},
        {"", "AWS_ENDPOINT_URL", "http://127.0.0.1:9001", "http://127.0.0.1:9001/bucket/k"},
        {"endpoint_url = http://127.0.0.1:9002\n", NULL, NULL, "http://127.0.0.1:9002/bucket/k"},
        {"services = own\n[services own]\ns3 =\n  endpoint_url = http://127.0.0.1:9003\n", NULL,
         NULL, "http://127.0.0.1:9003/bucket/k"},
        {"endpoint_url = http://127.0.0.1:9002\n", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true",
         "https://bucket.s3.us-east-1.amazonaws.com/k"},
        {"", "AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9004",
         "https://bucket.s3.us-east-1.amazonaws.com/k"},
    };

    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        const struct upload_config u = {.url = (char[]){"s3://bucket"}};
        char text[512], url[512];

        (void)snprintf(text, sizeof(text), "[default]\n%s", rows[i].profile);
        write_file(".aws/config", text, 0644);
        if (rows[i].variable)
            assert_int_equal(setenv(rows[i].variable, rows[i].value, 1), 0);
        url_of(&u, url, sizeof(url));
        assert_string_equal(url, rows[i].url);
        if (rows[i].variable)
            assert_int_equal(unsetenv(rows[i].variable), 0);
    }
}

/* The section's own keys go before the environment, and that before the profile. */
static void test_order(void **state)
{
    const struct upload_config u = {.url = (char[]){"s3://bucket"},
                                    .endpoint = (char[]){"https://store.example"},
                                    .region = (char[]){"eu-north-1"},
                                    .addressing = UPLOAD_ADDRESSING_VIRTUAL};
    char url[512];

    (void)state;
    write_file(".aws/config",
               "[default]\nregion = no\nendpoint_url = http://no.example\ns3 =\n"
               "  addressing_style = path\n",
               0644);
    assert_int_equal(setenv("AWS_REGION", "nor-1", 1), 0);
    assert_int_equal(setenv("AWS_ENDPOINT_URL_S3", "http://nor.example", 1), 0);
    assert_int_equal(setenv("AWS_USE_FIPS_ENDPOINT", "true", 1), 0);
    url_of(&u, url, sizeof(url));
    assert_string_equal(url, "https://bucket.store.example/k");
}

/* Google's HMAC keys are none of Amazon's business. */
static void test_not_for_google(void **state)
{
    const struct upload_config u = {.url = (char[]){"gs://bucket"},
                                    .access_key_file = (char[]){"/a"},
                                    .secret_key_file = (char[]){"/s"}};
    struct secret_set secrets = {.access_key = (char[]){"AK"}, .secret_key = (char[]){"s"}};
    struct dialect *d;
    struct message m;

    (void)state;
    assert_int_equal(setenv("AWS_ENDPOINT_URL", "http://nor.example", 1), 0);
    assert_int_equal(setenv("AWS_USE_FIPS_ENDPOINT", "true", 1), 0);
    assert_int_equal(setenv("AWS_CA_BUNDLE", "/ca", 1), 0);
    d = compose_dialect(gs_dialect, &u);
    m = compose(d, &(struct dialect_request){.verb = DIALECT_HEAD, .key = "k"}, &secrets);
    assert_string_equal(buf_str(&m.url), "https://storage.googleapis.com/bucket/k");
    assert_null(d->ca_file);
    message_done(&m);
    d->ops->free(d);
}

static void test_ca(void **state)
{
    const struct upload_config u = {.url = (char[]){"s3://bucket"}};
    struct dialect *d;
    char path[512];

    (void)state;
    write_file(".aws/config", "[default]\nca_bundle = ~/ca.pem\n", 0644);
    d = compose_dialect(s3_dialect, &u);
    (void)snprintf(path, sizeof(path), "%s/ca.pem", dir);
    assert_string_equal(d->ca_file, path);
    d->ops->free(d);
    assert_int_equal(setenv("AWS_CA_BUNDLE", "/etc/ca.pem", 1), 0);
    d = compose_dialect(s3_dialect, &u);
    assert_string_equal(d->ca_file, "/etc/ca.pem");
    d->ops->free(d);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *config, *variable, *value, *why;
    } rows[] = {
        {"[default]\nservices = none\n", NULL, NULL, "no services none"},
        {"[default]\ns3 =\n  use_accelerate_endpoint = true\n", NULL, NULL,
         "use_accelerate_endpoint is not supported"},
        {"[default]\ns3 =\n  addressing_style = odd\n", NULL, NULL, "addressing_style"},
        {"[default]\nuse_fips_endpoint = 1\n", NULL, NULL, "use_fips_endpoint (profile default, "},
        {"[default]\nuse_dualstack_endpoint = 1\n", NULL, NULL,
         ".aws/config) is neither true nor false"},
        {"[default]\n", "AWS_REGION", "Eu_West", "AWS_REGION: has only lower-case letters"},
        {"[default]\nregion = Eu_West\n", NULL, NULL, ".aws/config): has only lower-case letters"},
        {"[default]\n", "AWS_USE_DUALSTACK_ENDPOINT", "on", "AWS_USE_DUALSTACK_ENDPOINT is"},
        {"[default]\n", "AWS_ENDPOINT_URL", "minio:9000", "AWS_ENDPOINT_URL is not an http"},
        {"[default]\nnonsense\n", NULL, NULL, ".aws/config:2: neither a section"},
    };

    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        const struct upload_config u = {.url = (char[]){"s3://bucket"}};
        const char *why;

        write_file(".aws/config", rows[i].config, 0644);
        if (rows[i].variable)
            assert_int_equal(setenv(rows[i].variable, rows[i].value, 1), 0);
        why = compose_fault(s3_dialect, &u);
        if (!strstr(why, rows[i].why))
            fail_msg("%zu: %s", i, why);
        if (rows[i].variable)
            assert_int_equal(unsetenv(rows[i].variable), 0);
    }
}

/* Keys that others may read are no matter to settings; they are to whoever uses the keys. */
static void test_keys_are_passed_over(void **state)
{
    const struct upload_config u = {.url = (char[]){"s3://bucket"}};
    char url[512];

    (void)state;
    write_file(".aws/credentials", "[default]\naws_access_key_id = half\nregion = eu-west-1\n",
               0644);
    url_of(&u, url, sizeof(url));
    assert_string_equal(url, "https://bucket.s3.eu-west-1.amazonaws.com/k");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_hosts), TEST(test_order),    TEST(test_not_for_google),
        TEST(test_ca),    TEST(test_refusals), TEST(test_keys_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
