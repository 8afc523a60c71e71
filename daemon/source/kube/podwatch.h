/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Follows the pods of one scope at one API server: makes the requests that follow.h decides on,
 * reads what comes, and keeps the pods (podset.h). While the server is away or refuses, the pods
 * that it has told of stay.
 */

#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/source/kube/podset.h"
#include "lib/net/access.h"
#include "lib/net/http.h"

struct podwatch;

/* Where and which; copied. */
struct podwatch_scope {
    const char *server;        /* its URL, without a slash at the end */
    const char *namespace;     /* "": all */
    const char *label, *field; /* selectors; NULL: none */
    const struct access *access;
};

/* `changed` is called on the loop, never from inside of these functions. `http` must outlive it. The
 * first request is made by the loop's next turn. 0 or a negative errno. */
int podwatch_new(sd_event *event, struct http *http, const struct podwatch_scope *scope,
                 uint64_t random, void (*changed)(void *userdata), void *userdata,
                 struct podwatch **ret);
void podwatch_free(struct podwatch *w);

/* Whether it follows just these. */
bool podwatch_is(const struct podwatch *w, const struct podwatch_scope *scope);

struct podset *podwatch_pods(struct podwatch *w);
