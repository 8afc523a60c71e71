/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "lib/store/credential/partition.h"

#define N(a) (sizeof(a) / sizeof(a)[0])
#define D PARTITION_DUALSTACK
#define F PARTITION_FIPS

/* What botocore 1.44 makes of each. */
static void test_hosts(void **state)
{
    static const struct {
        const char *region;
        unsigned wishes;
        const char *s3, *sts; /* NULL: there is none */
    } cases[] = {
        {"eu-west-1", 0, "s3.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com"},
        {"eu-west-1", F, "s3-fips.eu-west-1.amazonaws.com", "sts-fips.eu-west-1.amazonaws.com"},
        {"eu-west-1", D, "s3.dualstack.eu-west-1.amazonaws.com", "sts.eu-west-1.api.aws"},
        {"eu-west-1", D | F, "s3-fips.dualstack.eu-west-1.amazonaws.com",
         "sts-fips.eu-west-1.api.aws"},
        {"us-east-1", 0, "s3.us-east-1.amazonaws.com", "sts.us-east-1.amazonaws.com"},
        {"us-east-1", F, "s3-fips.us-east-1.amazonaws.com", "sts-fips.us-east-1.amazonaws.com"},
        {"us-east-1", D, "s3.dualstack.us-east-1.amazonaws.com", "sts.us-east-1.api.aws"},
        {"us-east-1", D | F, "s3-fips.dualstack.us-east-1.amazonaws.com",
         "sts-fips.us-east-1.api.aws"},
        {"cn-north-1", 0, "s3.cn-north-1.amazonaws.com.cn", "sts.cn-north-1.amazonaws.com.cn"},
        {"cn-north-1", F, NULL, "sts-fips.cn-north-1.amazonaws.com.cn"},
        {"cn-north-1", D, "s3.dualstack.cn-north-1.amazonaws.com.cn",
         "sts.cn-north-1.api.amazonwebservices.com.cn"},
        {"cn-north-1", D | F, NULL, "sts-fips.cn-north-1.api.amazonwebservices.com.cn"},
        {"us-gov-west-1", 0, "s3.us-gov-west-1.amazonaws.com", "sts.us-gov-west-1.amazonaws.com"},
        {"us-gov-west-1", F, "s3-fips.us-gov-west-1.amazonaws.com",
         "sts.us-gov-west-1.amazonaws.com"},
        {"us-gov-west-1", D, "s3.dualstack.us-gov-west-1.amazonaws.com",
         "sts.us-gov-west-1.api.aws"},
        {"us-gov-west-1", D | F, "s3-fips.dualstack.us-gov-west-1.amazonaws.com",
         "sts-fips.us-gov-west-1.api.aws"},
        {"us-iso-east-1", 0, "s3.us-iso-east-1.c2s.ic.gov", "sts.us-iso-east-1.c2s.ic.gov"},
        {"us-iso-east-1", F, "s3-fips.us-iso-east-1.c2s.ic.gov",
         "sts-fips.us-iso-east-1.c2s.ic.gov"},
        {"us-iso-east-1", D, "s3.dualstack.us-iso-east-1.c2s.ic.gov",
         "sts.us-iso-east-1.api.aws.ic.gov"},
        {"us-iso-east-1", D | F, "s3-fips.dualstack.us-iso-east-1.c2s.ic.gov",
         "sts-fips.us-iso-east-1.api.aws.ic.gov"},
        {"us-isob-east-1", 0, "s3.us-isob-east-1.sc2s.sgov.gov",
         "sts.us-isob-east-1.sc2s.sgov.gov"},
        {"us-isob-east-1", F, "s3-fips.us-isob-east-1.sc2s.sgov.gov",
         "sts-fips.us-isob-east-1.sc2s.sgov.gov"},
        {"us-isob-east-1", D, "s3.dualstack.us-isob-east-1.sc2s.sgov.gov",
         "sts.us-isob-east-1.api.aws.scloud"},
        {"us-isob-east-1", D | F, "s3-fips.dualstack.us-isob-east-1.sc2s.sgov.gov",
         "sts-fips.us-isob-east-1.api.aws.scloud"},
        {"us-isof-south-1", 0, "s3.us-isof-south-1.csp.hci.ic.gov",
         "sts.us-isof-south-1.csp.hci.ic.gov"},
        {"us-isof-south-1", F, "s3-fips.us-isof-south-1.csp.hci.ic.gov",
         "sts-fips.us-isof-south-1.csp.hci.ic.gov"},
        {"us-isof-south-1", D, "s3.dualstack.us-isof-south-1.csp.hci.ic.gov",
         "sts.us-isof-south-1.api.aws.hci.ic.gov"},
        {"us-isof-south-1", D | F, "s3-fips.dualstack.us-isof-south-1.csp.hci.ic.gov",
         "sts-fips.us-isof-south-1.api.aws.hci.ic.gov"},
        {"eu-isoe-west-1", 0, "s3.eu-isoe-west-1.cloud.adc-e.uk",
         "sts.eu-isoe-west-1.cloud.adc-e.uk"},
        {"eu-isoe-west-1", F, "s3-fips.eu-isoe-west-1.cloud.adc-e.uk",
         "sts-fips.eu-isoe-west-1.cloud.adc-e.uk"},
        {"eu-isoe-west-1", D, "s3.dualstack.eu-isoe-west-1.cloud.adc-e.uk",
         "sts.eu-isoe-west-1.api.cloud-aws.adc-e.uk"},
        {"eu-isoe-west-1", D | F, "s3-fips.dualstack.eu-isoe-west-1.cloud.adc-e.uk",
         "sts-fips.eu-isoe-west-1.api.cloud-aws.adc-e.uk"},
        {"eusc-de-east-1", 0, "s3.eusc-de-east-1.amazonaws.eu", "sts.eusc-de-east-1.amazonaws.eu"},
        {"eusc-de-east-1", F, "s3-fips.eusc-de-east-1.amazonaws.eu",
         "sts-fips.eusc-de-east-1.amazonaws.eu"},
        {"eusc-de-east-1", D, "s3.dualstack.eusc-de-east-1.amazonaws.eu",
         "sts.eusc-de-east-1.api.amazonwebservices.eu"},
        {"eusc-de-east-1", D | F, "s3-fips.dualstack.eusc-de-east-1.amazonaws.eu",
         "sts-fips.eusc-de-east-1.api.amazonwebservices.eu"},
        {"mx-central-1", 0, "s3.mx-central-1.amazonaws.com", "sts.mx-central-1.amazonaws.com"},
        {"mx-central-1", F, "s3-fips.mx-central-1.amazonaws.com",
         "sts-fips.mx-central-1.amazonaws.com"},
        {"mx-central-1", D, "s3.dualstack.mx-central-1.amazonaws.com", "sts.mx-central-1.api.aws"},
        {"mx-central-1", D | F, "s3-fips.dualstack.mx-central-1.amazonaws.com",
         "sts-fips.mx-central-1.api.aws"},
    };

    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        char host[PARTITION_HOST_SIZE];
        int r = partition_s3_host(cases[i].region, cases[i].wishes, host);

        assert_int_equal(r, cases[i].s3 ? 0 : -EOPNOTSUPP);
        if (r == 0)
            assert_string_equal(host, cases[i].s3);
        assert_int_equal(partition_host("sts", cases[i].region, cases[i].wishes, host), 0);
        assert_string_equal(host, cases[i].sts);
    }
}

/* The region becomes a part of a host that is trusted. */
static void test_no_regions(void **state)
{
    static const char *const regions[] = {"", "-a", "a-", "a.evil", "a/x", "EU", "a b", "a@b"};
    char host[PARTITION_HOST_SIZE];

    (void)state;
    for (size_t i = 0; i < N(regions); i++) {
        assert_int_equal(partition_s3_host(regions[i], 0, host), -EINVAL);
        assert_int_equal(partition_host("sts", regions[i], 0, host), -EINVAL);
    }
}

static void test_portal(void **state)
{
    char host[PARTITION_HOST_SIZE];

    (void)state;
    assert_int_equal(partition_host("portal.sso", "eu-west-1", 0, host), 0);
    assert_string_equal(host, "portal.sso.eu-west-1.amazonaws.com");
    assert_int_equal(partition_host("portal.sso", "eu-west-1", F | D, host), 0);
    assert_string_equal(host, "portal.sso-fips.eu-west-1.api.aws");
    assert_int_equal(partition_host("portal.sso", "us-gov-west-1", F, host), 0);
    assert_string_equal(host, "portal.sso.us-gov-west-1.amazonaws.com");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_no_regions),
        cmocka_unit_test(test_portal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
