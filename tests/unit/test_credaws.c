/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/store/identity/credaws.h"
#include "tests/support/scratch.h"

#define N(a) (sizeof(a) / sizeof(a)[0])
#define ROLE_ARN "arn:aws:iam::123456789012:role/traces"
#define SHARED "[default]\naws_access_key_id = AKSHARED\naws_secret_access_key = canary-shared\n"

static unsigned unwiped;

void __real_free(void *p);
void __wrap_free(void *p);

void __wrap_free(void *p)
{
    if (p && memmem(p, malloc_usable_size(p), "canary", 6))
        unwiped++;
    __real_free(p);
}

static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_CREDENTIAL_FILE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_IMDS_USE_IPV6",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_EC2_METADATA_DISABLED",
};

static char *dir; /* HOME */
static struct credaws_config config;
static struct credroute found;
static char why[480];

static void set_env(const char *name, const char *value)
{
    assert_int_equal(setenv(name, value, 1), 0);
}

static int setup(void **state)
{
    char path[512];

    (void)state;
    dir = scratch_new(NULL);
    for (size_t i = 0; i < N(variables); i++)
        assert_int_equal(unsetenv(variables[i]), 0);
    set_env("HOME", dir);
    (void)snprintf(path, sizeof(path), "%s/.aws", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    config = (struct credaws_config){0};
    credroute_init(&found);
    unwiped = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    credroute_done(&found);
    assert_int_equal(unwiped, 0);
    scratch_free(dir);
    return 0;
}

/* What is found, or the error; no text has a secret. */
static int find(void)
{
    int r;

    credroute_done(&found);
    why[0] = '\0';
    r = credaws_find(&config, &found, why, sizeof(why));
    assert_null(strstr(why, "canary"));
    assert_null(strstr(found.label, "canary"));
    assert_true(r == 0 || why[0] != '\0');
    return r;
}

static void check(const char *source, const char *secret_key)
{
    if (find() < 0)
        fail_msg("%s", why);
    assert_string_equal(found.source, source);
    assert_true(found.label[0] != '\0');
    if (secret_key)
        assert_string_equal(found.secrets.secret_key, secret_key);
    else
        assert_null(found.secrets.secret_key);
}

static void check_text(size_t step, enum credstep_text which, const char *expected)
{
    assert_true(step < found.n_steps);
    assert_string_equal(found.steps[step].texts[which] ? found.steps[step].texts[which] : "",
                        expected);
}

static const char *file(const char *name, const char *text, mode_t mode)
{
    return scratch_write(dir, name, text, strlen(text), mode);
}

static void configure(void)
{
    static char access[512], secret[512];

    (void)snprintf(access, sizeof(access), "%s", file("ak", "AKCONFIG\n", 0600));
    (void)snprintf(secret, sizeof(secret), "%s", file("sk", " canary-config \r\n", 0400));
    config.access_key_file = access;
    config.secret_key_file = secret;
}

/* Each source in the presence of all that come after it. */
static void test_order(void **state)
{
    (void)state;
    check("imds", NULL);
    set_env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/x");
    check("container", NULL);
    (void)file(".aws/credentials", SHARED, 0600);
    check("shared", "canary-shared");
    assert_non_null(strstr(found.label, ".aws/credentials (profile default)"));
    set_env("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent");
    assert_int_equal(find(), -EINVAL);
    assert_string_equal(why, "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN");
    set_env("AWS_ROLE_ARN", ROLE_ARN);
    check("web-identity", NULL);
    assert_string_equal(found.label, "web identity (role " ROLE_ARN ", region us-east-1)");
    set_env("AWS_ACCESS_KEY_ID", "AKENV");
    assert_int_equal(find(), -EINVAL);
    set_env("AWS_SECRET_ACCESS_KEY", "canary-env");
    check("environment", "canary-env");
    assert_null(found.secrets.session_token);
    set_env("AWS_SESSION_TOKEN", "tok");
    check("environment", "canary-env");
    assert_string_equal(found.secrets.session_token, "tok");
    configure();
    check("config", "canary-config");
    assert_string_equal(found.secrets.access_key, "AKCONFIG");
    assert_null(found.secrets.session_token);
    config.session_token_file = file("tok", "tok-config\n", 0600);
    check("config", "canary-config");
    assert_string_equal(found.secrets.session_token, "tok-config");
}

static void test_none(void **state)
{
    (void)state;
    set_env("AWS_EC2_METADATA_DISABLED", "true");
    assert_int_equal(find(), -ENOENT);
    set_env("AWS_EC2_METADATA_DISABLED", "false");
    set_env("AWS_ACCESS_KEY_ID", ""); /* set to nothing is not set */
    check("imds", NULL);
    assert_int_equal(unsetenv("HOME"), 0);
    check("imds", NULL);
}

static void test_config_files(void **state)
{
    (void)state;
    configure();
    config.access_key_file = NULL;
    assert_int_equal(find(), -EINVAL);
    configure();
    (void)file("ak", "AKCONFIG\n", SCRATCH_EXPOSED);
    assert_int_equal(find(), -EPERM);
    assert_non_null(strstr(why, "/ak: others may read it; chmod 0600"));
    (void)file("ak", "", 0600);
    assert_int_equal(find(), -EINVAL);
    assert_non_null(strstr(why, "empty"));
    (void)file("ak", "two words", 0600);
    assert_int_equal(find(), -EINVAL);
    (void)scratch_write(dir, "ak", "a\0canary", 8, 0600);
    assert_int_equal(find(), -EINVAL);
    assert_non_null(strstr(why, "zero byte"));
    (void)scratch_write(dir, "ak", "", 0, 0600);
    assert_int_equal(truncate(scratch_path(dir, "ak"), 40000), 0);
    assert_int_equal(find(), -E2BIG);
    assert_int_equal(unlink(scratch_path(dir, "ak")), 0);
    assert_int_equal(find(), -ENOENT);
    assert_non_null(strstr(why, "No such file"));
}

static void test_shared_files(void **state)
{
    (void)state;
    (void)file(".aws/config",
               "[default]\nregion = eu-north-1\naws_access_key_id = AKCONF\n"
               "aws_secret_access_key = canary-conf\n[profile two]\n"
               "region=sa-east-1\n",
               0600);
    check("shared", "canary-conf");
    assert_non_null(strstr(found.label, ".aws/config"));
    (void)file(".aws/credentials",
               SHARED "[two]\naws_access_key_id=AK2\n"
                      "aws_secret_access_key=canary-2\n",
               0600);
    check("shared", "canary-shared");
    set_env("AWS_PROFILE", "two");
    check("shared", "canary-2");
    assert_non_null(strstr(found.label, "(profile two)"));
    set_env("AWS_PROFILE", "three");
    assert_int_equal(find(), -EINVAL);
    assert_int_equal(unsetenv("AWS_PROFILE"), 0);
    (void)file(".aws/credentials", SHARED, SCRATCH_EXPOSED);
    assert_int_equal(find(), -EPERM);
    (void)file(".aws/credentials", "nonsense canary\n", 0600);
    assert_int_equal(find(), -EINVAL);
    /* … which does not matter to those who have their keys elsewhere. */
    set_env("AWS_ACCESS_KEY_ID", "AKENV");
    set_env("AWS_SECRET_ACCESS_KEY", "canary-env");
    check("environment", "canary-env");
}

static void test_named_files(void **state)
{
    (void)state;
    (void)file(".aws/credentials", SHARED, 0600);
    set_env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials");
    check("imds", NULL);
    set_env("AWS_SHARED_CREDENTIALS_FILE", "~/mine");
    (void)file("mine", "[default]\naws_access_key_id=AKMINE\naws_secret_access_key=canary-mine\n",
               0600);
    check("shared", "canary-mine");
    set_env("AWS_SHARED_CREDENTIALS_FILE", file("other", SHARED, 0600));
    set_env("AWS_CONFIG_FILE", dir); /* no file at all */
    assert_int_equal(find(), -EINVAL);
}

static void test_region(void **state)
{
    (void)state;
    set_env("AWS_WEB_IDENTITY_TOKEN_FILE", "/x");
    set_env("AWS_ROLE_ARN", ROLE_ARN);
    (void)file(".aws/config", "[default]\nregion = eu-north-1\n", 0644);
    check("web-identity", NULL);
    check_text(0, CREDSTEP_REGION, "eu-north-1");
    set_env("AWS_DEFAULT_REGION", "eu-west-2");
    check("web-identity", NULL);
    check_text(0, CREDSTEP_REGION, "eu-west-2");
    set_env("AWS_REGION", "eu-west-3");
    check("web-identity", NULL);
    check_text(0, CREDSTEP_REGION, "eu-west-3");
    config.region = "ap-east-1";
    check("web-identity", NULL);
    check_text(0, CREDSTEP_REGION, "ap-east-1");
}

static void test_stamp(void **state)
{
    uint64_t before, after;

    (void)state;
    before = credaws_stamp(&config);
    assert_true(before == credaws_stamp(&config));
    (void)file(".aws/credentials", SHARED, 0600);
    after = credaws_stamp(&config);
    assert_true(after != before);
    configure();
    before = credaws_stamp(&config);
    (void)file("sk", "another", 0600);
    after = credaws_stamp(&config);
    assert_true(after != before);
    (void)usleep(20000); /* a tick of the file system's clock */
    assert_int_equal(chmod(scratch_path(dir, "sk"), 0400), 0);
    assert_true(credaws_stamp(&config) != after);
    /* Renamed over, as those do who rotate keys; the same size. */
    before = credaws_stamp(&config);
    (void)file("new", "ANOTHER", 0600);
    assert_int_equal(rename(scratch_path(dir, "new"), scratch_path(dir, "sk")), 0);
    assert_true(credaws_stamp(&config) != before);
}

static void test_variables(void **state)
{
    (void)state;
    set_env("AWS_ACCESS_KEY_ID", "AK");
    set_env("AWS_SECRET_ACCESS_KEY", "canary-env");
    set_env("AWS_SECURITY_TOKEN", "old");
    set_env("AWS_CREDENTIAL_EXPIRATION", "2030-01-02T03:04:05Z");
    check("environment", "canary-env");
    assert_string_equal(found.secrets.session_token, "old");
    assert_true(found.secrets.expiry == (usec)1893553445 * USEC_PER_SEC);
    set_env("AWS_SESSION_TOKEN", "other");
    assert_int_equal(find(), -EINVAL);
    assert_non_null(strstr(why, "AWS_SECURITY_TOKEN"));
    assert_int_equal(unsetenv("AWS_SECURITY_TOKEN"), 0);
    set_env("AWS_CREDENTIAL_EXPIRATION", "soon");
    assert_int_equal(find(), -EINVAL);
    assert_non_null(strstr(why, "AWS_CREDENTIAL_EXPIRATION"));
}

static void test_imds(void **state)
{
    (void)state;
    check("imds", NULL);
    check_text(0, CREDSTEP_URL, "http://169.254.169.254");
    set_env("AWS_IMDS_USE_IPV6", "true");
    check("imds", NULL);
    check_text(0, CREDSTEP_URL, "http://[fd00:ec2::254]");
    set_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv4");
    check("imds", NULL);
    check_text(0, CREDSTEP_URL, "http://169.254.169.254");
    (void)file(".aws/config", "[default]\nec2_metadata_service_endpoint = http://127.0.0.9:1/\n",
               0644);
    check("imds", NULL);
    check_text(0, CREDSTEP_URL, "http://127.0.0.9:1");
    set_env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.8");
    check("imds", NULL);
    check_text(0, CREDSTEP_URL, "http://127.0.0.8");
    assert_int_equal(unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"), 0);
    (void)file(".aws/config", "[default]\n", 0644);
    set_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5");
    assert_int_equal(find(), -EINVAL);
    set_env("AWS_EC2_METADATA_DISABLED", "1");
    assert_int_equal(find(), -EINVAL);
    assert_non_null(strstr(why, "AWS_EC2_METADATA_DISABLED is neither true nor false"));
    set_env("AWS_EC2_METADATA_DISABLED", "TRUE");
    assert_int_equal(find(), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_order),        TEST(test_none),        TEST(test_config_files),
        TEST(test_shared_files), TEST(test_named_files), TEST(test_region),
        TEST(test_stamp),        TEST(test_variables),   TEST(test_imds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
