/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "trace/schedtrace/rules.h"

/* Goroutines that the network woke and that wait for a P, on average, for each P; and the share of
 * snapshots in which they are most of those that wait, while no P is idle. */
static const struct pattern_scale woken_per_p = {4, 16};
static const struct pattern_scale woken_share = {0.4, 0.8};

/* Without details a queue may have any cause: that is never more than near. */
static const struct pattern_scale queued_per_p = {8, 1000};
#define UNTOLD 0.49

struct woken {
    uint64_t sum, most;
    size_t snapshots; /* in which they are most */
    uint64_t queued;
    bool details;
};

static bool is_woken(const struct snapshot *s)
{
    return s->has_gs && s->head.idle == 0 && 2 * s->gs.runnable_io > s->gs.runnable;
}

static struct woken count(const struct process *p)
{
    struct woken w = {.details = process_detailed(p)};

    for (size_t i = 1; i < p->n; i++) {
        const struct snapshot *s = p->list[i];

        w.sum += s->gs.runnable_io;
        if (s->gs.runnable_io > w.most)
            w.most = s->gs.runnable_io;
        w.snapshots += is_woken(s);
        w.queued += snapshot_queued(s);
    }
    return w;
}

static void look_at_details(const struct process *p, const struct woken *w, double per_p,
                            struct pattern *ret)
{
    double share = pattern_share((double)w->snapshots, (double)(p->n - 1));
    double much = pattern_scaled(per_p, woken_per_p), often = pattern_scaled(share, woken_share);

    pattern_tell(ret, "woken_per_p", per_p);
    pattern_tell(ret, "woken_max", (double)w->most);
    pattern_tell(ret, "woken_most_share", share);
    ret->score = much < often ? much : often;
    for (size_t i = 1; i < p->n; i++)
        if (is_woken(p->list[i]))
            pattern_prove_by(ret, p->list[i]);
    (void)snprintf(ret->says, sizeof(ret->says),
                   "%.1f goroutines that the network woke wait for each P on average, up to %ju at "
                   "once",
                   per_p, (uintmax_t)w->most);
}

static void look(const struct process *p, struct pattern *ret)
{
    double procs = p->list[p->n - 1]->head.procs, turns = (double)(p->n - 1);
    struct woken w = count(p);
    double queued = (double)w.queued / turns / procs;

    pattern_tell(ret, "queued_per_p", queued);
    if (w.details) {
        look_at_details(p, &w, (double)w.sum / turns / procs, ret);
        return;
    }
    ret->score = pattern_scaled(queued, queued_per_p);
    if (ret->score > UNTOLD)
        ret->score = UNTOLD;
    ret->lacking = "what the goroutines waited for that are queued: scheddetail=1";
    (void)snprintf(ret->says, sizeof(ret->says),
                   "%.1f goroutines are queued for each P on average, whoever woke them", queued);
}

const struct pattern_rule netpoll_rule = {
    .code = "netpoller-saturation",
    .what = "the network wakes more goroutines than the Ps can run",
    .look = look,
    .limits =
        "How long those that are woken wait for a P, no snapshot tells, nor which connections "
        "they serve.",
    .next = "Do less for each message, or have more CPUs and Ps; read several messages at a time. "
            "'contrace summary' of a trace has the latency.",
};
