/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An identity with a clock that is moved by hand, a log that remembers, and an endpoint of a
 * container that gives what the test says. Nothing may be given back with "canary" in it. Linked
 * with --wrap for what is in identity_fixture.c.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>

#include "base/log.h"
#include "lib/store/identity/identity.h"
#include "tests/support/loopback.h"

struct world {
    char *dir;
    size_t descriptors;
    sd_event *event;
    struct http *http;
    struct loopback *server;
    struct identity *identity;
    char access_key_file[256], secret_key_file[256];
    char reply[1024];
    struct loopback_step step;
    unsigned keys;        /* sets that the endpoint has given */
    unsigned playing_for; /* the request, counted from 1 */
};

struct waiter {
    struct identity_wait *wait;
    unsigned times;
    int r;
    char why[512];
    struct waiter *cancels; /* when it is told */
};

extern usec shift;                 /* of the real and the boot clock, from the true ones */
extern unsigned requests, answers; /* that were begun, that came */
extern size_t n_lines;             /* in the log */
extern struct waiter told;         /* what the last `ask` was told */

int setup(void **state);
int teardown(void **state);

/* Makes w->identity anew. */
void start(struct world *w, const struct identity_options *o);
/* … of the variables that name w's endpoint. */
void with_endpoint(struct world *w);

/* Runs the loop until there is nothing to do at once; after the clocks went on. */
void settle(struct world *w);
void advance(struct world *w, usec by);

/* What identity_wait comes to, in the end. */
int ask(struct world *w, unsigned refused);
void on_wait(void *userdata, int r, const char *why); /* of a struct waiter */
const char *secret_key(struct world *w);

/*
 * The answer to the next request: w->reply once more; another set, which lives so long from now, or
 * is dead already; a failure.
 */
void play(struct world *w);
void will_give(struct world *w, int64_t life);
void will_fail(struct world *w);

/* The one request that was begun since there were `before`, to its end. */
void run_request(struct world *w, unsigned before);

/* The log's last line, of which there are `n` by now. */
void check_log(size_t n, enum log_level level, const char *part);
