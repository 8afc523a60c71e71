/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The API over real targets and a real spool, asked without a socket: the calls of admin.h that a
 * handler makes are wrapped (api_fixture.c), and what it answers is kept here.
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
    bool stopping;
    const char *config_file;
    int reload;               /* what a reload returns */
    const char *reload_error; /* and says, in line 3, column 7 of f.yaml; NULL: nothing */
    unsigned reloads, scrapes;

    /* The request. */
    const char *path, *body;
    bool cut; /* the body is only the beginning */
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

/* A job and its targets; called again, all there are then. */
void api_configure(const char *job, const char *const *addresses, size_t n);

/*
 * Asks by the table of routes: "/api/v1/targets?limit=2"; what is behind a prefix route is its path.
 * Returns the status; 0: it is not answered yet.
 */
unsigned api_ask(const char *method, const char *target, const char *body);

/* Runs the loop until it is. */
unsigned api_wait(void);

/* What was answered: as JSON, valid until the next request, and the text of its member `error`. */
const json_t *api_json(void);
const char *api_error(void);

/* The client goes before it is answered. */
void api_leave(void);
