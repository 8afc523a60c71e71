/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Shared by the files of the API only. api.c has the table of routes, api_orders.c captures on
 * demand, api_scope.c whom they are for, api_incidents.c incidents, api_alerts.c captures for alerts,
 * api_push.c flight recordings that are sent, api_targets.c, api_triggers.c, api_captures.c and
 * api_status.c the listings, api_views.c what is made of traces, and api_json.c writes values and reads query parameters.
 */

#include <stdint.h>

#include "base/jsonwriter.h"
#include "daemon/api/api.h"
#include "daemon/api/apirequest.h"
#include "daemon/order/batch.h"
#include "daemon/push/push.h"
#include "daemon/view/view.h"

#define API_PAGE_MAX 1000         /* entries on a page of any listing */
#define API_ORDER_MAX (64u << 10) /* bytes of JSON about one capture */
#define ORDERS_TEXT_SIZE 512
#define API_WHY_SIZE 256

struct api {
    struct api_context context;
    char *host;
    usec refused_said; /* boot time of the last log line about refused alerts; 0: none yet */
};

/* An answer that is being written. */
struct api_body {
    struct buf text;
    struct jsonwriter json;
};

/* Begins the answer, with an open object. */
void api_body_init(struct api_body *b);

/* Ends the object and sends it, or an error if something could not be written into it. Frees the
 * body. */
void api_reply(struct admin_call *call, unsigned status, struct api_body *b);

extern const struct jsonwriter_style api_style;

void api_put_time(struct jsonwriter *w, const char *key, usec real); /* RFC 3339; 0: null */
void api_put_seconds(struct jsonwriter *w, const char *key, usec duration);
void api_put_window(struct jsonwriter *w, usec window); /* "seconds"; 0: null */
/* Written in seconds; negative: null. */
void api_put_latency(struct jsonwriter *w, const char *key, double nanoseconds);

/* Writes `covered`, the share of a trace that label and numbers rest on; negative: null. */
void api_put_covered(struct jsonwriter *w, double covered);

/* Writes the counts that are not 0, with their names: {"ok": 12, "timeout": 1}. */
void api_put_counts(struct jsonwriter *w, const char *key, const uint64_t *counts, unsigned n,
                    const char *(*name)(unsigned i));

/* Write the members "target", "service", "host" and "job". */
void api_put_whose(struct jsonwriter *w, const struct target *t);
/* Write the members "target", "service", "host", "job" and "artifact"; api_put_names "url" as well,
 * which is where the lane's artifact is. */
void api_put_target(struct jsonwriter *w, const struct target *t, const struct artifact *artifact);
void api_put_names(struct jsonwriter *w, const struct lane *l);

/* Answers with a file, or if `r` is negative with why there is none; -ENOENT: it is not kept. `name`
 * as in admin_reply_file. Takes fd. */
void api_reply_file(struct admin_call *call, int r, int fd, const char *type, const char *name);

/* Read a parameter of the query. Without it, *ret is unchanged. False: it was invalid, and 400 was
 * sent. */
const char *api_query_text(struct admin_call *call, const char *name); /* NULL also when empty */
bool api_query_limit(struct admin_call *call, size_t *ret);
bool api_query_time(struct admin_call *call, const char *name, usec *ret);
bool api_query_artifact(struct admin_call *call, const struct artifact **ret); /* `artifact` */

/* A list that is written beside the answer, into which it goes unless it is empty. */
struct api_list {
    struct buf text;
    struct jsonwriter json; /* its array is open until api_list_put */
    size_t n;               /* its objects, counted by whoever writes them */
};

void api_list_init(struct api_list *l);
void api_list_done(struct api_list *l);
void api_list_put(struct api_list *l, const char *name, struct jsonwriter *w);

/* Whether a client's text names this target: its shown URL or its address. */
bool api_target_is(const struct target *t, const char *text);

/* An order that was taken. Its JSON object in `captures` is open until order_end. */
struct order {
    struct buf text;
    struct jsonwriter json;
    bool awaited; /* the end of its capture is still to be written */
};

/* The orders of one request, and the answer to it. */
struct orders {
    struct api *api;
    struct admin_call *call;
    struct batch batch;
    struct order *incidents; /* those that were made of the request's targets */
    size_t n_incidents;
    struct order *list;           /* in the order of the batch's taken orders */
    size_t too_often;             /* targets of alerts that are not captured for that */
    struct api_list limited;      /* targets whose allowance is used up */
    struct api_list placeless;    /* and of those of which nobody knows where the artifact is */
    bool no_memory;               /* to write the answer */
    char first[ORDERS_TEXT_SIZE]; /* the error if all fail: what the first order came to */
};

/* At most `max` orders can be added. `wait`: answer only after their ends. NULL when memory is
 * short. */
struct orders *orders_new(struct api *a, struct admin_call *call, size_t max, bool wait);
void orders_free(struct orders *o);

/* Orders a capture of the target with this index. *ret is NULL unless the order was taken. If the
 * allowance is used up, the target is added to `limited`; without a place, to `placeless`. */
enum desk_answer orders_add(struct orders *o, size_t target, const struct pipeline_order *order,
                            struct order **ret);
void order_end(struct orders *o, struct order *one);

/*
 * Orders an incident of the target with this index; at most once for a target. *ret is NULL unless it
 * was taken or joined another. Nobody waits for its end.
 */
enum incident_answer orders_add_incident(struct orders *o, size_t target, enum reason reason,
                                         const char *name, struct order **ret);

/* Writes all taken orders, then all incidents, as the member `captures`. */
void orders_put(const struct orders *o, struct jsonwriter *w);

/* Whether the request means this target. */
bool api_is_meant(const struct capture_request *r, const struct target *t);

/* Answers 404: "no service `x` is configured; there is a, b, …". */
void api_reply_not_found(struct api *a, struct admin_call *call, const struct capture_request *r);

/* Orders an incident of each of the `n` targets that are meant, and answers. `name` as in an
 * order. */
void api_order_incidents(struct api *a, struct admin_call *call,
                         const struct capture_request *request, const char *name, size_t n);

/* Says what forbids an incident, and that a person can set it. */
void api_describe_limit(const struct api *a, enum incident_limit limit,
                        char text[static API_WHY_SIZE]);

/*
 * Orders the incident whose first evidence is a recording that has come. With none, ret->none says
 * why, in `why`.
 */
void api_push_incident(const struct api *a, const struct push *p, char why[static PUSH_WHY_SIZE],
                       struct push_incident *ret);

/* Answers with a view of a trace that may be kept, when it has been made. */
void api_reply_view(const struct api *a, struct admin_call *call, const char *key,
                    const struct view *view);

/* The same, for a view's name and any key. */
void api_get_view(const struct api *a, struct admin_call *call, const char *key, const char *name);

void api_get_incidents(void *userdata, struct admin_call *call);
void api_get_status(void *userdata, struct admin_call *call);
void api_get_targets(void *userdata, struct admin_call *call);
void api_get_evidence(void *userdata, struct admin_call *call);
void api_get_triggers(void *userdata, struct admin_call *call);
void api_get_captures(void *userdata, struct admin_call *call);
void api_get_capture(void *userdata, struct admin_call *call);
void api_post_capture(void *userdata, struct admin_call *call);
void api_put_push(void *userdata, struct admin_call *call);
void api_post_alerts(void *userdata, struct admin_call *call);
void api_alerts_refused(void *userdata, const char *why);
