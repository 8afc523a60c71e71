/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What AWS's tools would know of S3 here without being told: the endpoint, the region, and how hosts
 * are named, from the environment and the profile. The configuration's own keys go before all of it.
 */

#include <stdbool.h>

#include "lib/config/config.h"
#include "lib/store/identity/awsprofile.h"

struct s3settings {
    char endpoint[AWS_ENDPOINT_SIZE]; /* "" for none, as the others */
    char region[64];
    char region_from[AWSPROFILE_WHERE_SIZE]; /* what says so */
    char ca_file[PATH_MAX];
    unsigned wishes; /* PARTITION_… */
    enum upload_addressing addressing;
};

/* 0, or a negative errno with a text. */
int s3settings_load(const struct upload_config *u, struct s3settings *ret, char *why,
                    size_t why_size);
