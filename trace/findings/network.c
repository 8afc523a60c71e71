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
/* With fewer that wait, in requests: more for each of them, and longer. With few clients nothing else
 * tells that each request is slow. */
static const struct scale few_waiters = {1, 4};
static const struct scale few_calls = {20, 60};
static const struct scale few_request = {5e7, 2e8};

/* What a request asks of others, one after the other. */
static double calls_per_request(const struct facts *a)
{
    return rule_share((double)a->s->inside.asked.count, (double)a->s->inside.requests);
}

static double time_per_request(const struct facts *a)
{
    return rule_share((double)a->s->inside.asked.total, (double)a->s->inside.requests);
}

static double one_after_the_other(const struct facts *a)
{
    return rule_least(rule_scaled(calls_per_request(a), net_calls),
                      rule_scaled(time_per_request(a), net_request));
}

static double of_few(const struct facts *a)
{
    double waiters = (double)a->s->inside.asked.total / a->window;

    return rule_least(rule_scaled(waiters, few_waiters),
                      rule_least(rule_scaled(calls_per_request(a), few_calls),
                                 rule_scaled(time_per_request(a), few_request)));
}

static double network_bound(const struct facts *a, struct finding *f)
{
    double count, total = rule_waits_for_network(a, &count);
    double waiters = total / a->window;
    double mean = rule_share(total, count);
    double part = rule_share(total, total + a->user + (double)a->s->goroutines.runnable);
    double busy = rule_share(a->user, a->available);
    double chain = one_after_the_other(a), length = rule_scaled(mean, net_duration);
    double many = rule_least(rule_scaled(waiters, net_waiters), rule_most(length, chain));
    double score = rule_most(many, of_few(a));

    rule_tell(f, "waiting_mean", waiters);
    rule_tell(f, "wait_mean_ns", mean);
    rule_tell(f, "waits", count);
    rule_tell(f, "waiting_share", part);
    rule_tell(f, "busy_share", busy);
    if (chain >= 0.5) {
        rule_tell(f, "waits_per_request", calls_per_request(a));
        rule_tell(f, "asked_per_request_ns", time_per_request(a));
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
