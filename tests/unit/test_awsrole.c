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
#include <unistd.h>

#include "lib/store/identity/credaws.h"
#include "tests/support/scratch.h"

#define N(a) (sizeof(a) / sizeof(a)[0])
#define ROLE_A "arn:aws:iam::111122223333:role/a"
#define ROLE_B "arn:aws:iam::111122223333:role/b"
#define KEYS "aws_access_key_id = AKBASE\naws_secret_access_key = canary-base\n"

static char *dir; /* HOME */

static int setup(void **state)
{
    static const char *const kept[] = {"PATH", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "TMPDIR"};
    char *values[N(kept)], path[512];

    (void)state;
    for (size_t i = 0; i < N(kept); i++)
        values[i] = getenv(kept[i]);
    assert_int_equal(clearenv(), 0);
    for (size_t i = 0; i < N(kept); i++) {
        if (values[i])
            assert_int_equal(setenv(kept[i], values[i], 1), 0);
    }
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

static int find(struct credroute *ret, char why[static 480])
{
    static const struct credaws_config none;
    int r;

    credroute_init(ret);
    why[0] = '\0';
    r = credaws_find(&none, ret, why, 480);
    assert_null(strstr(why, "canary"));
    assert_null(strstr(ret->label, "canary"));
    assert_true((r < 0) == (why[0] != '\0'));
    return r;
}

static void write_config(const char *text)
{
    (void)scratch_write(dir, ".aws/config", text, strlen(text), 0600);
}

static const char *const services[] = {
    [CREDSERVICE_CONTAINER] = "container",
    [CREDSERVICE_IMDS] = "imds",
    [CREDSERVICE_WEB_IDENTITY] = "web",
    [CREDSERVICE_ROLE] = "role",
    [CREDSERVICE_SSO] = "sso",
    [CREDSERVICE_PROCESS] = "process",
};

/* "AKBASE role:URL": the key that there is to begin with, and the steps. */
static void describe(const struct credroute *r, char *out, size_t size)
{
    (void)snprintf(out, size, "%s", r->secrets.access_key ? r->secrets.access_key : "-");
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct credstep *s = &r->steps[i];
        const char *role = s->texts[CREDSTEP_ROLE];
        size_t n = strlen(out);

        (void)snprintf(out + n, size - n, " %s%s%s", services[s->service], role ? ":" : "",
                       role ? strrchr(role, '/') ? strrchr(role, '/') + 1 : role : "");
    }
}

static void test_ways(void **state)
{
    static const struct {
        const char *config, *way, *source;
    } rows[] = {
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=b\n[profile b]\n" KEYS, "AKBASE role:a",
         "role"},
        /* The role of a profile that has keys, too, by itself. */
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=default\n" KEYS, "AKBASE role:a", "role"},
        /* A chain. */
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=b\n"
         "[profile b]\nrole_arn=" ROLE_B "\nsource_profile=c\n[profile c]\n" KEYS,
         "AKBASE role:b role:a", "role"},
        /* Keys of a source go before its own role. */
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=b\n"
         "[profile b]\nrole_arn=" ROLE_B "\nsource_profile=c\n" KEYS,
         "AKBASE role:a", "role"},
        {"[default]\nrole_arn=" ROLE_A "\ncredential_source=Ec2InstanceMetadata\n", "- imds role:a",
         "role"},
        {"[default]\nrole_arn=" ROLE_A "\nweb_identity_token_file=/t\n", "- web:a", "web-identity"},
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=b\n"
         "[profile b]\nrole_arn=" ROLE_B "\nweb_identity_token_file=~/t\n",
         "- web:b role:a", "role"},
        {"[default]\ncredential_process=/bin/x 'a b'\n", "- process", "process"},
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=b\n"
         "[profile b]\ncredential_process=x\n",
         "- process role:a", "role"},
        /* … which goes before keys in the same file. */
        {"[default]\ncredential_process=x\n" KEYS, "- process", "process"},
        {"[default]\nsso_start_url=https://x/start\nsso_region=eu-west-1\nsso_account_id=1\n"
         "sso_role_name=r\n",
         "- sso:r", "sso"},
        {"[default]\nsso_session=s\nsso_account_id=1\nsso_role_name=r\n"
         "[sso-session s]\nsso_start_url=https://x\nsso_region=eu-west-1\n",
         "- sso:r", "sso"},
        {"[default]\n" KEYS, "AKBASE", "shared"},
    };

    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct credroute r;
        char why[480], way[256];

        write_config(rows[i].config);
        if (find(&r, why) < 0)
            fail_msg("%zu: %s", i, why);
        describe(&r, way, sizeof(way));
        assert_string_equal(way, rows[i].way);
        assert_string_equal(r.source, rows[i].source);
        assert_true(r.from_files);
        credroute_done(&r);
    }
}

/* What is not supported, or there by half, is named; nobody else's identity is used. */
static void test_refusals(void **state)
{
    static const struct {
        const char *config, *why;
    } rows[] = {
        {"[default]\nrole_arn=" ROLE_A "\n", "role_arn without source_profile, credential_source"},
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=x\n", "source_profile x does not exist"},
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=x\ncredential_source=Environment\n",
         "both source_profile and credential_source"},
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=default\n", "leads back to itself"},
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=b\n"
         "[profile b]\nrole_arn=" ROLE_B "\nsource_profile=default\n",
         "source_profile default leads back to itself"},
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=b\n"
         "[profile b]\nrole_arn=" ROLE_B "\nsource_profile=b\n",
         "leads back to itself"},
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=b\n[profile b]\nregion=x\n",
         "source_profile b has no keys"},
        {"[default]\nrole_arn=" ROLE_A "\ncredential_source=Wherever\n",
         "credential_source must be EcsContainer or Ec2InstanceMetadata"},
        {"[default]\nrole_arn=" ROLE_A "\ncredential_source=Environment\n",
         "credential_source Environment, which cannot take effect"},
        {"[default]\nrole_arn=" ROLE_A "\ncredential_source=EcsContainer\n",
         "no AWS_CONTAINER_CREDENTIALS_ variable"},
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=b\nmfa_serial=m\n[profile b]\n" KEYS,
         "has mfa_serial"},
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=b\nduration_seconds=10\n"
         "[profile b]\n" KEYS,
         "duration_seconds is not a number from 900 to 43200"},
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=b\nrole_session_name=a b\n"
         "[profile b]\n" KEYS,
         "role_session_name"},
        {"[default]\nrole_arn=short\nsource_profile=b\n[profile b]\n" KEYS, "role_arn is not"},
        {"[default]\nweb_identity_token_file=/t\n", "set without role_arn"},
        {"[default]\nsso_account_id=1\nsso_role_name=r\n", "has no sso_start_url"},
        {"[default]\nsso_account_id=1\nsso_start_url=u\nsso_region=r\n", "has no sso_role_name"},
        {"[default]\nsso_session=s\nsso_account_id=1\nsso_role_name=r\n", "no sso-session s"},
        {"[default]\nsso_session=s\nsso_region=a\nsso_account_id=1\nsso_role_name=r\n"
         "[sso-session s]\nsso_region=b\nsso_start_url=u\n",
         "different sso_region"},
        {"[default]\nlogin_session=arn\n", "login_session, which is not supported"},
        {"[default]\nsource_profile=b\n[profile b]\n" KEYS,
         "profile default has source_profile, but no role_arn"},
        {"[default]\nsso_session=s\n",
         "profile default has sso_session, but no sso_account_id and sso_role_name"},
    };

    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct credroute r;
        char why[480];

        write_config(rows[i].config);
        assert_true(find(&r, why) < 0);
        if (!strstr(why, rows[i].why))
            fail_msg("%zu: %s", i, why);
        assert_null(r.secrets.access_key);
        assert_int_equal(r.n_steps, 0);
    }
}

static void test_long_chain(void **state)
{
    struct credroute r;
    char text[4096] = "[default]\nrole_arn=" ROLE_A "\nsource_profile=p0\n", why[480];

    (void)state;
    for (int i = 0; i < 12; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
                       "[profile p%d]\nrole_arn=" ROLE_B "\nsource_profile=p%d\n", i, i + 1);
    write_config(text);
    assert_int_equal(find(&r, why), -ELOOP);
    assert_non_null(strstr(why, "more than 6 profiles in a row"));
}

static void check_text(const struct credroute *r, size_t step, enum credstep_text which,
                       const char *expected)
{
    assert_true(step < r->n_steps);
    assert_string_equal(r->steps[step].texts[which] ? r->steps[step].texts[which] : "", expected);
}

static void test_details(void **state)
{
    struct credroute r;
    char why[480], path[600];

    (void)state;
    write_config("[default]\nrole_arn=" ROLE_A "\nsource_profile=b\nexternal_id=x:y/z\n"
                 "role_session_name=me\nduration_seconds=3600\nregion=eu-north-1\n"
                 "[profile b]\nregion=no\n" KEYS);
    assert_int_equal(find(&r, why), 0);
    check_text(&r, 0, CREDSTEP_URL, "https://sts.eu-north-1.amazonaws.com/");
    check_text(&r, 0, CREDSTEP_REGION, "eu-north-1");
    check_text(&r, 0, CREDSTEP_SESSION, "me");
    check_text(&r, 0, CREDSTEP_EXTERNAL_ID, "x:y/z");
    check_text(&r, 0, CREDSTEP_DURATION, "3600");
    assert_non_null(
        strstr(r.label, "the role " ROLE_A " (profile default), assumed by the shared"));
    assert_non_null(strstr(r.label, "(profile b)"));
    credroute_done(&r);
    /* The file is named by the SHA-1 of the session's name. */
    write_config("[default]\nsso_session=my\nsso_account_id=1\nsso_role_name=r\n"
                 "[sso-session my]\nsso_start_url=https://x\nsso_region=eu-west-1\n");
    assert_int_equal(find(&r, why), 0);
    (void)snprintf(path, sizeof(path), "%s/.aws/sso/cache/%s.json", dir,
                   "3ece1471f44f63177cbc35ba0b904e0c096b6783");
    check_text(&r, 0, CREDSTEP_FILE, path);
    check_text(&r, 0, CREDSTEP_URL, "https://portal.sso.eu-west-1.amazonaws.com/");
    check_text(&r, 0, CREDSTEP_ACCOUNT, "1");
    credroute_done(&r);
}

/* Where STS is asked: of the environment, of the profile, of the region. */
static void test_endpoints(void **state)
{
#define PROFILE "[default]\nrole_arn=" ROLE_A "\nweb_identity_token_file=/t\nregion=eu-west-1\n"
    static const struct {
        const char *extra, *variable, *value, *url;
    } rows[] = {
        {"", "", "", "https://sts.eu-west-1.amazonaws.com/"},
        {"", "AWS_REGION", "cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn/"},
        {"", "AWS_USE_FIPS_ENDPOINT", "true", "https://sts-fips.eu-west-1.amazonaws.com/"},
        {"", "AWS_USE_DUALSTACK_ENDPOINT", "TRUE", "https://sts.eu-west-1.api.aws/"},
        {"use_fips_endpoint=true\n", "", "", "https://sts-fips.eu-west-1.amazonaws.com/"},
        {"use_fips_endpoint=true\n", "AWS_USE_FIPS_ENDPOINT", "false",
         "https://sts.eu-west-1.amazonaws.com/"},
        {"", "AWS_STS_REGIONAL_ENDPOINTS", "legacy", "https://sts.amazonaws.com/"},
        {"sts_regional_endpoints=legacy\n", "", "", "https://sts.amazonaws.com/"},
        {"sts_regional_endpoints=legacy\n", "AWS_REGION", "eu-south-1",
         "https://sts.eu-south-1.amazonaws.com/"},
        {"", "AWS_ENDPOINT_URL_STS", "https://a.example/", "https://a.example/"},
        {"", "AWS_ENDPOINT_URL", "https://b.example", "https://b.example/"},
        {"endpoint_url=https://c.example\n", "", "", "https://c.example/"},
        {"endpoint_url=https://c.example\n", "AWS_ENDPOINT_URL", "https://b.example",
         "https://b.example/"},
        {"endpoint_url=https://c.example\nservices=s\n[services s]\nsts =\n"
         "  endpoint_url = https://d.example\ns3=\n  endpoint_url=https://e.example\n",
         "", "", "https://d.example/"},
        {"endpoint_url=https://c.example\nservices=s\n[services s]\ns3 =\n"
         "  endpoint_url = https://e.example\n",
         "", "", "https://c.example/"},
        {"endpoint_url=https://c.example\n", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true",
         "https://sts.eu-west-1.amazonaws.com/"},
        {"ignore_configured_endpoint_urls=true\n", "AWS_ENDPOINT_URL_STS", "https://a.example",
         "https://sts.eu-west-1.amazonaws.com/"},
        {"services=none\n", "", "", NULL},
        {"", "AWS_USE_FIPS_ENDPOINT", "yes", NULL},
        {"", "AWS_STS_REGIONAL_ENDPOINTS", "global", NULL},
        {"", "AWS_ENDPOINT_URL", "ftp://x", NULL},
        {"", "AWS_ENDPOINT_URL", "https://me:canary@x", NULL},
        {"", "AWS_REGION", "a.evil", NULL},
        /* The token would go in clear, and the keys come so. */
        {"", "AWS_ENDPOINT_URL_STS", "http://sts.corp.example:15002", NULL},
        {"", "AWS_ENDPOINT_URL", "http://minio:9000", NULL},
        {"endpoint_url=http://c.example\n", "", "", NULL},
        {"services=s\n[services s]\nsts =\n  endpoint_url = http://d.example\n", "", "", NULL},
        {"", "AWS_ENDPOINT_URL_STS", "http://[::1]:15002", "http://[::1]:15002/"},
    };

    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct credroute r;
        char why[480], text[1024];
        int e;

        (void)snprintf(text, sizeof(text), PROFILE "%s", rows[i].extra);
        write_config(text);
        if (rows[i].variable[0])
            assert_int_equal(setenv(rows[i].variable, rows[i].value, 1), 0);
        e = find(&r, why);
        if ((e < 0) != (rows[i].url == NULL))
            fail_msg("%zu: %s", i, why);
        if (e == 0)
            check_text(&r, 0, CREDSTEP_URL, rows[i].url);
        credroute_done(&r);
        if (rows[i].variable[0])
            assert_int_equal(unsetenv(rows[i].variable), 0);
    }
}

/* Whoever is told a secret over http is refused by the name of what says so. */
static void test_open_endpoints(void **state)
{
    static const struct {
        const char *config, *variable, *url, *why;
    } rows[] = {
        {"[default]\nrole_arn=" ROLE_A "\nweb_identity_token_file=/t\n", "AWS_ENDPOINT_URL_STS",
         "http://sts.corp.example:15002",
         "AWS_ENDPOINT_URL_STS, by which STS is asked, must be https://"},
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=b\n[profile b]\n" KEYS, "AWS_ENDPOINT_URL",
         "http://minio:9000", "AWS_ENDPOINT_URL, by which STS is asked, must be https://"},
        {"[default]\nsso_start_url=https://x/start\nsso_region=eu-west-1\nsso_account_id=1\n"
         "sso_role_name=r\n",
         "AWS_ENDPOINT_URL_SSO", "http://portal.example",
         "AWS_ENDPOINT_URL_SSO, by which IAM Identity Center is asked, must be https://"},
        {"[default]\n", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://imds.example",
         "AWS_EC2_METADATA_SERVICE_ENDPOINT must be https://"},
        {"[default]\nec2_metadata_service_endpoint=http://imds.example\n", "AWS_X", "",
         ".aws/config) must be https://"},
        {"[default]\n", "AWS_EC2_METADATA_DISABLED", "1",
         "AWS_EC2_METADATA_DISABLED is neither true nor false"},
    };

    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct credroute r;
        char why[480];

        write_config(rows[i].config);
        assert_int_equal(setenv(rows[i].variable, rows[i].url, 1), 0);
        assert_true(find(&r, why) < 0);
        if (!strstr(why, rows[i].why))
            fail_msg("%zu: %s", i, why);
        assert_int_equal(unsetenv(rows[i].variable), 0);
        credroute_done(&r);
    }
}

/* As in botocore: keys of the environment go before a profile that the environment names. */
static void test_lost_role(void **state)
{
    static const struct {
        const char *config, *profile;
        bool remark;
    } rows[] = {
        {"[profile a]\nrole_arn=" ROLE_A "\ncredential_source=Environment\n", "a", true},
        {"[profile a]\nrole_arn=" ROLE_A "\nsource_profile=b\n[profile b]\n" KEYS, "a", true},
        {"[profile a]\n" KEYS, "a", false},
        {"[default]\nrole_arn=" ROLE_A "\nsource_profile=b\n", "", false},
    };

    (void)state;
    assert_int_equal(setenv("AWS_ACCESS_KEY_ID", "AKENV", 1), 0);
    assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "canary-env", 1), 0);
    for (size_t i = 0; i < N(rows); i++) {
        struct credroute r;
        char why[480];

        write_config(rows[i].config);
        assert_int_equal(setenv("AWS_PROFILE", rows[i].profile, 1), 0);
        assert_int_equal(find(&r, why), 0);
        assert_string_equal(r.source, "environment");
        assert_int_equal(r.n_steps, 0);
        assert_true((strstr(r.remark, "the role of profile a") != NULL) == rows[i].remark);
        credroute_done(&r);
    }
}

static void test_names_of_profiles(void **state)
{
    struct credroute r;
    char why[480];

    (void)state;
    write_config("[default]\nregion=x\n[profile a]\n" KEYS "[profile b]\nregion=r\n");
    assert_int_equal(setenv("AWS_DEFAULT_PROFILE", "a", 1), 0);
    assert_int_equal(find(&r, why), 0);
    assert_string_equal(r.secrets.access_key, "AKBASE");
    credroute_done(&r);
    assert_int_equal(setenv("AWS_PROFILE", "b", 1), 0);
    assert_int_equal(find(&r, why), -EINVAL);
    assert_non_null(strstr(why, "name different profiles"));
    assert_int_equal(unsetenv("AWS_DEFAULT_PROFILE"), 0);
    assert_int_equal(find(&r, why), -EINVAL);
    assert_non_null(strstr(why, "AWS_PROFILE names a profile (b) that has no keys"));
    assert_int_equal(setenv("AWS_PROFILE", "z", 1), 0);
    assert_int_equal(find(&r, why), -EINVAL);
    assert_non_null(strstr(why, "z, which is in none of the shared files"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        TEST(test_ways),           TEST(test_refusals),  TEST(test_long_chain),
        TEST(test_details),        TEST(test_endpoints), TEST(test_names_of_profiles),
        TEST(test_open_endpoints), TEST(test_lost_role),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
