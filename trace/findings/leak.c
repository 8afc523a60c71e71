/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "trace/findings/rule.h"

/*
 * How many more goroutines there are of one `go` statement, with the ends of older ones, which may
 * have been of the same, taken off. A select may be one with a time-out, and goroutines that wait
 * for one for longer than the window are common: it takes more of them, unless it is known by name.
 */
static const struct scale leak_growth = {100, 1000};
static const struct scale leak_growth_select = {500, 5000};

/* Of those that were created, how many have not ended; or, where some find what others wait for, of
 * the waits at the site, how many have not ended. */
static const struct scale leak_left = {0.95, 0.99};

/* Of those that are left, how many exceed the ends of older ones; and how many wait at one site. */
static const struct scale leak_net = {0.8, 0.95};
static const struct scale leak_stuck = {0.8, 0.95};

/* In the quarter of the window in which the fewest of these were created: of the mean. What starts
 * once starts all at once. */
static const struct scale leak_steady = {0.25, 0.5};

/* How many older ones wait there, for each new one: it grew before the window, too. */
static const struct scale leak_before = {0.4, 0.8};

/* With so many that wait for the network, for each new one, these come with new connections. */
#define LEAK_CONNECTIONS 0.3

/* Who serves a request, or waits for an answer, has a peer that may end it. */
static bool has_peer(const struct summary_growth *g)
{
    return g->class == STACK_HANDLER || g->class == STACK_CALL || g->class == STACK_CLIENT;
}

static double staying(const struct summary_growth *g)
{
    const struct summary_origin *top = &g->list[0];
    double created = (double)top->created, waiting = (double)g->waiting;

    return rule_most(rule_share(created - (double)top->ended, created),
                     rule_share(waiting, waiting + (double)g->waits_over));
}

/* Before Go 1.23, a trace does not tell where older goroutines wait. */
static double older(const struct facts *a)
{
    const struct summary_growth *g = &a->s->growth;

    return (double)(a->s->version < 23 ? g->older_untold : g->older_waiting);
}

static double strength(const struct facts *a, double growth)
{
    const struct summary_growth *g = &a->s->growth;
    const struct summary_origin *top = &g->list[0];
    bool selects = g->class == STACK_OTHER && strncmp(g->reason, "select", 6) == 0;
    double left = (double)(top->created - top->ended);
    double score = rule_scaled(growth, selects ? leak_growth_select : leak_growth);

    if (!g->blocked || has_peer(g) || (double)g->in_network > LEAK_CONNECTIONS * growth)
        return 0;
    score = rule_least(score, rule_scaled(staying(g), leak_left));
    score = rule_least(score, rule_scaled(rule_share(growth, left), leak_net));
    score = rule_least(score, rule_scaled(rule_share((double)g->waiting, left), leak_stuck));
    score = rule_least(score, rule_scaled(rule_steadiness(g), leak_steady));
    return rule_least(score, rule_scaled(rule_share(older(a), growth), leak_before));
}

/* "9,102" */
static const char *grouped(uint64_t n, char out[static 32])
{
    char *at = out + 31;
    unsigned digits = 0;

    *at = '\0';
    do {
        if (digits > 0 && digits % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + n % 10);
        digits++;
    } while (n /= 10);
    return at;
}

static void say(const struct facts *a, struct finding *f)
{
    char from[32], to[32];

    (void)snprintf(f->remark, sizeof(f->remark),
                   "from %s to %s goroutines; the new ones wait for: %s",
                   grouped(a->s->goroutines.at_start, from), grouped(a->s->goroutines.at_end, to),
                   a->s->growth.reason);
}

static double goroutine_leak(const struct facts *a, struct finding *f)
{
    const struct summary_goroutines *all = &a->s->goroutines;
    const struct summary_growth *g = &a->s->growth;
    double growth;

    if (g->n == 0)
        return 0;
    growth = (double)(g->list[0].created - g->list[0].ended) - (double)g->older_ended;
    rule_tell(f, "goroutines_at_start", (double)all->at_start);
    rule_tell(f, "goroutines_at_end", (double)all->at_end);
    rule_tell(f, "created", (double)g->list[0].created);
    rule_tell(f, "ended", (double)g->list[0].ended);
    rule_tell(f, "created_per_s", rule_rate(a, (double)g->list[0].created));
    rule_tell(f, "waiting", (double)g->waiting);
    rule_tell(f, "older_waiting", older(a));
    say(a, f);
    rule_point_at_growth(f, g);
    return rule_most(strength(a, growth), 0);
}

const struct rule rule_leak = {
    .score = goroutine_leak,
    .next =
        "The first site starts goroutines that do not end, the second is where they wait: give them "
        "a way to end (a context, a channel with room for one answer, a close). The goroutine "
        "profile counts all that wait there.",
};
