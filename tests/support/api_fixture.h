/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The API over real targets and a real spool, without a socket: the functions of admin.h that a
 * handler calls are wrapped (in api_fixture.c), and the handler's answer is kept here.
 */

#include "tests/support/spool_fixture.h"

#include <jansson.h>

#include "daemon/api/api_state.h"

#define API_QUERY_MAX 8
#define API_TARGETS_MAX 8

struct api_fixture {
    struct api *api;
    struct api_context context;
    struct config *config;
    struct counters counters;
    struct meters *meters;
    struct http *http;
    struct pipeline *pipeline; /* the context's */
    size_t failing;
    unsigned artifacts; /* of the job that api_configure makes; 0: traces */
    bool stopping;
    const char *config_file;
    int reload;               /* what a reload returns */
    const char *reload_error; /* its message, about line 3, column 7 of f.yaml; NULL: none */
    unsigned reloads, scrapes;

    /* The request. */
    const char *path, *body;
    bool cut; /* the body was too long: it is only the beginning */
    struct {
        const char *name, *value;
    } query[API_QUERY_MAX];
    void (*gone)(void *userdata, struct admin_call *call);
    void *gone_userdata;

    /* The answer. */
    unsigned answers, status;
    char type[64], name[NAME_KEY_MAX];
    char retry_after[32];
    char *text;
    int fd;
};

extern struct api_fixture af;

int api_setup(void **state);
int api_teardown(void **state);

/* Configures one job with these targets. A second call replaces them. */
void api_configure(const char *job, const char *const *addresses, size_t n);

/*
 * Calls the handler that the table of routes has for a target such as "/api/v1/targets?limit=2".
 * For a prefix route, the rest of the path becomes the request's path. Returns the status, or 0 if
 * the handler has not answered yet.
 */
unsigned api_ask(const char *method, const char *target, const char *body);

/* Runs the loop until the request is answered. Returns the status. */
unsigned api_wait(void);

/* The answer as JSON, and the text of its member `error`. Both are valid until the next request. */
const json_t *api_json(void);
const char *api_error(void);

/* The client disconnects before the request is answered. */
void api_leave(void);
