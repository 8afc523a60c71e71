/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * As whom the store is asked: finds credentials at the first source that has any (credaws.h,
 * credgoogle.h, credazure.h), fetches them where they come over HTTP, and again ahead of their expiry or when a store refused
 * them. Files are read anew each time. What is in use stays in use until there is better: an outage
 * of the source is not one of the store. Which source it is goes to the log once.
 */

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "lib/net/http.h"
#include "lib/store/credential/secret.h"
#include "lib/store/identity/reach.h"
#include "lib/store/identity/waiters.h"

enum identity_kind {
    IDENTITY_AWS,
    IDENTITY_GOOGLE, /* a bearer token, in `session_token`, as Azure's */
    IDENTITY_AZURE,
};

/* Borrowed during identity_new only. Paths may be NULL. */
struct identity_options {
    enum identity_kind kind;
    const char *access_key_file, *secret_key_file, *session_token_file;
    const char *credentials_file; /* Google's */
    const char *region;           /* of STS; NULL: AWS_REGION, the profile's, us-east-1 */
    const struct reach *reach;    /* borrowed until identity_free */
};

struct identity;

/* Nothing is fetched yet. 0 or -ENOMEM. */
int identity_new(sd_event *event, struct http *http, const struct identity_options *o,
                 struct identity **ret);

/* Nobody may wait. */
void identity_free(struct identity *i);

/* The set in use, borrowed until the loop runs again; NULL: there is none yet. */
const struct secret_set *identity_secrets(const struct identity *i);

/* Counts the sets: it changes whenever another one comes into use. 0: none yet. */
unsigned identity_version(const struct identity *i);

/*
 * Waits for a set that is not the one of version `refused` (0: any will do): fetches one if need
 * be, one fetch for all who wait. After a failure the next fetch begins no sooner than a back-off
 * allows; who asks meanwhile hears of that failure. 1: identity_secrets has one already, fn is not
 * called; 0: fn will be called; -ENOMEM.
 */
int identity_wait(struct identity *i, unsigned refused, identity_fn fn, void *userdata,
                  struct identity_wait **ret);

/* Real time at which the set in use expires; USEC_NEVER: never, or there is none. */
usec identity_expiry(const struct identity *i);
