/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One request to contraced and what came of it, in words that say what to do next. Whatever the
 * other side sends is bounded, and escaped before a person sees it.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/ask/endpoint.h"

#define CALL_ANSWER_MAX (16u << 20) /* bytes of an answer */
#define CALL_TIMEOUT (15 * USEC_PER_SEC)

struct call {
    struct endpoint *endpoint;
    struct http_request *request;
    bool done;
    struct http_result result;
    struct buf answer;
    unsigned retry_after; /* seconds; 0: not told */
};

#define CALL_BODY_MAX 8192

/*
 * Starts a request; `body`, which is borrowed, is JSON, NULL: none. The path may have a query.
 * `timeout` 0: none. The call may not move until call_done. 0, or a negative errno after a message.
 */
int call_start(struct call *c, struct endpoint *e, const char *method, const char *path,
               const struct buf *body, usec timeout);

/* Ends it, and releases the answer. For a zeroed or ended call it does nothing. */
void call_done(struct call *c);

/* Runs the loop until the call is done. 0, or -EINTR. */
int call_wait(struct call *c);

/* The answer was 2xx. */
bool call_ok(const struct call *c);

/* What went wrong and what to do, on stderr: for a call that is done and not ok. */
void call_complain(const struct call *c);

/* The answer as a JSON object, new. 0, or a negative errno after a message: -EIO when the call
 * failed, or it is none. */
int call_json(const struct call *c, json_t **ret);

/* All of these: 0, or a negative errno after a message; -EINTR without one. */
int call_ask(struct endpoint *e, const char *method, const char *path, const struct buf *body,
             json_t **ret);
