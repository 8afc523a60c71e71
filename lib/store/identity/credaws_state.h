/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Internals of credaws.h: credaws.c has the order of sources, credaws_source.c those that need no
 * profile, awsrole.c those of a profile.
 */

#include "lib/store/identity/awsprofile.h"
#include "lib/store/identity/credaws.h"

#define CREDAWS_CHAIN_MAX 6 /* profiles that refer to each other, at most */

struct credaws {
    const struct credaws_config *config;
    struct awsprofile *profile; /* where settings come from; NULL: none is loaded */
    struct credroute *route;
    const char *visited[CREDAWS_CHAIN_MAX]; /* profiles of a chain of roles */
    size_t n_visited;
    char *why;
    size_t why_size;
};

/* Sets the text and returns `error`. */
int credaws_refuse(const struct credaws *w, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int credaws_no_memory(const struct credaws *w);

/* Puts these keys into the route: 1, or a negative errno. `where` says for people where they
 * are. */
int credaws_make(struct credaws *w, const char *access, const char *secret, const char *token,
                 usec expiry, const char *where);

/*
 * These put keys, or the steps to get them, into the route, and name the source. 1: the source
 * exists; 0: it does not; a negative errno: it is incomplete or wrong.
 */
int credaws_environment(struct credaws *w);
int credaws_container(struct credaws *w);
int credaws_imds(struct credaws *w);

/* Sources of a profile: its role; all others (a token file, IAM Identity Center, keys, a program).
 * `env`: the environment may name the token file and its role. */
int awsrole_find(struct credaws *w, const struct awsprofile *a);
int awsrole_keys(struct credaws *w, struct awsprofile *a, bool env);

/* The first setting that needs another one, and which is missing; NULL: none. */
const char *awsrole_leftover(const struct awsprofile *a, const char **ret_missing);

/* Whether the profile has a role. */
bool awsrole_is_meant(const struct awsprofile *a);
