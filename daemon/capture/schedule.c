/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/capture/schedule.h"

#include "base/backoff.h"
#include "base/random.h"

/* The cap exceeds any sensible interval. */
static const struct backoff retry_down = {.base = 5 * USEC_PER_SEC,
                                          .cap = (5 * USEC_PER_SEC) << 16};

/* Maps 64 random bits evenly to [0, n): the high half of a 128-bit product. */
static uint64_t pick(uint64_t random, uint64_t n)
{
    return (uint64_t)(((__uint128_t)random * n) >> 64);
}

uint64_t schedule_hash(const char *job, const char *address, const char *host)
{
    return random_mix(random_fnv(random_fnv(random_fnv(RANDOM_FNV, job), address), host));
}

void schedule_init(struct schedule *s, uint64_t hash, usec interval, usec real, usec boot)
{
    usec phase = pick(hash, interval);
    usec since = (real % interval + interval - phase) % interval; /* since the last phase */

    s->hash = hash;
    s->interval = interval;
    /* If the machine booted less than `since` ago, the last cycle was before boot time 0: cycle 0
     * is then the next one. */
    s->origin = boot >= since ? boot - since : boot + interval - since;
}

void schedule_shift(struct schedule *s, unsigned place, unsigned places)
{
    s->origin += s->interval / places * place;
}

usec schedule_due(const struct schedule *s, uint64_t cycle)
{
    usec width = (usec)((double)s->interval * SCHEDULE_JITTER);
    usec jitter = pick(random_mix(s->hash + (cycle + 1) * RANDOM_STEP), 2 * width + 1);
    usec due = s->origin + cycle * s->interval + jitter;

    return due > width ? due - width : 0;
}

usec schedule_next(const struct schedule *s, usec last, usec now)
{
    usec earliest = last > 0 && last + s->interval / 2 > now ? last + s->interval / 2 : now;
    uint64_t cycle = earliest > s->origin ? (earliest - s->origin) / s->interval : 0;

    /* Jitter may have moved this cycle's due time to either side of `earliest`. */
    while (schedule_due(s, cycle) <= earliest)
        cycle++;
    return schedule_due(s, cycle);
}

usec schedule_first(uint64_t i, uint64_t n, usec interval, usec now)
{
    usec spacing = SCHEDULE_FIRST_SPACING;

    if (n > 0 && n > interval / SCHEDULE_FIRST_SPACING)
        return now + (usec)((__uint128_t)interval * i / n);
    return now + i * spacing;
}

usec schedule_retry_busy(usec now, usec next, usec window, uint64_t random)
{
    usec at = now + window + pick(random, 4 * window + 1);

    return at < next ? at : USEC_NEVER;
}

usec schedule_retry_down(usec now, usec next, unsigned attempt, uint64_t random)
{
    usec wait = backoff_ceiling(&retry_down, attempt);
    usec at = now + wait / 2 + pick(random, wait / 2 + 1);

    return at < next ? at : USEC_NEVER;
}

usec schedule_backoff(unsigned failures, usec interval)
{
    unsigned times = failures < 3 ? 1 : failures < 6 ? 2 : 4;
    usec most = interval > SCHEDULE_BACKOFF_MAX ? interval : SCHEDULE_BACKOFF_MAX;

    return interval * times < most ? interval * times : most;
}
