/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

/* Goroutines that wait for an answer from the network, on average; the mean length of such a wait;
 * the share of these waits in the time in which goroutines wait so, are runnable or run; and the
 * largest share of P time that the program may use itself. */
static const struct scale net_waiters = {4, 16};
static const struct scale net_duration = {5e6, 2e7};
static const struct scale net_share = {0.8, 0.95};
#define NET_BUSY_MAX 0.5

/*
 * A wait counts as a wait for an answer if its stack says so. If the stack says nothing, it counts
 * if it began and ended within the window: an unused connection would be silent for longer.
 */
static double network_bound(const struct facts *a, struct finding *f)
{
    const struct summary_classes *by = &a->s->classes;
    double total = (double)by->network[STACK_OTHER].whole_total +
                   (double)by->network[STACK_CALL].total +
                   (double)by->network[STACK_HANDLER].total + (double)by->sync[STACK_CALL].total;
    double count = (double)by->network[STACK_OTHER].whole + (double)by->network[STACK_CALL].count +
                   (double)by->network[STACK_HANDLER].count + (double)by->sync[STACK_CALL].count;
    double waiters = total / a->window;
    double mean = rule_share(total, count);
    double part = rule_share(total, total + a->user + (double)a->s->goroutines.runnable);
    double busy = rule_share(a->user, a->available);
    double score = rule_least(rule_scaled(waiters, net_waiters), rule_scaled(mean, net_duration));

    rule_tell(f, "waiting_mean", waiters);
    rule_tell(f, "wait_mean_ns", mean);
    rule_tell(f, "waits", count);
    rule_tell(f, "waiting_share", part);
    rule_tell(f, "busy_share", busy);
    f->lost = total;
    rule_point_at(f, &a->s->delays[SUMMARY_NET], STACK_ALL);
    rule_point_at(f, &a->s->delays[SUMMARY_SYNC], STACK_SET(STACK_CALL));
    return busy <= NET_BUSY_MAX ? rule_least(score, rule_scaled(part, net_share)) : 0;
}

static double net_events(const struct facts *a)
{
    const struct summary_classes *by = &a->s->classes;

    return (double)by->network[STACK_OTHER].whole + (double)by->network[STACK_CALL].count +
           (double)by->network[STACK_HANDLER].count + (double)by->sync[STACK_CALL].count;
}

const struct rule rule_network = {
    .code = "network-bound",
    .score = network_bound,
    .events = net_events,
    .least = 8,
    .next =
        "Look at the latency of the peers behind these call sites; the time is spent there, not in "
        "this process.",
};
