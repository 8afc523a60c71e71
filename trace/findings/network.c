/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/rule.h"

/* Goroutines that wait for an answer from the network, on average; the mean length of such a wait;
 * the share of these waits in the time in which goroutines wait so, are runnable or run; and the
 * largest share of P time that the program may use itself. */
static const struct scale net_waiters = {4, 16};
static const struct scale net_duration = {5e6, 2e7};
static const struct scale net_share = {0.8, 0.95};
#define NET_BUSY_MAX 0.5
/* Or, instead of the length of one wait: how many there are for each request, and how long they take,
 * one after the other. */
static const struct scale net_calls = {10, 30};
static const struct scale net_request = {2e7, 1e8};

static double one_after_the_other(const struct facts *a)
{
    const struct summary_inside *in = &a->s->inside;
    double requests = (double)in->requests;

    return rule_least(rule_scaled(rule_share((double)in->asked.count, requests), net_calls),
                      rule_scaled(rule_share((double)in->asked.total, requests), net_request));
}

static double network_bound(const struct facts *a, struct finding *f)
{
    double count, total = rule_waits_for_network(a, &count);
    double waiters = total / a->window;
    double mean = rule_share(total, count);
    double part = rule_share(total, total + a->user + (double)a->s->goroutines.runnable);
    double busy = rule_share(a->user, a->available);
    double chain = one_after_the_other(a), length = rule_scaled(mean, net_duration);
    double score = rule_least(rule_scaled(waiters, net_waiters), rule_most(length, chain));

    rule_tell(f, "waiting_mean", waiters);
    rule_tell(f, "wait_mean_ns", mean);
    rule_tell(f, "waits", count);
    rule_tell(f, "waiting_share", part);
    rule_tell(f, "busy_share", busy);
    if (chain >= 0.5) {
        rule_tell(f, "waits_per_request",
                  rule_share((double)a->s->inside.asked.count, (double)a->s->inside.requests));
        rule_tell(f, "asked_per_request_ns",
                  rule_share((double)a->s->inside.asked.total, (double)a->s->inside.requests));
    }
    f->lost = total;
    rule_point_at(f, &a->s->delays[SUMMARY_NET], STACK_ALL);
    rule_point_at(f, &a->s->delays[SUMMARY_SYNC], STACK_SET(STACK_CALL) | STACK_SET(STACK_CONN));
    return busy <= NET_BUSY_MAX ? rule_least(score, rule_scaled(part, net_share)) : 0;
}

static double net_events(const struct facts *a)
{
    double count;

    (void)rule_waits_for_network(a, &count);
    return count;
}

const struct rule rule_network = {
    .score = network_bound,
    .events = net_events,
    .least = 8,
    .next = "Look at the latency of the peers behind these call sites; unless this process "
            "answers them itself, the time is spent there.",
};
