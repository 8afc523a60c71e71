/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The inside of credaws.h, for its files: credaws.c has the order of the sources, credaws_source.c
 * those that need no profile, awsrole.c what a profile may say.
 */

#include "lib/store/identity/awsprofile.h"
#include "lib/store/identity/credaws.h"

#define CREDAWS_CHAIN_MAX 6 /* profiles that name each other */

struct credaws {
    const struct credaws_config *config;
    struct awsprofile *profile; /* the one that settings come from; NULL: none is loaded */
    struct credroute *route;
    const char *visited[CREDAWS_CHAIN_MAX]; /* profiles of a chain of roles */
    size_t n_visited;
    char *why;
    size_t why_size;
};

/* Returns error, with a text. */
int credaws_refuse(const struct credaws *w, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int credaws_no_memory(const struct credaws *w);

/* These keys are what was looked for: 1, or a negative errno. `where` they are, for people. */
int credaws_make(struct credaws *w, const char *access, const char *secret, const char *token,
                 usec expiry, const char *where);

/*
 * These put keys, or steps to some, into the route, and say whose they are. 1: it is there; 0: it is
 * not; a negative errno: by half, or not as it must be.
 */
int credaws_environment(struct credaws *w);
int credaws_container(struct credaws *w);
int credaws_imds(struct credaws *w);

/* What a profile says: a role; other keys, a token's file among them. `env`: also the environment's. */
int awsrole_find(struct credaws *w, const struct awsprofile *a);
int awsrole_keys(struct credaws *w, struct awsprofile *a, bool env);

/* The first of its keys that mean nothing by themselves, and what is missing; NULL: none. */
const char *awsrole_leftover(const struct awsprofile *a, const char **ret_missing);

/* Whether it says that a role is to be used. */
bool awsrole_is_meant(const struct awsprofile *a);
