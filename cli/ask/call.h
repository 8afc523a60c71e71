/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One request to contraced, and messages about its result that say what to do next. What the other
 * side sends is bounded, and escaped before it is printed.
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

/* Ends the call and releases the answer. Does nothing for a zeroed call or one that was ended. */
void call_done(struct call *c);

/* Runs the loop until the call is done. 0, or -EINTR. */
int call_wait(struct call *c);

/* The answer was 2xx. */
bool call_ok(const struct call *c);

/* Says on stderr what went wrong and what to do. For a call that is done and not ok. */
void call_complain(const struct call *c);

/* The answer as a JSON object, new. 0, or a negative errno after a message: -EIO when the call
 * failed, or it is none. */
int call_json(const struct call *c, json_t **ret);

/* Starts a call, waits for it and reads its JSON. 0, or a negative errno after a message; -EINTR
 * without one. */
int call_ask(struct endpoint *e, const char *method, const char *path, const struct buf *body,
             json_t **ret);
