/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/summary/outliers.h"

#include <string.h>

#define NONE SUMMARY_N_SLOW

/* The kinds of waits whose reason is that of a row's name. What is meant to wait is in no list, nor
 * are the runtime's own goroutines. */
static const uint8_t kinds[OUTLIERS_N_REASONS][STACK_N_CLASSES] = {
    [OUTLIERS_SYNC] =
        {
            [STACK_OTHER] = SUMMARY_SLOW_CHANNEL,
            [STACK_LOCK] = SUMMARY_SLOW_LOCK,
            [STACK_JOIN] = SUMMARY_SLOW_CHANNEL,
            [STACK_LISTENER] = NONE,
            [STACK_CALL] = SUMMARY_SLOW_CALL,
            [STACK_HANDLER] = SUMMARY_SLOW_REQUEST,
            [STACK_PARKED] = NONE,
            [STACK_READ] = SUMMARY_SLOW_CHANNEL,
            [STACK_TRACER] = NONE,
            [STACK_POOL] = SUMMARY_SLOW_REQUEST,
            [STACK_LIMIT] = SUMMARY_SLOW_REQUEST,
            [STACK_CONN] = SUMMARY_SLOW_CALL,
            [STACK_CLIENT] = SUMMARY_SLOW_REQUEST,
            [STACK_RUNTIME] = NONE,
        },
    [OUTLIERS_NETWORK] =
        {
            [STACK_OTHER] = SUMMARY_SLOW_NETWORK,
            [STACK_LOCK] = SUMMARY_SLOW_NETWORK,
            [STACK_JOIN] = SUMMARY_SLOW_NETWORK,
            [STACK_LISTENER] = NONE,
            [STACK_CALL] = SUMMARY_SLOW_CALL,
            [STACK_HANDLER] = SUMMARY_SLOW_REQUEST,
            [STACK_PARKED] = NONE,
            [STACK_READ] = SUMMARY_SLOW_NETWORK,
            [STACK_TRACER] = NONE,
            [STACK_POOL] = SUMMARY_SLOW_REQUEST,
            [STACK_LIMIT] = SUMMARY_SLOW_REQUEST,
            [STACK_CONN] = SUMMARY_SLOW_CALL,
            [STACK_CLIENT] = SUMMARY_SLOW_REQUEST,
            [STACK_RUNTIME] = NONE,
        },
    [OUTLIERS_UNKNOWN] =
        {
            [STACK_OTHER] = SUMMARY_SLOW_UNKNOWN,
            [STACK_LOCK] = SUMMARY_SLOW_LOCK,
            [STACK_JOIN] = SUMMARY_SLOW_CHANNEL,
            [STACK_LISTENER] = NONE,
            [STACK_CALL] = SUMMARY_SLOW_CALL,
            [STACK_HANDLER] = SUMMARY_SLOW_REQUEST,
            [STACK_PARKED] = NONE,
            [STACK_READ] = SUMMARY_SLOW_UNKNOWN,
            [STACK_TRACER] = NONE,
            [STACK_POOL] = SUMMARY_SLOW_REQUEST,
            [STACK_LIMIT] = SUMMARY_SLOW_REQUEST,
            [STACK_CONN] = SUMMARY_SLOW_CALL,
            [STACK_CLIENT] = SUMMARY_SLOW_REQUEST,
            [STACK_RUNTIME] = NONE,
        },
};

enum summary_slow outliers_kind(enum outliers_reason reason, enum stack_class class)
{
    return reason == OUTLIERS_APART ? SUMMARY_N_SLOW : kinds[reason][class];
}

enum summary_profile outliers_profile(enum summary_slow kind)
{
    switch (kind) {
    case SUMMARY_SLOW_LOCK:
    case SUMMARY_SLOW_REQUEST:
    case SUMMARY_SLOW_CHANNEL:
    case SUMMARY_SLOW_UNKNOWN: return SUMMARY_SYNC;
    case SUMMARY_SLOW_CALL:
    case SUMMARY_SLOW_NETWORK: return SUMMARY_NET;
    case SUMMARY_SLOW_SYSCALLS: return SUMMARY_SYSCALL;
    default: return SUMMARY_SCHED;
    }
}

void outliers_init(struct outliers *o)
{
    memset(o, 0, sizeof(*o));
    for (unsigned reason = 0; reason < OUTLIERS_N_REASONS; reason++)
        for (unsigned class = 0; class < STACK_N_CLASSES; class++)
            o->waits[reason][class] =
                outliers_kind(reason, class) == SUMMARY_N_SLOW ? INT64_MAX : 0;
}

static uint32_t shortest(const struct outliers *o, enum summary_slow kind)
{
    uint32_t found = 0;

    for (uint32_t i = 1; i < SUMMARY_SLOWEST; i++)
        if (o->lists[kind][i].duration < o->lists[kind][found].duration)
            found = i;
    return found;
}

static void set_floor(struct outliers *o, enum summary_slow kind, int64_t floor)
{
    o->floors[kind] = floor;
    for (unsigned reason = 0; reason < OUTLIERS_N_REASONS; reason++)
        for (unsigned class = 0; class < STACK_N_CLASSES; class++)
            if (outliers_kind(reason, class) == kind)
                o->waits[reason][class] = floor;
}

uint32_t outliers_add(struct outliers *o, enum summary_slow kind, const struct outlier *outlier)
{
    uint32_t place;

    if (outlier->duration <= o->floors[kind])
        return OUTLIERS_NO_PLACE;
    place = o->n[kind] < SUMMARY_SLOWEST ? o->n[kind]++ : shortest(o, kind);
    o->lists[kind][place] = *outlier;
    if (o->n[kind] == SUMMARY_SLOWEST)
        set_floor(o, kind, o->lists[kind][shortest(o, kind)].duration);
    return place;
}

static bool is_before(const struct outlier *a, const struct outlier *b)
{
    if (a->duration != b->duration)
        return a->duration > b->duration;
    return a->since < b->since;
}

void outliers_order(const struct outliers *o, enum summary_slow kind,
                    uint32_t order[SUMMARY_SLOWEST])
{
    const struct outlier *list = o->lists[kind];

    for (uint32_t i = 0; i < o->n[kind]; i++) {
        uint32_t at = i;

        for (; at > 0 && is_before(&list[i], &list[order[at - 1]]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}
