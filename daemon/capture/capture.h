/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One capture: an HTTP request whose body streams into a file. While it streams, it is hashed, and
 * the requested artifact judges whether the body is of its kind and how much of it is whole. Knows
 * nothing of keys, spools and schedules.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "daemon/capture/judgement.h"
#include "daemon/capture/target.h"
#include "lib/net/http.h"

struct capture;

struct capture_handlers {
    /*
     * Optional: the connection is there, and the request is about to be sent. `peer`: the process
     * at the other end of a unix socket, or 0.
     */
    void (*connected)(void *userdata, uint32_t peer);
    /*
     * Asks for room for `bytes` bytes in the file; called before they are written, in large steps.
     * 1: go on. 0: wait, capture_room will be called. Negative errno: there is no room, and only
     * what is whole so far is kept.
     */
    int (*grow)(void *userdata, uint64_t bytes);
    /* The last call; the capture is gone when it returns. */
    void (*finished)(void *userdata, const struct capture_result *result);
};

/*
 * Requests the lane's artifact with this window. A window longer than the job's extends the job's
 * timeout by the difference. `fd` is borrowed and written from its beginning; `room` bytes may be
 * written before grow() is called. finished() is called later, never from here. 0, or a negative
 * errno; then *ret_failure is what finished() would have got.
 */
int capture_start(struct http *http, const struct lane *lane, usec window, int fd, uint64_t room,
                  const struct capture_handlers *handlers, void *userdata, struct capture **ret,
                  struct capture_result *ret_failure);

/* Answers grow(): there is room for this many bytes in total, or none (r is a negative errno). */
void capture_room(struct capture *c, uint64_t room, int r);

/* Bytes of the body accepted so far; the last ones may not be in the file yet. */
uint64_t capture_received(const struct capture *c);

/* Ends the request now; what is whole is kept. Calls finished() before it returns. `why` is
 * static. */
void capture_stop(struct capture *c, const char *why);
