/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Profiles of AWS's shared files: the one that this process uses, and those that it refers to,
 * merged from both files. And settings of SDKs, read from the environment, else from that profile.
 * Every call reads again.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/store/credential/credfile.h"

#define AWSPROFILE_NAME_SIZE 257
#define AWS_ENDPOINT_SIZE 1025

struct awsprofile {
    char name[AWSPROFILE_NAME_SIZE];
    bool named;          /* AWS_PROFILE or AWS_DEFAULT_PROFILE names it */
    bool found;          /* in either file */
    bool from_file;      /* its keys are from the credentials file, not the config file */
    char path[PATH_MAX]; /* of the file with the keys */
    bool in_credentials[CREDFILE_KEYS]; /* which of the values are from the credentials file */
    struct credfile_profile p;
};

/* Wipes. */
void awsprofile_done(struct awsprofile *a);

/*
 * Loads the profile of this name; NULL: the one that the environment names, else default. A profile
 * that does not exist is no error: `found` is false then. `settings_only` as in credfile.h. 0, or a
 * negative errno with a text.
 */
int awsprofile_load(const char *name, bool settings_only, struct awsprofile *ret, char *why,
                    size_t why_size);

/*
 * Loads a section of the config file that is not a profile. 0, -ENOENT or another negative errno,
 * with a text.
 */
int awsprofile_section(enum credfile_section section, const char *name,
                       struct credfile_profile *ret, char *why, size_t why_size);

/* The paths of credentials and config file; "" if one needs HOME, which is not set. */
void awsprofile_paths(char ret[2][PATH_MAX]);

/* Expands "~/" at the start of a path. 0, -ENOENT without HOME, or -ENAMETOOLONG. */
int awsprofile_expand(const char *path, char ret[PATH_MAX]);

/* Checks and copies an endpoint: http or https, without user and query; slashes at its end are cut.
 * 0, or -EINVAL with a text about `where`. */
int awsprofile_url(const char *url, const char *where, char ret[AWS_ENDPOINT_SIZE], char *why,
                   size_t why_size);

enum aws_setting {
    AWS_REGION,
    AWS_CA_BUNDLE,
    AWS_USE_FIPS,
    AWS_USE_DUALSTACK,
    AWS_STS_REGIONAL,
    AWS_IMDS_ENDPOINT,
    AWS_IMDS_MODE,
    AWS_IMDS_DISABLED,
    AWS_IMDS_V6,
    AWS_S3_ADDRESSING,
    AWS_S3_ACCELERATE,
    AWS_S3_DUALSTACK,
    AWS_IGNORE_ENDPOINTS,
};

/* A setting of the environment, else of the profile. Borrowed, or NULL. */
const char *awsprofile_setting(const struct awsprofile *a, enum aws_setting s);

#define AWSPROFILE_WHERE_SIZE 256

/* Where a setting came from: "AWS_REGION", or "region (profile prod, /root/.aws/config)". */
void awsprofile_where(const struct awsprofile *a, enum aws_setting s,
                      char out[static AWSPROFILE_WHERE_SIZE]);

/* Reads a setting that is "true" or "false". 0, or -EINVAL with a text that names it. */
int awsprofile_flag(const struct awsprofile *a, enum aws_setting s, bool *ret, char *why,
                    size_t why_size);

/* Which variant of Amazon's hosts is wanted: PARTITION_…. Errors as awsprofile_flag. */
int awsprofile_wishes(const struct awsprofile *a, unsigned *ret, char *why, size_t why_size);

enum aws_service {
    AWS_SERVICE_S3,
    AWS_SERVICE_STS,
    AWS_SERVICE_SSO,
};

/*
 * The endpoint that is configured for a service, without a slash at its end; "" if there is none.
 * All services but S3 receive secrets or return keys: their endpoints must be https, or this
 * machine. 0, or a negative errno with a text.
 */
int awsprofile_endpoint(const struct awsprofile *a, enum aws_service service,
                        char ret[AWS_ENDPOINT_SIZE], char *why, size_t why_size);
