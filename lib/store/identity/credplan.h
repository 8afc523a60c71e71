/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What to do about credentials, decided from facts: who may be told a secret, what STS is
 * asked, how a command line is read, and when credentials are fetched again.
 * Nothing here opens a file, reads the environment or knows the time.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"

#define CREDPLAN_URL_SIZE 2048

/*
 * The container endpoint's URL, from one of the variables (the other NULL; `relative` wins). The
 * Authorization token goes there, so only these may be it: https to any host, http to loopback,
 * 169.254.170.2, 169.254.170.23 and [fd00:ec2::23]. -EPERM for another host, -EINVAL for no URL,
 * both with a text that does not quote it.
 */
int credplan_container_url(const char *relative, const char *full, char ret[CREDPLAN_URL_SIZE],
                           char *why, size_t why_size);

/*
 * An http or https URL to which a secret may go: https to any host, http to loopback. `near`: http
 * also to the link-local addresses at which clouds have their metadata. 0, or -EINVAL for no URL
 * and -EPERM for another host, both with a text that says so of `what` and does not quote it.
 */
int credplan_secret_url(const char *url, bool near, const char *what, char *why, size_t why_size);

/* Whether STS's global endpoint serves the region for those who want it (sts_regional_endpoints). */
bool credplan_sts_is_global(const char *region);

/* Appends "name=value", encoded, and '&' before it unless it is the first. 0, -E2BIG, -ENOMEM. */
int credplan_add(struct buf *form, const char *name, const char *value, size_t n);

/* Of a session that nobody named. */
#define CREDPLAN_SESSION "contraced"

/*
 * The body of AssumeRoleWithWebIdentity, appended to `form`, which credplan_form_init made and
 * buf_wipe releases. `session` may be NULL. -EINVAL for a role, a session name or a token that STS
 * would refuse, -E2BIG, -ENOMEM.
 */
void credplan_form_init(struct buf *form);
int credplan_form(const char *role_arn, const char *session, const char *token, size_t token_len,
                  struct buf *form);

/* Whether STS takes them. */
bool credplan_is_role(const char *role_arn);
bool credplan_is_session(const char *name);

#define CREDPLAN_WORDS_MAX 64

/*
 * Splits a command line as a POSIX shell does, without running one: blanks, quotes, backslashes.
 * The words are cut out of `line`, in its place; `ret` ends with NULL. The number of words, or
 * -EINVAL for a quote that is not closed, none, or too many words.
 */
int credplan_split(char *line, char *ret[CREDPLAN_WORDS_MAX + 1]);

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
