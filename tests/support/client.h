/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The fixture of HTTP tests: a loop, the client under test, a server on this machine (loopback.h)
 * and a directory. It must be the first member of a test's own state, which must be the userdata of
 * its handlers. Every failure here fails the test.
 */

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "lib/net/http.h"
#include "tests/support/loopback.h"

struct client {
    char *dir;
    size_t descriptors; /* that were open before all */
    sd_event *event;
    struct http *http;
    struct loopback *server; /* NULL until a test makes one */
    struct http_request *request;
    bool finished;
    struct http_result result;
};

/* The directory is created as by scratch_new(parent). */
void client_init(struct client *c, const char *parent);

/* Cancels a request that is under way. Fails the test if more descriptors are open than at
 * first. */
void client_done(struct client *c);

/* Starts a request. The handlers' `finished` must be client_finished, or call it at the end. */
void client_start(struct client *c, const struct http_options *options,
                  const struct http_handlers *handlers);
void client_finished(void *userdata, const struct http_result *result);

/* Run the loop once, or until the request has ended. client_wait checks that the result has a text
 * if, and only if, it is an error. */
void client_step(struct client *c);
enum http_error client_wait(struct client *c);
