/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The partitions of AWS: the DNS domain of a region's services. Partitions share nothing; a
 * region's name starts with its partition's prefix. Source: the endpoint rule sets of S3 and STS
 * and partitions.json, which all SDKs of AWS share (boto/botocore, botocore/data).
 */

#define PARTITION_HOST_SIZE 128

/* Variants of a service's host. */
enum {
    PARTITION_DUALSTACK = 1 << 0, /* with IPv6 */
    PARTITION_FIPS = 1 << 1,
};

/*
 * "s3.eu-west-1.amazonaws.com". -EINVAL for what can't be a region's name; -EOPNOTSUPP where the
 * partition has no such host, which is FIPS's in China.
 */
int partition_s3_host(const char *region, unsigned wishes, char out[static PARTITION_HOST_SIZE]);

/* The same for a service that has all variants: "sts", or "portal.sso" of IAM Identity Center. */
int partition_host(const char *service, const char *region, unsigned wishes,
                   char out[static PARTITION_HOST_SIZE]);
