/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What to do about credentials, decided from facts: where they come from, whom a container's
 * endpoint may be, when they are fetched again, and what STS is asked. Nothing here opens a file,
 * reads the environment or knows the time.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"

/* In the order in which they are tried. */
enum credplan_source {
    CREDPLAN_CONFIG,       /* files named in the configuration */
    CREDPLAN_ENVIRONMENT,  /* AWS_ACCESS_KEY_ID … */
    CREDPLAN_WEB_IDENTITY, /* a token file exchanged at STS */
    CREDPLAN_SHARED,       /* ~/.aws/credentials or ~/.aws/config */
    CREDPLAN_CONTAINER,    /* ECS's or EKS's endpoint */
    CREDPLAN_IMDS,         /* the instance's role */
};

struct credplan_facts {
    bool config_access_key, config_secret_key; /* the configuration names the file */
    bool env_access_key, env_secret_key;       /* the variable is set and not empty */
    bool env_token_file, env_role_arn;         /* AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN */
    bool env_profile;                          /* AWS_PROFILE */
    bool shared_keys;                          /* the profile was found, with keys */
    bool relative_uri, full_uri;               /* AWS_CONTAINER_CREDENTIALS_… */
    bool imds_disabled;                        /* AWS_EC2_METADATA_DISABLED=true */
};

/* "the environment", for a log line. */
const char *credplan_source_name(enum credplan_source source);

/*
 * The first source that there is. Half of one is an error rather than a reason to go on: a daemon
 * that uploads as someone else than was meant is worse than one that says why it doesn't. -EINVAL,
 * or -ENOENT if there is none, both with a text.
 */
int credplan_choose(const struct credplan_facts *facts, enum credplan_source *ret, char *why,
                    size_t why_size);

#define CREDPLAN_URL_SIZE 2048

/*
 * The container endpoint's URL, from one of the variables (the other NULL; `relative` wins). The
 * Authorization token goes there, so only these may be it: https to any host, http to loopback,
 * 169.254.170.2, 169.254.170.23 and [fd00:ec2::23]. -EPERM for another host, -EINVAL for no URL,
 * both with a text that does not quote it.
 */
int credplan_container_url(const char *relative, const char *full, char ret[CREDPLAN_URL_SIZE],
                           char *why, size_t why_size);

/* Where the partition of the region keeps STS (partition.h). -EINVAL for no region's name. */
int credplan_sts_url(const char *region, unsigned wishes, char ret[CREDPLAN_URL_SIZE]);

/*
 * The body of AssumeRoleWithWebIdentity, appended to `form`, which credplan_form_init made and
 * buf_wipe releases. `session` may be NULL. -EINVAL for a role, a session name or a token that STS
 * would refuse, -E2BIG, -ENOMEM.
 */
void credplan_form_init(struct buf *form);
int credplan_form(const char *role_arn, const char *session, const char *token, size_t token_len,
                  struct buf *form);

enum credplan_age {
    CREDPLAN_FRESH,
    CREDPLAN_DUE,     /* fetch new ones, quietly */
    CREDPLAN_URGENT,  /* … more often, and say so */
    CREDPLAN_EXPIRED, /* … and the store will refuse these; there are no better ones */
};

/*
 * How old the credentials are that were had at `since`, all in real time. Due from 15 minutes
 * before the expiry, urgent from 10; of those that live less than half an hour the last half and
 * third.
 */
enum credplan_age credplan_age(usec since, usec expiry, usec now);

/*
 * When to fetch them anew: once due, and spread by `random` in [0, 1) before they are urgent.
 * USEC_NEVER for those that don't expire.
 */
usec credplan_refresh_at(usec since, usec expiry, double random);

/*
 * How long to wait after the `failures`th failed attempt in a row (from 1): full jitter over a
 * window that doubles from 5 s to 5 min, to 1 min if there is urgency; never less than 1 s.
 */
usec credplan_retry_after(unsigned failures, enum credplan_age age, double random);
