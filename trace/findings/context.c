/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/findings/context.h"

void context_init(struct context *c)
{
    static const struct context_pressure none = {CONTEXT_ABSENT, CONTEXT_ABSENT};

    *c = (struct context){
        .window = CONTEXT_ABSENT,
        .quota = CONTEXT_ABSENT,
        .period = CONTEXT_ABSENT,
        .periods = CONTEXT_ABSENT,
        .throttled_periods = CONTEXT_ABSENT,
        .throttled = CONTEXT_ABSENT,
        .usage = CONTEXT_ABSENT,
        .cgroup_version = CONTEXT_ABSENT,
        .levels_up = CONTEXT_ABSENT,
        .cgroup_cpu = none,
        .memory_levels_up = CONTEXT_ABSENT,
        .memory_current = CONTEXT_ABSENT,
        .memory_max = CONTEXT_ABSENT,
        .cgroup_memory = none,
        .cgroup_io = none,
        .threads = CONTEXT_ABSENT,
        .rss = CONTEXT_ABSENT,
        .open_fds = CONTEXT_ABSENT,
        .cpus_allowed = CONTEXT_ABSENT,
        .cpu = CONTEXT_ABSENT,
        .run_wait = CONTEXT_ABSENT,
        .voluntary_switches = CONTEXT_ABSENT,
        .involuntary_switches = CONTEXT_ABSENT,
        .major_faults = CONTEXT_ABSENT,
        .cpus = CONTEXT_ABSENT,
        .load = CONTEXT_ABSENT,
        .busy = CONTEXT_ABSENT,
        .steal = CONTEXT_ABSENT,
        .host_cpu = none,
        .host_memory = none,
        .host_io = none,
    };
}

/* Of each CPU threads can be kept from running for all of the window, and for what was counted
 * late: a throttled time is added up as it ends. */
#define LATE 2
#define CPUS_MOST 8192 /* of any machine, where their number is not known */

bool context_counts_throttling(const struct context *c, double window)
{
    double room;

    if (c->quota <= 0 || c->period <= 0 || c->throttled_periods < 0 ||
        c->throttled_periods > c->periods)
        return false;
    if (window <= 0)
        return true;
    room = window / (double)c->period;
    /* Less than a period, or more of them than fit: one begins within, and one may be late. */
    if (room < 1 || (double)c->periods > LATE * (room + 1))
        return false;
    return (double)c->throttled <= LATE * window * (c->cpus > 0 ? (double)c->cpus : CPUS_MOST);
}

#define COARSE 1.1

double context_share(int64_t part, double most)
{
    double share = part >= 0 && most > 0 ? (double)part / most : -1;

    return share > COARSE ? -1 : share > 1 ? 1 : share;
}
