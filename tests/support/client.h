/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What tests of HTTP have: a loop, the client under test, a server on this machine (loopback.h) and
 * a directory. It is the first member of a test's own state, which is the userdata of its handlers.
 * Every failure here fails the test.
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

/* The directory is one below `parent`, as scratch_new has it. */
void client_init(struct client *c, const char *parent);

/* Ends what is under way; no descriptor may be open that was not before. */
void client_done(struct client *c);

/* Starts a request. The handlers end with client_finished. */
void client_start(struct client *c, const struct http_options *options,
                  const struct http_handlers *handlers);
void client_finished(void *userdata, const struct http_result *result);

/* Runs the loop once, or until the request has ended; its end says what is wrong if, and only if,
 * something is. */
void client_step(struct client *c);
enum http_error client_wait(struct client *c);
