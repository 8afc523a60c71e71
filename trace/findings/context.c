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
