/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Pure decisions about credentials: which URLs may receive a secret, the request to STS, how a
 * command line is split, and when credentials are fetched again. Nothing here opens a file, reads
 * the environment or a clock.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"

#define CREDPLAN_URL_SIZE 2048

/*
 * The URL of the container endpoint, from one of the two variables (`relative` wins; the other may
 * be NULL). It receives an Authorization token, so only these are allowed: https to any host, http
 * to loopback, 169.254.170.2, 169.254.170.23 and [fd00:ec2::23]. -EPERM for another host, -EINVAL
 * for no URL, both with a text that does not quote it.
 */
int credplan_container_url(const char *relative, const char *full, char ret[CREDPLAN_URL_SIZE],
                           char *why, size_t why_size);

/*
 * Whether a URL may receive a secret: https to any host, http to loopback and the addresses of
 * container endpoints, and if `near` http to the link-local addresses of metadata services. 0;
 * -EINVAL for no URL and -EPERM for another host, both with a text about `what` that does not quote
 * the URL.
 */
int credplan_secret_url(const char *url, bool near, const char *what, char *why, size_t why_size);

/* Whether STS's global endpoint serves this region (sts_regional_endpoints = legacy). */
bool credplan_sts_is_global(const char *region);

/* Appends "name=value", encoded, after an '&' unless it is the first. 0, -E2BIG, -ENOMEM. */
int credplan_add(struct buf *form, const char *name, const char *value, size_t n);

/* The name of a session if none was configured. */
#define CREDPLAN_SESSION "contraced"

/*
 * Appends the body of AssumeRoleWithWebIdentity to `form`, which credplan_form_init made and
 * buf_wipe releases. `session` may be NULL. 0; -EINVAL for a role, a session name or a token that
 * STS would refuse; -E2BIG, -ENOMEM.
 */
void credplan_form_init(struct buf *form);
int credplan_form(const char *role_arn, const char *session, const char *token, size_t token_len,
                  struct buf *form);

/* Whether STS takes them. */
bool credplan_is_role(const char *role_arn);
bool credplan_is_session(const char *name);

#define CREDPLAN_WORDS_MAX 64

/*
 * Splits a command line in place by the quoting rules of a POSIX shell. `ret` gets pointers into
 * `line`, and NULL at the end. Returns the number of words, or -EINVAL for an open quote, no word
 * or too many.
 */
int credplan_split(char *line, char *ret[CREDPLAN_WORDS_MAX + 1]);

enum credplan_age {
    CREDPLAN_FRESH,
    CREDPLAN_DUE,     /* fetch new ones, quietly */
    CREDPLAN_URGENT,  /* … more often, and say so */
    CREDPLAN_EXPIRED, /* expired: the store will refuse them, and there are no others */
};

/*
 * The age of credentials that were fetched at `since`; all times are real time. Due 15 minutes
 * before their expiry, urgent 10 minutes before; for a lifetime under half an hour: its last half,
 * its last third.
 */
enum credplan_age credplan_age(usec since, usec expiry, usec now);

/*
 * When to fetch them again: between due and urgent, spread by `random` in [0, 1). USEC_NEVER if
 * they do not expire.
 */
usec credplan_refresh_at(usec since, usec expiry, double random);

/*
 * The wait after the `failures`th failure in a row (from 1): full jitter over a window that doubles
 * from 5 s up to 5 min (urgent: 1 min); at least 1 s.
 */
usec credplan_retry_after(unsigned failures, enum credplan_age age, double random);
