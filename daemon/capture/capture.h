/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One capture: an HTTP request whose body streams into a file, is hashed on its way, and is judged
 * while it comes, by the artifact that was asked for: whether it is that, and how much of it is
 * whole. Knows nothing of keys, spools and schedules.
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
     * The file is to hold `bytes` bytes soon. 1: go on. 0: wait, capture_room will be called.
     * Negative errno: there is no room, what is whole so far is all that is kept. Asked before the
     * bytes are written, in large steps.
     */
    int (*grow)(void *userdata, uint64_t bytes);
    /* The last call; the capture is gone when it returns. */
    void (*finished)(void *userdata, const struct capture_result *result);
};

/*
 * Sends the request for what the lane is for, over so long; the job's timeout is longer by what that is more than
 * the job's own window. `fd` is borrowed and written from its
 * beginning; `room` bytes may be written without asking. finished() is called later, never from
 * here. 0, or a negative errno and *ret_failure says what finished() would have said.
 */
int capture_start(struct http *http, const struct lane *lane, usec window, int fd, uint64_t room,
                  const struct capture_handlers *handlers, void *userdata, struct capture **ret,
                  struct capture_result *ret_failure);

/* The answer to grow(): room for this many bytes, or none (r < 0, a negative errno). */
void capture_room(struct capture *c, uint64_t room, int r);

/* Bytes of the body taken so far; the last ones need not be in the file yet. */
uint64_t capture_received(const struct capture *c);

/* Ends it now; what is whole is kept. finished() is called before this returns. `why` is static. */
void capture_stop(struct capture *c, const char *why);
