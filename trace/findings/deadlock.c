/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

/* Goroutines that waited for the whole window for what nobody gives: at least two. */
static const struct scale deadlock_goroutines = {1, 3};
#define DEADLOCK_LEAST 2
/* A shorter window says nothing. */
#define DEADLOCK_WINDOW 9e8
/* With so much of a processor in use, the one that is waited for may be computing. */
#define DEADLOCK_BUSY 0.9

/*
 * Goroutines that wait for each other by channels. A generator that nobody asks waits to send, too,
 * and so does a goroutine that was left behind: so senders that serve no request count only if
 * they were begun together and are at different places, or if somebody waits for them.
 */
static double by_channels(const struct summary_still *still)
{
    double ret = (double)still->sends_serving;

    if (still->sends > 0 && still->joins + still->joins_serving > 0)
        ret += (double)still->sends + (double)still->joins;
    else
        ret += (double)still->sends_to_each_other;
    if (ret > 0)
        ret += (double)still->joins_serving;
    return ret;
}

static double deadlock(const struct facts *a, struct finding *f)
{
    const struct summary_still *still = &a->s->still;
    double channels = by_channels(still);
    double all = (double)still->locks + channels;

    rule_tell(f, "waiting_for_mutexes", (double)still->locks);
    rule_tell(f, "waiting_for_others", channels);
    rule_tell(f, "window_ns", a->window);
    f->lost = all * a->window;
    rule_point_at(f, &still->sites, STACK_ALL);
    if (a->window < DEADLOCK_WINDOW ||
        (still->doubtful > 0 && a->user / a->window >= DEADLOCK_BUSY) ||
        (still->locks < DEADLOCK_LEAST && channels < DEADLOCK_LEAST))
        return 0;
    return rule_scaled(all, deadlock_goroutines);
}

const struct rule rule_deadlock = {
    .score = deadlock,
    .next = "Take a goroutine profile (/debug/pprof/goroutine?debug=2) and see who waits for whom: "
            "locks in two orders, a lock that is never given back, a channel that nobody reads.",
};
