/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/credential/partition.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define REGION_MAX 63

static const struct partition {
    const char *begin;     /* of its regions' names */
    const char *domain;    /* of services */
    const char *dualstack; /* of services' hosts with IPv6; S3's are in `domain` */
    bool no_s3_fips;
    bool is_fips; /* the usual hosts of services other than S3 have FIPS already */
} partitions[] = {
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", true, false},
    {"us-gov-", "amazonaws.com", "api.aws", false, true},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov", false, false},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud", false, false},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", false, false},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", false, false},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu", false, false},
    {"", "amazonaws.com", "api.aws", false, false}, /* all others */
};

static int find(const char *region, const struct partition **ret)
{
    size_t n = strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-");
    const struct partition *p = partitions;

    if (n == 0 || n > REGION_MAX || region[n] != '\0' || region[0] == '-' || region[n - 1] == '-')
        return -EINVAL;
    while (strncmp(region, p->begin, strlen(p->begin)) != 0)
        p++;
    *ret = p;
    return 0;
}

int partition_s3_host(const char *region, unsigned wishes, char out[static PARTITION_HOST_SIZE])
{
    const struct partition *p;
    int r = find(region, &p);

    if (r < 0)
        return r;
    if ((wishes & PARTITION_FIPS) && p->no_s3_fips)
        return -EOPNOTSUPP;
    (void)snprintf(out, PARTITION_HOST_SIZE, "s3%s%s.%s.%s", wishes & PARTITION_FIPS ? "-fips" : "",
                   wishes & PARTITION_DUALSTACK ? ".dualstack" : "", region, p->domain);
    return 0;
}

int partition_host(const char *service, const char *region, unsigned wishes,
                   char out[static PARTITION_HOST_SIZE])
{
    bool dualstack = wishes & PARTITION_DUALSTACK, fips = wishes & PARTITION_FIPS;
    const struct partition *p;
    int r = find(region, &p);

    if (r < 0)
        return r;
    fips = fips && (dualstack || !p->is_fips);
    (void)snprintf(out, PARTITION_HOST_SIZE, "%s%s.%s.%s", service, fips ? "-fips" : "", region,
                   dualstack ? p->dualstack : p->domain);
    return 0;
}
