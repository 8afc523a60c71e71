/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads keys and settings of one section of AWS's shared files, ~/.aws/credentials and
 * ~/.aws/config. Follows AWS's "Shared config and credentials file format"; where botocore reads
 * differently, both forms are accepted. No message quotes the content of a file.
 */

#include <stdbool.h>
#include <stddef.h>

#include "lib/store/credential/secret.h"

#define CREDFILE_MAX (256u << 10) /* bytes of a file */

enum credfile_kind {
    CREDFILE_CREDENTIALS, /* [name]; always a secret */
    CREDFILE_CONFIG,      /* [default] and [profile name]; often without keys and readable by all */
};

/* The credentials file has only profiles. */
enum credfile_section {
    CREDFILE_PROFILE,
    CREDFILE_SSO_SESSION, /* [sso-session name] */
    CREDFILE_SERVICES,    /* [services name] */
};

/* Settings of a section besides keys. */
enum credfile_key {
    CREDFILE_REGION,
    CREDFILE_ROLE_ARN,
    CREDFILE_SOURCE_PROFILE,
    CREDFILE_CREDENTIAL_SOURCE,
    CREDFILE_EXTERNAL_ID,
    CREDFILE_ROLE_SESSION_NAME,
    CREDFILE_DURATION_SECONDS,
    CREDFILE_MFA_SERIAL,
    CREDFILE_WEB_IDENTITY_TOKEN_FILE,
    CREDFILE_CREDENTIAL_PROCESS,
    CREDFILE_LOGIN_SESSION,
    CREDFILE_SSO_SESSION_NAME,
    CREDFILE_SSO_START_URL,
    CREDFILE_SSO_REGION,
    CREDFILE_SSO_ACCOUNT_ID,
    CREDFILE_SSO_ROLE_NAME,
    CREDFILE_ENDPOINT_URL,
    CREDFILE_SERVICES_NAME,
    CREDFILE_IGNORE_ENDPOINT_URLS,
    CREDFILE_CA_BUNDLE,
    CREDFILE_USE_FIPS,
    CREDFILE_USE_DUALSTACK,
    CREDFILE_STS_REGIONAL,
    CREDFILE_IMDS_ENDPOINT,
    CREDFILE_IMDS_MODE,
    CREDFILE_S3_ADDRESSING, /* these are nested below "s3 =", "sts =" and "sso =" */
    CREDFILE_S3_ACCELERATE,
    CREDFILE_S3_DUALSTACK,
    CREDFILE_S3_ENDPOINT,
    CREDFILE_STS_ENDPOINT,
    CREDFILE_SSO_ENDPOINT,
    CREDFILE_KEYS
};

struct credfile_profile {
    struct secret_set secrets;   /* empty if the section has no keys, or they were not wanted */
    char *values[CREDFILE_KEYS]; /* NULL: not set; wiped when released */
};

/* Which section of which file. */
struct credfile_query {
    enum credfile_kind kind;
    enum credfile_section section;
    const char *name;
    bool settings_only; /* skip keys, and do not check who may read the file */
};

/* "role_arn", for messages. */
const char *credfile_key_name(enum credfile_key key);

/* Wipes. */
void credfile_done(struct credfile_profile *p);

/*
 * Finds the section in the n bytes of text. 0, -ENOENT if there is no such section, -EINVAL with
 * "name:line: …" in `why` for what cannot be read, or for half a pair of keys; -ENOMEM. The text
 * comes with every error.
 */
int credfile_parse(const char *name, const struct credfile_query *q, const char *text, size_t n,
                   struct credfile_profile *ret, char *why, size_t why_size);

/*
 * The same from a file. -EPERM if others may read a credentials file, or a config file with a
 * secret in any section (secretfile_check); -E2BIG, or the errno of open(2).
 */
int credfile_load(const char *path, const struct credfile_query *q, struct credfile_profile *ret,
                  char *why, size_t why_size);
