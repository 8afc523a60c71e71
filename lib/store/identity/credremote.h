/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Follows a route to credentials (credroute.h): asks one service after the other, each with the
 * result of the one before. Token files are read each time. It never retries and keeps nothing:
 * everything is wiped at the end.
 */

#include <systemd/sd-event.h>

#include "lib/net/http.h"
#include "lib/store/identity/credroute.h"

struct credremote;

/*
 * The end: 0, the credentials (take them by secret_move), and a remark on the source ("role x", or
 * ""); or a negative errno with a text. -EAGAIN: a service cannot be reached or has an error; any
 * other: a person must act.
 */
typedef void (*credremote_fn)(void *userdata, int r, struct secret_set *secrets, const char *text);

/*
 * `reach`, borrowed until the end, has proxy and TLS for the services. Takes over the route, which
 * has at least one step, in any case. 0, and fn is called later; or a negative errno with a text,
 * as fn's.
 */
int credremote_start(sd_event *event, struct http *http, const struct reach *reach,
                     struct credroute *route, credremote_fn fn, void *userdata,
                     struct credremote **ret, char *why, size_t why_size);

/* Ends it without a word. NULL is fine. */
void credremote_cancel(struct credremote *c);
