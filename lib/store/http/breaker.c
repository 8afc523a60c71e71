/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/store/http/breaker.h"

#include "base/backoff.h"

#define PARK_JITTER 10 /* a tenth of the wait is random */

void breaker_init(struct breaker *b, usec now)
{
    *b = (struct breaker){
        .threshold = BREAKER_THRESHOLD,
        .least = BREAKER_LEAST,
        .most = BREAKER_MOST,
        .park = BREAKER_PARK,
        .state = BREAKER_CLOSED,
        .since = now,
    };
}

const char *breaker_state_name(enum breaker_state state)
{
    static const char *const names[] = {
        [BREAKER_CLOSED] = "closed",
        [BREAKER_OPEN] = "open",
        [BREAKER_PARKED] = "parked",
    };

    return names[state];
}

enum breaker_answer breaker_allows(const struct breaker *b, usec now)
{
    if (b->state == BREAKER_CLOSED)
        return BREAKER_YES;
    return !b->probing && now >= b->next ? BREAKER_PROBE : BREAKER_NO;
}

usec breaker_next(const struct breaker *b)
{
    if (b->state == BREAKER_CLOSED)
        return 0;
    return b->probing ? USEC_NEVER : b->next;
}

void breaker_probe(struct breaker *b)
{
    b->probing = true;
}

static bool enter(struct breaker *b, enum breaker_state state, usec now)
{
    if (b->state == state)
        return false;
    b->state = state;
    b->since = now;
    b->failures = 0;
    return true;
}

static usec later(usec now, usec wait)
{
    return wait > USEC_NEVER - now ? USEC_NEVER : now + wait;
}

/* Whether the result counts. If it was a probe's, another probe may start. */
static bool counts(struct breaker *b, bool probe)
{
    if (probe)
        b->probing = false;
    return probe || b->state == BREAKER_CLOSED;
}

bool breaker_succeeded(struct breaker *b, bool probe, usec now)
{
    if (!counts(b, probe))
        return false;
    b->failures = 0;
    return enter(b, BREAKER_CLOSED, now);
}

bool breaker_failed(struct breaker *b, bool probe, usec now, usec retry_after, uint64_t random)
{
    struct backoff backoff = {.base = b->least};
    usec least = retry_after > b->least ? retry_after : b->least;
    bool changed = false;

    if (!counts(b, probe))
        return false;
    if (b->state == BREAKER_CLOSED && retry_after == 0 && b->failures + 1 < b->threshold) {
        b->failures++;
        return false;
    }
    changed = enter(b, BREAKER_OPEN, now);
    backoff.cap = b->most > b->least ? b->most - b->least : 0;
    b->next = later(now, backoff_wait(&backoff, b->failures, least, random));
    if (b->failures < UINT32_MAX)
        b->failures++;
    return changed;
}

bool breaker_parked(struct breaker *b, bool probe, usec now, uint64_t random)
{
    if (!counts(b, probe))
        return false;
    b->next = later(now, b->park - backoff_draw(b->park / PARK_JITTER, random));
    return enter(b, BREAKER_PARKED, now);
}

bool breaker_abandoned(struct breaker *b, bool probe, usec now)
{
    if (counts(b, probe) && b->state != BREAKER_CLOSED)
        b->next = later(now, b->least);
    return false;
}

void breaker_wake(struct breaker *b, usec now)
{
    if (b->state != BREAKER_CLOSED && b->next > now)
        b->next = now;
}
