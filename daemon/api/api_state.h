/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the files of the API share and nobody else sees. api.c has the table of routes, api_orders.c
 * captures on demand, api_alerts.c those that alerts ask for, api_targets.c, api_captures.c and
 * api_status.c the listings, api_json.c how values are written.
 */

#include <stdint.h>

#include "base/jsonwriter.h"
#include "daemon/api/api.h"
#include "daemon/order/batch.h"

#define API_PAGE_MAX 1000         /* entries of a page of any listing */
#define API_ORDER_MAX (64u << 10) /* bytes of what is said of one capture */
#define ORDERS_TEXT_SIZE 512

struct api {
    struct api_context context;
    char *host;
    usec refused_said; /* boot time: that a notification of alerts was refused; 0: not yet */
};

/* What an answer is written into. */
struct api_body {
    struct buf text;
    struct jsonwriter json;
};

/* An object that is open. */
void api_body_init(struct api_body *b);

/* Ends the object and answers with it, or with an error when something is missing in it. The body
 * is gone then. */
void api_reply(struct admin_call *call, unsigned status, struct api_body *b);

extern const struct jsonwriter_style api_style;

void api_put_time(struct jsonwriter *w, const char *key, usec real); /* RFC 3339; 0: null */
void api_put_seconds(struct jsonwriter *w, const char *key, usec duration);
/* In seconds; negative: null. */
void api_put_latency(struct jsonwriter *w, const char *key, double nanoseconds);

/* The share of a trace that label and numbers rest on; negative: null. */
void api_put_covered(struct jsonwriter *w, double covered);

/* {"ok": 12, "timeout": 1}: members of what occurred. */
void api_put_counts(struct jsonwriter *w, const char *key, const uint64_t *counts, unsigned n,
                    const char *(*name)(unsigned i));

/* Members: {"target": …, "service": …, "host": …, "job": …, "artifact": …} */
void api_put_names(struct jsonwriter *w, const struct lane *l);

/* A parameter of the query: *ret stays as it is without it. False: answered with 400. */
const char *api_query_text(struct admin_call *call, const char *name); /* NULL also when empty */
bool api_query_limit(struct admin_call *call, size_t *ret);
bool api_query_time(struct admin_call *call, const char *name, usec *ret);
bool api_query_artifact(struct admin_call *call, const struct artifact **ret); /* `artifact` */

/* Whether a caller's text means it: its URL as it is shown, or its address. */
bool api_target_is(const struct target *t, const char *text);

/* One that was taken. Its object in `captures` is open until order_end. */
struct order {
    struct buf text;
    struct jsonwriter json;
    bool awaited; /* its end is still to be written into it */
};

/* What one request has ordered so far, and what it is answered. */
struct orders {
    struct api *api;
    struct admin_call *call;
    struct batch batch;
    struct order *list; /* by the batch's places */
    struct buf limited; /* that the allowance has no room for: an array */
    struct jsonwriter limited_json;
    bool no_memory;               /* for the answer */
    char first[ORDERS_TEXT_SIZE]; /* what came of the first */
};

/* At most `max` can be added; `wait` for their ends. NULL when memory is short. */
struct orders *orders_new(struct api *a, struct admin_call *call, size_t max, bool wait);
void orders_free(struct orders *o);

/* Orders the target at this place. *ret is NULL unless it was taken; one that is limited stands in
 * `limited`. */
enum desk_answer orders_add(struct orders *o, size_t target, const struct pipeline_order *order,
                            struct order **ret);
void order_end(struct orders *o, struct order *one);

/* All that were taken, as member `captures`. */
void orders_put(const struct orders *o, struct jsonwriter *w);

void api_get_status(void *userdata, struct admin_call *call);
void api_get_targets(void *userdata, struct admin_call *call);
void api_get_captures(void *userdata, struct admin_call *call);
void api_get_capture(void *userdata, struct admin_call *call);
void api_post_capture(void *userdata, struct admin_call *call);
void api_post_alerts(void *userdata, struct admin_call *call);
void api_alerts_refused(void *userdata, const char *why);
