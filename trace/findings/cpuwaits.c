/* SPDX-License-Identifier: Apache-2.0 */

/* Threads that have work and wait for a CPU: the trace does not show them, but the kernel counts. */

#include "trace/findings/rule.h"

/* Threads that wait for a CPU at any time; and their share of those that wait for one or have one. */
static const struct scale thread_waiting = {1, 4};
static const struct scale thread_share = {0.7, 0.9};
/* The process keeps the CPUs that it may use busy by itself if it uses this share of them. */
#define THREAD_OWN 0.75

bool rule_waits_for_cpu(const struct facts *a, double *ret_mean, double *ret_share)
{
    const struct context *c = a->context;

    if (!c || c->window <= 0 || c->run_wait < 0 || c->cpu < 0 || c->threads <= 0)
        return false;
    *ret_mean = (double)c->run_wait / (double)c->window;
    *ret_share = rule_share((double)c->run_wait, (double)c->run_wait + (double)c->cpu);
    return context_share(c->run_wait, (double)c->threads * (double)c->window) >= 0;
}

static bool uses_its_cpus(const struct context *c)
{
    double cpus = (double)(c->cpus_allowed > 0 ? c->cpus_allowed : c->cpus);

    return cpus > 0 && (double)c->cpu / (double)c->window >= cpus * THREAD_OWN;
}

double rule_waits_for_cpu_score(const struct facts *a, bool own)
{
    double mean, part;

    if (!rule_waits_for_cpu(a, &mean, &part) || uses_its_cpus(a->context) != own)
        return 0;
    return rule_least(rule_scaled(mean, thread_waiting), rule_scaled(part, thread_share));
}

void rule_tell_waits_for_cpu(const struct facts *a, struct finding *f)
{
    double mean, part;

    if (!rule_waits_for_cpu(a, &mean, &part))
        return;
    rule_tell(f, "threads_waiting_mean", mean);
    rule_tell(f, "threads_waiting_share", part);
}
