/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One request for a list of targets, as Prometheus's http_sd has it.
 * https://prometheus.io/docs/prometheus/latest/http_sd/
 */

#include "lib/config/data.h"
#include "lib/net/http.h"

#define LISTING_MAX (4u << 20) /* bytes of an answer */
#define LISTING_TEXT_MAX 300
#define LISTING_URL_SHOWN 256 /* bytes of a URL in the log, without its query */

struct listing;

/* The end: the targets, which the callee takes over; or NULL and why there are none, in one line
 * that has none of our secrets. */
typedef void (*listing_fn)(void *userdata, struct target_list *targets, const char *why);

/* Asks; `sd` is borrowed until the end, which is never told from here. 0, or a negative errno with
 * `why` filled. */
int listing_start(struct http *http, const struct http_sd *sd, listing_fn fn, void *userdata,
                  struct listing **ret, char why[static LISTING_TEXT_MAX]);

/* The end is not told. NULL is fine. */
void listing_cancel(struct listing *l);

/* The URL without its query, which may hold a secret. */
void listing_url_shown(const char *url, char out[static LISTING_URL_SHOWN]);
