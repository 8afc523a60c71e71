/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An identity with a clock that the test moves, a log that is recorded, and an endpoint of a
 * container that answers as the test says. Secrets contain "canary": no memory that has it may be
 * freed without being wiped, and no log line may contain it. Link with --wrap for the functions
 * that identity_fixture.c wraps.
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
    unsigned keys;        /* sets of credentials that the endpoint has given */
    unsigned playing_for; /* the number of the request, from 1, that the answer is for */
};

struct waiter {
    struct identity_wait *wait;
    unsigned times;
    int r;
    char why[512];
    struct waiter *cancels; /* cancelled when this one is told */
};

extern usec shift;                 /* added to the real and the boot clock */
extern unsigned requests, answers; /* requests begun, answers received */
extern size_t n_lines;             /* in the log */
extern struct waiter told;         /* the result of the last `ask` */

int setup(void **state);
int teardown(void **state);

/* Makes w->identity anew. */
void start(struct world *w, const struct identity_options *o);
/* The same, with an environment that names w's endpoint. */
void with_endpoint(struct world *w);

/* Runs the loop until nothing is left to do at once; advance moves the clocks before that. */
void settle(struct world *w);
void advance(struct world *w, usec by);

/* Calls identity_wait, waits for its end and returns the result. */
int ask(struct world *w, unsigned refused);
void on_wait(void *userdata, int r, const char *why); /* of a struct waiter */
const char *secret_key(struct world *w);

/*
 * Set the answer to the next request: w->reply once more; a new set of credentials that expires so
 * long from now (a negative time is in the past); or a failure.
 */
void play(struct world *w);
void will_give(struct world *w, int64_t life);
void will_fail(struct world *w);

/* Checks that exactly one request was begun since there were `before`, and runs it to its end. */
void run_request(struct world *w, unsigned before);

/* Checks that the log has `n` lines, and the last one's level and that its text contains `part`. */
void check_log(size_t n, enum log_level level, const char *part);
