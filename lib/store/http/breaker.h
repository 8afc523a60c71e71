/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The circuit breaker of one store: whether a request may start, pure arithmetic on a plain struct.
 * While the store is in trouble one request at a time goes through, as a probe, so that an outage
 * costs a few requests a minute however many files wait. It knows nothing of files: a failure that
 * concerns one object only is a success here, for the store answered.
 *
 *   closed  requests go; `threshold` failures in a row, or one with Retry-After, open it
 *   open    the store is in trouble: probes with growing, drawn waits up to `most`
 *   parked  a person must act (no permission, no such bucket): probes every `park`
 *
 * While it is not closed only the probe's result counts: what was under way when it opened says
 * nothing new. Times are boot time; `random` is 64 random bits.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define BREAKER_THRESHOLD 5
#define BREAKER_LEAST (5 * USEC_PER_SEC)
#define BREAKER_MOST USEC_PER_MIN
#define BREAKER_PARK (5 * USEC_PER_MIN)

enum breaker_state {
    BREAKER_CLOSED,
    BREAKER_OPEN,
    BREAKER_PARKED,
};

enum breaker_answer {
    BREAKER_NO,
    BREAKER_YES,
    BREAKER_PROBE, /* one request may: call breaker_probe when it starts */
};

struct breaker {
    /* set by breaker_init; may be changed right after it */
    unsigned threshold;
    usec least, most; /* between two probes while open */
    usec park;        /* between two probes while parked */
    /* changed by the functions below */
    enum breaker_state state;
    bool probing;
    unsigned failures; /* in a row while closed; of probes while open */
    usec next;         /* when the next probe may start */
    usec since;        /* when the state was entered */
};

/* Closed, with the defaults above. */
void breaker_init(struct breaker *b, usec now);

/* The name for logs and metrics: "closed", "open", "parked". */
const char *breaker_state_name(enum breaker_state state);

/* May a request start now? */
enum breaker_answer breaker_allows(const struct breaker *b, usec now);

/*
 * When the next request may start: 0 while closed (at any time), USEC_NEVER while a probe runs (its
 * result decides), else the time of the next probe.
 */
usec breaker_next(const struct breaker *b);

/* A probe starts. When it ends, call exactly one of the four functions below with `probe`. */
void breaker_probe(struct breaker *b);

/*
 * How a request ended; `probe` if it was one. All return true when the state changed, which is when
 * the owner has something to log.
 *   succeeded  the store did what it should, or refused this one object
 *   failed     the store is in trouble; `retry_after`: what it asked for, or 0
 *   parked     a person must act
 *   abandoned  cancelled, or it ended in a way that says nothing about the store
 */
bool breaker_succeeded(struct breaker *b, bool probe, usec now);
bool breaker_failed(struct breaker *b, bool probe, usec now, usec retry_after, uint64_t random);
bool breaker_parked(struct breaker *b, bool probe, usec now, uint64_t random);
bool breaker_abandoned(struct breaker *b, bool probe, usec now);

/* Credentials or configuration changed, which may have ended the trouble: the next probe is due. */
void breaker_wake(struct breaker *b, usec now);
