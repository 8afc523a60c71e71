/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the files of the API share and nobody else sees. api.c has the table of routes, api_orders.c
 * captures on demand, api_alerts.c those that alerts ask for, api_targets.c, api_captures.c and
 * api_status.c the listings, api_json.c how values are written.
 */

#include <jansson.h>
#include <stdint.h>

#include "daemon/api.h"
#include "daemon/control/allowance.h"

#define API_PAGE_MAX 1000 /* entries of a page of any listing */

struct api {
    struct api_context context;
    char *host;
    struct allowance allowance;
};

usec api_now(const struct api *a, clockid_t clock);

json_t *api_text(const char *text); /* NULL: null; what is no UTF-8 is escaped */
json_t *api_time(usec real);        /* RFC 3339; 0: null */
json_t *api_seconds(usec duration);
json_t *api_latency(double nanoseconds); /* in seconds; negative: null */
json_t *api_number(uint64_t n);

/* Answers with an object; NULL, for want of memory: 503. */
void api_reply(struct admin_call *call, unsigned status, json_t *object);
void api_reply_no_memory(struct admin_call *call);

/* A parameter of the query: *ret stays as it is without it. False: answered with 400. */
const char *api_query_text(struct admin_call *call, const char *name); /* NULL also when empty */
bool api_query_limit(struct admin_call *call, size_t *ret);
bool api_query_time(struct admin_call *call, const char *name, usec *ret);

/* {"target": …, "service": …, "host": …, "job": …} */
json_t *api_target_names(const struct target *t);

/* Whether a caller's text means it: its URL as it is shown, or its address. */
bool api_target_is(const struct target *t, const char *text);

/* What one request has ordered so far. */
struct orders {
    struct api *api;
    struct admin_call *call;
    json_t *captures; /* that were ordered: api_target_names */
    json_t *limited;  /* that the allowance has no room for; NULL: none yet */
    usec retry_after; /* the shortest wait of those */
    bool stopping, no_memory;

    /* Of those whose ends are waited for. */
    struct order *orders;
    size_t n, left, published;
};

/* NULL when memory is short. */
struct orders *orders_new(struct api *a, struct admin_call *call);
void orders_free(struct orders *o);

/* True: the target is captured, within its allowance, and stands in `captures`. Else it stands in
 * `limited`, or one of `stopping` and `no_memory` is set. *ret as of pipeline_capture. */
bool orders_add(struct orders *o, struct target *t, const struct pipeline_order *order,
                struct pipeline_wish **ret);

void api_get_status(void *userdata, struct admin_call *call);
void api_get_targets(void *userdata, struct admin_call *call);
void api_get_captures(void *userdata, struct admin_call *call);
void api_get_capture(void *userdata, struct admin_call *call);
void api_post_capture(void *userdata, struct admin_call *call);
void api_post_alerts(void *userdata, struct admin_call *call);
