/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "trace/findings/holder.h"
#include "trace/findings/rule.h"

/*
 * Goroutines that wait inside of the process for the sake of a request. Where the stack says what
 * for (a pool, a limiter, a semaphore): how many on average, how long each time, and the share of
 * this time in the time in which goroutines wait so, are runnable or run.
 */
static const struct scale pool_waiters = {1, 4};
static const struct scale pool_duration = {5e6, 2e7};
static const struct scale pool_share = {0.3, 0.7};
/* The same where it only says that a handler waits for a channel, a WaitGroup or the like; and the
 * most of the Ps that the program may use then. */
static const struct scale other_waiters = {4, 16};
static const struct scale other_duration = {2e7, 1e8};
static const struct scale other_share = {0.8, 0.95};
#define OTHER_BUSY_MAX 0.5

static void add(struct summary_class *to, const struct summary_class *from)
{
    to->count += from->count;
    to->total += from->total;
    to->whole += from->whole;
    to->whole_total += from->whole_total;
    if (from->max > to->max)
        to->max = from->max;
}

/* A handler that sends what it receives, as it comes, talks with its client; and what is woken with
 * many others is a message for all of them. */
static bool are_messages(const struct summary_inside *in, const struct summary_class *waits,
                         uint64_t bursts)
{
    return in->flushes * 3 >= waits->count || bursts * 5 >= waits->count;
}

/* Of the waits for a condition this part must end within the window, each by itself: then those that
 * have not ended wait for their turn, too, and not for a message. */
#define CONDITIONS_ENDED 5

static void add_conditions(struct summary_class *to, const struct summary_inside *in)
{
    uint64_t all = in->conditions + in->conditions_open.count;

    if (in->conditions * CONDITIONS_ENDED < all || in->condition_bursts * 5 >= in->conditions)
        return;
    add(to, &in->conditions_before);
    add(to, &in->conditions_open);
}

static struct summary_class sure(const struct facts *a)
{
    const struct summary_inside *in = &a->s->inside;
    struct summary_class ret = in->pool;
    double own = rule_waits_for_own_conn(a);

    add(&ret, &in->limit);
    add(&ret, &in->turn);
    if (own > 0) {
        ret.count += in->conn.count;
        ret.total += (int64_t)own;
        ret.max = in->conn.max > ret.max ? in->conn.max : ret.max;
    }
    return ret;
}

/* Waits of handlers whose stacks do not say more, without those that may be for their clients' next
 * message: a long poll lasts for longer than the window, mostly. */
static struct summary_class unsure(const struct facts *a)
{
    const struct summary_inside *in = &a->s->inside;
    struct summary_class ret = in->send;
    double ignored, left;

    add(&ret, &in->join);
    add(&ret, &in->answers);
    add_conditions(&ret, in);
    if (!are_messages(in, &in->receive, in->receive_bursts))
        add(&ret, &in->receive);
    if (!are_messages(in, &in->select, in->select_bursts) && in->select_open <= in->select.total)
        add(&ret, &in->select);
    /* Who waits for goroutines that wait for the network waits for the network. */
    left = (double)ret.total - rule_waits_for_network(a, &ignored);
    ret.total = left > 0 ? (int64_t)left : 0;
    return ret;
}

struct marks {
    struct scale waiters, duration, share;
};

static double judge(const struct facts *a, const struct summary_class *waits, struct marks marks)
{
    double total = (double)waits->total;
    double part = rule_share(total, total + a->user + (double)a->s->goroutines.runnable);
    double score = rule_least(rule_scaled(total / a->window, marks.waiters),
                              rule_scaled(rule_share(total, (double)waits->count), marks.duration));

    return rule_least(score, rule_scaled(part, marks.share));
}

/* What the site that costs most waits for, if its stack says that. */
static void tell_what_for(const struct summary_sites *sites, struct finding *f)
{
    for (size_t i = 0; i < sites->n && f->remark[0] == '\0'; i++) {
        for (size_t j = 0; j < sites->list[i].n_top; j++) {
            const char *word = stack_word(sites->list[i].top[j].func);

            if (word) {
                (void)snprintf(f->remark, sizeof(f->remark), "waits for %s", word);
                return;
            }
        }
    }
}

#define SURE (STACK_SET(STACK_POOL) | STACK_SET(STACK_LIMIT))
#define TURN STACK_SET(STACK_OTHER)

/* The waits that the finding is about. */
struct verdict {
    struct summary_class waits;
    bool named; /* their stacks say what for */
    double score;
};

static struct verdict decide(const struct facts *a)
{
    const struct marks named = {pool_waiters, pool_duration, pool_share};
    const struct marks unnamed = {other_waiters, other_duration, other_share};
    struct verdict ret = {.waits = sure(a), .named = true}, other = {.waits = unsure(a)};

    ret.score = judge(a, &ret.waits, named);
    other.score = judge(a, &other.waits, unnamed);
    return rule_share(a->user, a->available) <= OTHER_BUSY_MAX && other.score > ret.score ? other
                                                                                          : ret;
}

static double blocked_in_request(const struct facts *a, struct finding *f)
{
    const struct summary *s = a->s;
    const struct verdict verdict = decide(a);
    const struct summary_class *waits = &verdict.waits;

    rule_tell(f, "waiting_mean", (double)waits->total / a->window);
    rule_tell(f, "wait_mean_ns", rule_share((double)waits->total, (double)waits->count));
    rule_tell(f, "wait_max_ns", (double)waits->max);
    rule_tell(f, "waits", (double)waits->count);
    rule_tell(f, "busy_share", rule_share(a->user, a->available));
    f->lost = (double)waits->total;
    if (verdict.named) {
        rule_point_at(f, &s->inside.sites, SURE | (s->inside.turn.count > 0 ? TURN : 0));
        rule_point_at_open(f, &s->open[SUMMARY_OPEN_SYNC], SURE);
        rule_point_at_open(f, &s->open[SUMMARY_OPEN_UNKNOWN], SURE);
        if (rule_waits_for_own_conn(a) > 0)
            rule_point_at(f, &s->delays[SUMMARY_SYNC], STACK_SET(STACK_CONN));
        tell_what_for(&s->inside.sites, f);
        tell_what_for(&s->delays[SUMMARY_SYNC], f);
    } else {
        rule_point_at(f, &s->inside.sites, ~SURE);
        rule_point_at_open(f, &s->open[SUMMARY_OPEN_SYNC], STACK_SET(STACK_HANDLER));
        rule_point_at_open(f, &s->open[SUMMARY_OPEN_UNKNOWN], STACK_SET(STACK_HANDLER));
        holder_tell_inside(s, f);
    }
    return verdict.score;
}

static double blocked_events(const struct facts *a)
{
    return (double)decide(a).waits.count;
}

const struct rule rule_blocked = {
    .score = blocked_in_request,
    .events = blocked_events,
    .least = 5,
    .next =
        "Look at who keeps what these requests wait for: too small a pool or limit, a connection "
        "that is not given back, a worker that is slow, a straggler.",
};
