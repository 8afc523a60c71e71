/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "cli/read/summary.h"

/* The evidence of the rules in trace/findings, in words. Names are those of the JSON. */
static const struct {
    const char *name;
    const char *words;
    const char *one; /* for the value 1; NULL: the same */
} table[] = {
    {"after_funcs", "timer functions: %s", NULL},
    {"assist_max_ns", "the longest assist %s", NULL},
    {"assist_share", "%s of the running time is mark assist", NULL},
    {"assists", "assists: %s", NULL},
    {"blocked_max", "up to %s threads blocked at once", "up to %s thread blocked at once"},
    {"blocked_per_s", "%s calls a second lose their P", "%s call a second loses its P"},
    {"busy_share", "the program uses %s of the Ps", NULL},
    {"cost_share", "the collector uses %s of the Ps", NULL},
    {"cpu_used_ns", "CPU time used %s", NULL},
    {"created", "%s created at one place", NULL},
    {"created_per_s", "%s created a second", NULL},
    {"cycles", "cycles: %s", NULL},
    {"delayed_share", "it takes %s of the time in which goroutines wait so, queue for a P or run",
     NULL},
    {"dials", "new connections: %s", NULL},
    {"dials_per_s", "%s new connections a second", "%s new connection a second"},
    {"ended", "%s of these ended", NULL},
    {"ends", "%s ends in the wrong order", "%s end in the wrong order"},
    {"ends_share", "%s of all", NULL},
    {"failed", "failed: %s", NULL},
    {"failed_per_s", "%s connections fail a second", "%s connection fails a second"},
    {"failed_share", "%s of all", NULL},
    {"gc_pause_max_ns", "the collector's longest pause %s", NULL},
    {"goroutine", "goroutine %s", NULL},
    {"goroutines_at_end", "%s at its end", NULL},
    {"goroutines_at_start", "%s goroutines at the trace's beginning",
     "%s goroutine at the trace's beginning"},
    {"heap_max_bytes", "heap up to %s", NULL},
    {"in_slow_calls_mean", "%s goroutines in slow calls at any time",
     "%s goroutine in slow calls at any time"},
    {"in_step", "%s of them in step with the kernel's period of 100 ms", NULL},
    {"in_syscall_mean", "%s goroutines in system calls at any time",
     "%s goroutine in system calls at any time"},
    {"latency_p50_ns", "median wait for a P %s", NULL},
    {"latency_p99_ns", "99th percentile %s", NULL},
    {"longest_hold_ns", "longest run without a pause %s", NULL},
    {"longest_syscall_ns", "longest call %s", NULL},
    {"longest_syscall_share", "%s of the window", NULL},
    {"looking_share", "the Ps look for work for %s of their time", NULL},
    {"lost_per_run", "%s times as much P time lost as used", NULL},
    {"mark_share", "marking for %s of the time", NULL},
    {"mutator_10ms_share", "in the worst 10 ms the program has %s of the Ps", NULL},
    {"older_waiting", "%s older ones wait, too", "%s older one waits, too"},
    {"opened", "opened: %s", NULL},
    {"overdue_share", "for %s of the time a goroutine waits while a P is free", NULL},
    {"overdue_waits", "%s waits over 10 microseconds", "%s wait over 10 microseconds"},
    {"pause_share", "the world stands still for %s of the time", NULL},
    {"polling_share", "that takes %s of the Ps", NULL},
    {"procs", "%s Ps", "%s P"},
    {"queued_share", "for %s of the time no P is free and goroutines queue", NULL},
    {"quota_cpus", "quota %s CPUs", "quota %s CPU"},
    {"runnable_max", "%s at most", NULL},
    {"runnable_mean", "%s queue at any time", "%s queues at any time"},
    {"silence_max_ns", "the longest %s", NULL},
    {"silences", "silences: %s", NULL},
    {"silent_share", "for %s of the time no event comes though goroutines have work", NULL},
    {"sleep_mean_ns", "%s each on average", NULL},
    {"sleeps", "sleeps: %s", NULL},
    {"sleeps_per_s", "%s sleeps a second", "%s sleep a second"},
    {"slow_call_max_ns", "the longest %s", NULL},
    {"slow_call_mean_ns", "%s each on average", NULL},
    {"slow_calls", "slow calls: %s", NULL},
    {"stall_max_ns", "the longest %s", NULL},
    {"stalled_ns", "%s in all", NULL},
    {"stalled_share", "for %s of the time the host keeps the process from running", NULL},
    {"stalls", "stalls: %s", NULL},
    {"syscall_p99_ns", "99th percentile of a call %s", NULL},
    {"syscalls_per_s", "%s calls a second", "%s call a second"},
    {"threads", "%s threads", "%s thread"},
    {"throttled_ns", "throttled for %s", NULL},
    {"throttled_periods", "periods throttled: %s", NULL},
    {"throttled_periods_share", "%s of all periods", NULL},
    {"timers_per_s", "%s timers a second", "%s timer a second"},
    {"turn_mean_ns", "a turn takes %s on average", NULL},
    {"turns_share", "%s of all turns are so", NULL},
    {"wait_max_ns", "the longest %s", NULL},
    {"wait_mean_ns", "%s on average", NULL},
    {"waiting", "%s of these wait", "%s of these waits"},
    {"waiting_for_lock_mean", "%s wait for locks held over such calls",
     "%s waits for locks held over such calls"},
    {"waiting_for_mutexes", "waiting for mutexes all the time: %s", NULL},
    {"waiting_for_others", "waiting for other goroutines all the time: %s", NULL},
    {"waiting_mean", "%s goroutines wait at any time", "%s goroutine waits at any time"},
    {"waiting_share", "it takes %s of the time in which goroutines wait so, queue for a P or run",
     NULL},
    {"waits", "%s waits", "%s wait"},
    {"waits_again_share", "%s wait again at once", NULL},
    {"window_ns", "of a window of %s", NULL},
    {"woken_per_s", "%s goroutines woken a second", "%s goroutine woken a second"},
    {"yields_per_s", "%s yields a second", "%s yield a second"},
};

const char *summary_words(const char *name, bool one)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].name, name) == 0)
            return one && table[i].one ? table[i].one : table[i].words;
    }
    return NULL;
}
