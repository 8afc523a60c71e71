/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One poll of a target: requests its metrics and streams them through the rules that read them. The
 * page is never in memory as a whole. Knows nothing of intervals and incidents.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "daemon/capture/target.h"
#include "daemon/trigger/rule/rulebook.h"
#include "daemon/watch/pollend.h"
#include "lib/net/http.h"

#define POLL_BODY_MAX (16u << 20) /* bytes of a page; a longer one is given up */
#define POLL_TEXT_MAX 320

struct poll;

struct poll_options {
    const struct target *target;
    const char *path; /* of the metrics */
    const struct rulebook *book;
    usec timeout;
    bool keep; /* the connection, for the next poll */
    /* Optional: also gets each piece of a page; for `userdata` of poll_start. */
    void (*piece)(void *userdata, const void *data, size_t n);
};

struct poll_result {
    enum pollend end;
    uint64_t bytes;           /* of the page, as far as it came */
    uint64_t series;          /* samples on the page */
    bool expvar;              /* it was expvar's JSON */
    char text[POLL_TEXT_MAX]; /* what happened, for people; "" if all is well */
};

/* The last call; the poll is gone when it returns. `page` is what the rules read, borrowed; NULL
 * unless the poll ended well. */
typedef void (*poll_ended_fn)(void *userdata, const struct poll_result *result,
                              const struct rulebook_page *page);

/*
 * Starts a poll. What the options point to is borrowed until its end. `ended` is called later,
 * never from here. 0, or a negative errno; then *ret_failure is what `ended` would have got.
 */
int poll_start(struct http *http, const struct poll_options *options, poll_ended_fn ended,
               void *userdata, struct poll **ret, struct poll_result *ret_failure);

/* Gives the poll up; `ended` is not called. Not to be called from its own functions. NULL is
 * fine. */
void poll_cancel(struct poll *p);
