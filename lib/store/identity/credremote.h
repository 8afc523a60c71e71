/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Walks the way to credentials (credroute.h): asks each service in turn with what the one before
 * gave. Token files are read anew each time. It never tries again, and keeps nothing: what it read
 * is wiped when it ends.
 */

#include <systemd/sd-event.h>

#include "lib/net/http.h"
#include "lib/store/identity/credroute.h"

struct credremote;

/*
 * The end: 0, a set to take (secret_move), and what else there is to say of the source ("role x",
 * or ""); or a negative errno with a text. -EAGAIN: a service is out of reach or in trouble; any
 * other: someone must act.
 */
typedef void (*credremote_fn)(void *userdata, int r, struct secret_set *secrets, const char *text);

/*
 * `reach`, borrowed until the end, says how the services are reached. Takes the route, which has a
 * step at least, also when it fails. 0, and fn is called later; or a
 * negative errno with a text, as fn's.
 */
int credremote_start(sd_event *event, struct http *http, const struct reach *reach,
                     struct credroute *route, credremote_fn fn, void *userdata,
                     struct credremote **ret, char *why, size_t why_size);

/* Ends it without a word. NULL is fine. */
void credremote_cancel(struct credremote *c);
