/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What never moved: waits for the whole trace that nobody seems to be going to end. Each stack that
 * waited so is held against all others: whether a wait at the same call site ended, and whether
 * somebody with a function in common was in a call, a sleep or a syscall all the time, which would
 * be what it waits for.
 */

#include "trace/summary/accumulator.h"

/* Stacks that are looked at, so that the work is bounded. */
#define STILL_MAX 256

static uint64_t counted(const struct sites_stack *stack, unsigned column)
{
    return stack->tallies[column].count;
}

static uint64_t whole(const struct sites_stack *stack)
{
    return counted(stack, SITES_OPEN + SUMMARY_OPEN_UNKNOWN);
}

static bool is_candidate(const struct sites_stack *stack)
{
    return whole(stack) > 0 && (stack->class == STACK_LOCK || stack->class == STACK_JOIN ||
                                ((stack->traits & STACK_SENDS) && stack->class != STACK_TRACER));
}

/* What a goroutine in this stack did all the time that others may wait for; SUMMARY_RAN: nothing. */
static enum summary_before did(const struct accumulator *s, const struct sites_stack *stack)
{
    const struct tally *call = &stack->tallies[SITES_OPEN + SUMMARY_OPEN_SYSCALL];

    if ((STACK_SET(stack->class) & STACK_STANDING) != 0)
        return whole(stack) > 0 && (stack->traits & STACK_POLLS) ? SUMMARY_IN_NETWORK : SUMMARY_RAN;
    if (call->count > 0 && call->max * 10 >= (s->last - s->first) * 9)
        return SUMMARY_IN_SYSCALL;
    if (whole(stack) == 0)
        return SUMMARY_RAN;
    if (stack->traits & STACK_SLEEPS)
        return SUMMARY_ASLEEP;
    return stack->class == STACK_CALL || stack->class == STACK_CONN || (stack->traits & STACK_POLLS)
             ? SUMMARY_IN_NETWORK
             : SUMMARY_RAN;
}

/* Whether somebody gave back a mutex that others waited for, and may be this one. Of waits that began
 * before the trace and ended, nothing else tells what they were for. */
static bool is_passed_on(const struct accumulator *s, uint32_t waiter, uint32_t other)
{
    return s->sites.stacks[waiter].class == STACK_LOCK &&
           (s->sites.stacks[other].traits & STACK_UNLOCKS) &&
           counted(&s->sites.stacks[other], SUMMARY_SCHED) > 0 &&
           sites_related(&s->sites, waiter, other);
}

/* Whether waits at the stack's site ended; or, of a sender, others joined it. */
static bool moves(const struct accumulator *s, uint32_t n)
{
    const struct sites_stack *stack = &s->sites.stacks[n];
    bool grows = (stack->traits & (STACK_SENDS | STACK_SERVES)) == STACK_SENDS;

    for (uint32_t i = SITES_FIRST; i < s->sites.n_stacks; i++) {
        const struct sites_stack *other = &s->sites.stacks[i];
        uint64_t ended = counted(other, SUMMARY_SYNC) + counted(other, SITES_UNKNOWN) +
                         (grows ? counted(other, SITES_OPEN + SUMMARY_OPEN_SYNC) : 0);

        if (ended > 0 && other->class == stack->class && sites_same(&s->sites, i, n, SUMMARY_SYNC))
            return true;
        if (is_passed_on(s, n, i))
            return true;
    }
    return false;
}

/* Whether somebody may have what the stack waits for and be busy with something else all the time.
 * Of a lock, that is told as if that one had given it back. */
static bool is_kept(struct accumulator *s, uint32_t n)
{
    const struct sites_stack *stack = &s->sites.stacks[n];
    const struct tally *open = &stack->tallies[SITES_OPEN + SUMMARY_OPEN_UNKNOWN];
    bool ret = false;

    for (uint32_t i = SITES_FIRST; i < s->sites.n_stacks; i++) {
        struct wakers_pair pair = {n, SITES_NO_STACK, did(s, &s->sites.stacks[i]), TEXTS_EMPTY, i};

        if (pair.before == SUMMARY_RAN)
            continue;
        if (sites_related(&s->sites, n, i)) {
            if (stack->class == STACK_LOCK) {
                wakers_add(&s->wakers, &pair, open->total, open->total, false);
                s->out->wakers.lock[pair.before] += open->total;
            }
            return true;
        }
        ret = ret || ((STACK_SET(s->sites.stacks[i].class) & STACK_STANDING) == 0 &&
                      !sites_of_main(&s->sites, i) && sites_same_package(&s->sites, n, i));
    }
    return ret;
}

/* So many senders at one place are not one that was left behind. */
#define SENDERS 3

/* Whether the stack's goroutine waits for these senders: with a function in common, or many of the
 * same package. */
static bool joins(const struct accumulator *s, uint32_t n, uint32_t sender)
{
    return sites_related(&s->sites, n, sender) ||
           (whole(&s->sites.stacks[sender]) >= SENDERS && !sites_of_main(&s->sites, n) &&
            sites_same_package(&s->sites, n, sender));
}

/* Whether one function began both; or they are several workers each, at two stages of the same. */
static bool belong_together(const struct accumulator *s, uint32_t a, uint32_t b)
{
    return sites_siblings(&s->sites, a, b) ||
           (whole(&s->sites.stacks[a]) > 1 && whole(&s->sites.stacks[b]) > 1 &&
            sites_methods(&s->sites, a, b));
}

/* Whether goroutines that this one waits for, or that belong to it, wait to send. */
static bool has_partner(const struct accumulator *s, uint32_t n)
{
    for (uint32_t i = SITES_FIRST; i < s->sites.n_stacks; i++) {
        const struct sites_stack *other = &s->sites.stacks[i];

        if (whole(other) == 0 || !(other->traits & STACK_SENDS) || i == n)
            continue;
        if (s->sites.stacks[n].class == STACK_JOIN ? joins(s, n, i) : belong_together(s, n, i))
            return true;
    }
    return false;
}

/* Whether a goroutine that may have what the stack waits for stopped while it ran, or woke another
 * one. */
static bool is_doubtful(const struct accumulator *s, uint32_t n)
{
    for (uint32_t i = SITES_FIRST; i < s->sites.n_stacks; i++) {
        if (counted(&s->sites.stacks[i], SUMMARY_SCHED) > 0 && sites_related(&s->sites, n, i))
            return true;
    }
    return false;
}

static void count(struct accumulator *s, uint32_t n)
{
    struct summary_still *out = &s->out->still;
    struct sites_stack *stack = &s->sites.stacks[n];
    bool serves = stack->traits & STACK_SERVES;
    uint64_t *sum;

    if (stack->class == STACK_LOCK)
        sum = &out->locks;
    else if (stack->class == STACK_JOIN)
        sum = serves ? &out->joins_serving : &out->joins;
    else
        sum = serves ? &out->sends_serving : &out->sends;
    if (sum == &out->joins && !has_partner(s, n))
        return;
    if (sum == &out->sends && has_partner(s, n))
        out->sends_to_each_other += whole(stack);
    *sum += whole(stack);
    out->doubtful += is_doubtful(s, n) ? whole(stack) : 0;
    stack->tallies[SITES_STILL] = stack->tallies[SITES_OPEN + SUMMARY_OPEN_UNKNOWN];
}

int accumulator_still_finish(struct accumulator *s)
{
    uint32_t looked_at = 0;

    for (uint32_t i = SITES_FIRST; i < s->sites.n_stacks && looked_at < STILL_MAX; i++) {
        if (!is_candidate(&s->sites.stacks[i]))
            continue;
        looked_at++;
        if (!moves(s, i) && !is_kept(s, i))
            count(s, i);
    }
    return 0;
}
