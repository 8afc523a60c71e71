/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Settings of S3 that AWS's tools find in the environment and the profile: endpoint, region, and
 * how hosts are named. The configuration's own keys take precedence.
 */

#include <stdbool.h>

#include "lib/config/config.h"
#include "lib/store/identity/awsprofile.h"

struct s3settings {
    char endpoint[AWS_ENDPOINT_SIZE]; /* "" for none, as for the others */
    char region[64];
    char region_from[AWSPROFILE_WHERE_SIZE]; /* what says so */
    char ca_file[PATH_MAX];
    unsigned wishes; /* PARTITION_… */
    enum upload_addressing addressing;
};

/* 0, or a negative errno with a text. */
int s3settings_load(const struct upload_config *u, struct s3settings *ret, char *why,
                    size_t why_size);
