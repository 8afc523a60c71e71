/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One conversation with a service that gives credentials: STS, the container's endpoint, the
 * instance's metadata, Google's. Token files are read anew each time. It never tries again, and
 * keeps nothing: what it read is wiped when it ends.
 */

#include <systemd/sd-event.h>

#include "daemon/net/http.h"
#include "daemon/upload/credplan.h"
#include "daemon/upload/reach.h"
#include "daemon/upload/secret.h"

enum credremote_service {
    CREDREMOTE_STS,
    CREDREMOTE_CONTAINER,
    CREDREMOTE_IMDS,
    CREDREMOTE_GOOGLE,
};

struct credremote;

/*
 * The end: 0, a set to take (secret_move), and what else there is to say of the source ("role x",
 * or ""); or a negative errno with a text. -EAGAIN: the service is out of reach or in trouble; any
 * other: someone must act.
 */
typedef void (*credremote_fn)(void *userdata, int r, struct secret_set *secrets, const char *text);

/*
 * `reach`, borrowed until the end, says how the services are reached; `region` is of STS. 0, and fn is called later; or a negative errno with a text, as fn's.
 */
int credremote_start(sd_event *event, struct http *http, const struct reach *reach,
                     enum credremote_service service, const char *region, credremote_fn fn,
                     void *userdata, struct credremote **ret, char *why, size_t why_size);

/* Ends it without a word. NULL is fine. */
void credremote_cancel(struct credremote *c);
