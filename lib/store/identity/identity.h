/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The credentials of a store: finds the first source that has any (credaws.h, credgoogle.h,
 * credazure.h), fetches them over HTTP if necessary, and again before their expiry or after a store
 * refused them. Files are read again each time. Credentials stay in use until there are better
 * ones, so that an outage of the source does not stop uploads. The source is logged once.
 */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "lib/net/http.h"
#include "lib/store/credential/secret.h"
#include "lib/store/identity/reach.h"
#include "lib/store/identity/waiters.h"

enum identity_kind {
    IDENTITY_AWS,
    IDENTITY_GOOGLE, /* a bearer token, in `session_token`; so is Azure's */
    IDENTITY_AZURE,
};

/* Borrowed during identity_new only. Paths may be NULL. */
struct identity_options {
    enum identity_kind kind;
    const char *access_key_file, *secret_key_file, *session_token_file;
    const char *credentials_file; /* Google's */
    const char *region; /* STS's region; NULL: AWS_REGION, else the profile's, else us-east-1 */
    const struct reach *reach; /* borrowed until identity_free */
};

struct identity;

/* Does not fetch yet. 0 or -ENOMEM. */
int identity_new(sd_event *event, struct http *http, const struct identity_options *o,
                 struct identity **ret);

/* Nobody may wait. */
void identity_free(struct identity *i);

/* The credentials in use, borrowed until the loop runs again; NULL: none yet. */
const struct secret_set *identity_secrets(const struct identity *i);

/* The version of the credentials in use: it changes when others replace them. 0: none yet. */
unsigned identity_version(const struct identity *i);

/*
 * Waits for credentials of another version than `refused` (0: any). If a fetch is needed, all
 * waiters share it. After a failure a back-off delays the next fetch; callers until then get that
 * failure. 1: identity_secrets has them already, fn is not called; 0: fn will be called; -ENOMEM.
 */
int identity_wait(struct identity *i, unsigned refused, identity_fn fn, void *userdata,
                  struct identity_wait **ret);

/* Real time at which the credentials in use expire; USEC_NEVER: never, or there are none. */
usec identity_expiry(const struct identity *i);
