/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Listens on one address. If it cannot be bound, that is logged once and tried again every 30 s;
 * captures go on meanwhile. The file of a unix socket that nobody listens on any more is replaced;
 * if somebody listens on it, it is left alone.
 */

#include <stdbool.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "lib/net/listen.h"

/* Connections to accept in one turn of the loop, so that captures get their turns. */
#define LISTENER_BURST 8

struct listener;

/* A connection was accepted. The function owns the descriptor, which is non-blocking. */
typedef void (*listener_accept_fn)(void *userdata, struct listener *l, int fd,
                                   const struct sockaddr *peer, socklen_t len);

/*
 * Makes a listener, which does not bind yet. `quiet`: the address is only a default, so if the
 * directory of a socket file is missing or not accessible, that is logged for debugging only. 0 or
 * a negative errno.
 */
int listener_new(sd_event *event, const struct listen_address *address, bool quiet,
                 listener_accept_fn fn, void *userdata, struct listener **ret);

/* Binds the address; if that fails, tries again every 30 s. */
void listener_start(struct listener *l);

/* Closes the socket and removes its file. NULL is fine. */
void listener_free(struct listener *l);

const struct listen_address *listener_address(const struct listener *l);

/* Changes `quiet`. If an error was not logged as one only for that reason, it now is. */
void listener_set_quiet(struct listener *l, bool quiet);
