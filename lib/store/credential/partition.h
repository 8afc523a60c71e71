/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The partitions of AWS: which domain a region's services are in. Each is a world of its own, and a
 * region's name begins with the partition's.
 *
 * Source: the endpoint rule sets of S3 and STS and partitions.json, which all SDKs of AWS share
 * (boto/botocore, botocore/data).
 */

#define PARTITION_HOST_SIZE 128

/* Which of a service's hosts, beside its usual one. */
enum {
    PARTITION_DUALSTACK = 1 << 0, /* with IPv6 */
    PARTITION_FIPS = 1 << 1,
};

/*
 * "s3.eu-west-1.amazonaws.com". -EINVAL for what can't be a region's name; -EOPNOTSUPP where the
 * partition has no such host, which is FIPS's in China.
 */
int partition_s3_host(const char *region, unsigned wishes, char out[static PARTITION_HOST_SIZE]);

/* The same for a service that has all: "sts", or "portal.sso" of IAM Identity Center. */
int partition_host(const char *service, const char *region, unsigned wishes,
                   char out[static PARTITION_HOST_SIZE]);
