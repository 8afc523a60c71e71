/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One address that is listened on. What cannot be bound is said once and tried again every 30 s: an
 * address that is taken stops no capture. A socket file that nobody answers on any more is
 * replaced, one that is answered on is left alone.
 */

#include <stdbool.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "lib/config/listen.h"

#define LISTENER_BURST 8 /* connections in one turn of the loop, so that captures have theirs */

struct listener;

/* A connection: the descriptor, non-blocking, is the callee's. */
typedef void (*listener_accept_fn)(void *userdata, struct listener *l, int fd,
                                   const struct sockaddr *peer, socklen_t len);

/*
 * Does not bind yet. `quiet`: a socket file whose directory is missing, or not for us, is no error:
 * nobody asked for it. 0 or -ENOMEM.
 */
int listener_new(sd_event *event, const struct listen_address *address, bool quiet,
                 listener_accept_fn fn, void *userdata, struct listener **ret);

/* Binds, or begins to try. */
void listener_start(struct listener *l);

/* Closes the socket and removes its file. NULL is fine. */
void listener_free(struct listener *l);

const struct listen_address *listener_address(const struct listener *l);

/* What was kept quiet is said when it should not be any more. */
void listener_set_quiet(struct listener *l, bool quiet);
