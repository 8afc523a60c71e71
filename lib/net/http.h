/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * HTTP requests on the event loop, by libcurl's multi interface, which only this file uses. Every
 * request is hardened the same way: no redirects, no netrc, TLS 1.2 or newer, no compression,
 * bounded headers, no proxy but the caller's. It never retries; the caller judges the result.
 */

#include <systemd/sd-event.h>

#include "lib/net/exchange.h"

#define HTTP_KEPT 8 /* idle connections; after HTTP_IDLE_SECONDS they are not used again */

struct http;         /* the transfers of one event loop */
struct http_request; /* one of them */

/* "7.88.1": that of the libcurl at hand. */
const char *http_library_version(void);

/* 0, -ENOMEM, or -EIO when libcurl cannot be set up. */
int http_new(sd_event *event, const char *user_agent, struct http **ret);

/* Keeps up to n connections of requests with `keep`, instead of HTTP_KEPT. */
void http_keep(struct http *h, size_t n);

/* Every request must be gone. */
void http_free(struct http *h);

/*
 * Starts a request. finished() is called later, never from here. 0 or a negative errno: -EINVAL for
 * an unknown method, a body that is too long or not allowed, or an invalid header: its name is no
 * token or belongs to the transfer (Host, Content-Length, Expect, …), or its value has a control
 * byte.
 */
int http_start(struct http *h, const struct http_options *options,
               const struct http_handlers *handlers, void *userdata, struct http_request **ret);

/* Cancels a transfer; finished() is not called. Not to be called from its own handlers. NULL is
 * fine. */
void http_cancel(struct http_request *r);

/* Continues after HTTP_PAUSE. Not to be called from its own handlers. */
void http_resume(struct http_request *r);

/* To be called from header() and body(): the response's status; from connected() on: the connection's descriptor
 * (or -1). */
long http_status(const struct http_request *r);
int http_socket(const struct http_request *r);
