/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "cli/read/summary.h"

/* The evidence of the rules in trace/findings, in words. Names are those of the JSON. */
static const struct {
    const char *name;
    const char *words;
} table[] = {
    {"after_funcs", "timer functions: %s"},
    {"assist_max_ns", "the longest assist %s"},
    {"assist_share", "%s of the running time is mark assist"},
    {"assists", "assists: %s"},
    {"blocked_max", "up to %s threads blocked at once"},
    {"blocked_per_s", "%s calls a second lose their P"},
    {"busy_share", "the program uses %s of the Ps"},
    {"cost_share", "the collector uses %s of the Ps"},
    {"cpu_used_ns", "CPU time used %s"},
    {"created", "%s created at one place"},
    {"created_per_s", "%s created a second"},
    {"cycles", "cycles: %s"},
    {"delayed_share", "it takes %s of the time in which goroutines wait so, queue for a P or run"},
    {"dials", "new connections: %s"},
    {"dials_per_s", "%s new connections a second"},
    {"ended", "%s of these ended"},
    {"ends", "%s ends in the wrong order"},
    {"ends_share", "%s of all"},
    {"failed", "failed: %s"},
    {"failed_per_s", "%s connections fail a second"},
    {"failed_share", "%s of all"},
    {"gc_pause_max_ns", "the collector's longest pause %s"},
    {"goroutine", "goroutine %s"},
    {"goroutines_at_end", "%s at its end"},
    {"goroutines_at_start", "%s goroutines at the trace's beginning"},
    {"heap_max_bytes", "heap up to %s"},
    {"in_slow_calls_mean", "%s goroutines in slow calls at any time"},
    {"in_step", "%s of them in step with the kernel's period of 100 ms"},
    {"in_syscall_mean", "%s goroutines in system calls at any time"},
    {"latency_p50_ns", "median wait for a P %s"},
    {"latency_p99_ns", "99th percentile %s"},
    {"longest_hold_ns", "longest run without a pause %s"},
    {"longest_syscall_ns", "longest call %s"},
    {"longest_syscall_share", "%s of the window"},
    {"looking_share", "the Ps look for work for %s of their time"},
    {"lost_per_run", "%s times as much P time lost as used"},
    {"mark_share", "marking for %s of the time"},
    {"mutator_10ms_share", "in the worst 10 ms the program has %s of the Ps"},
    {"older_waiting", "%s older ones wait, too"},
    {"opened", "opened: %s"},
    {"overdue_share", "for %s of the time a goroutine waits while a P is free"},
    {"overdue_waits", "%s waits over 10 microseconds"},
    {"pause_share", "the world stands still for %s of the time"},
    {"polling_share", "that takes %s of the Ps"},
    {"procs", "%s Ps"},
    {"queued_share", "for %s of the time no P is free and goroutines queue"},
    {"quota_cpus", "quota %s CPUs"},
    {"runnable_max", "%s at most"},
    {"runnable_mean", "%s queue at any time"},
    {"silence_max_ns", "the longest %s"},
    {"silences", "silences: %s"},
    {"silent_share", "for %s of the time no event comes though goroutines have work"},
    {"sleep_mean_ns", "%s each on average"},
    {"sleeps", "sleeps: %s"},
    {"sleeps_per_s", "%s sleeps a second"},
    {"slow_call_max_ns", "the longest %s"},
    {"slow_call_mean_ns", "%s each on average"},
    {"slow_calls", "slow calls: %s"},
    {"stall_max_ns", "the longest %s"},
    {"stalled_ns", "%s in all"},
    {"stalled_share", "for %s of the time the host keeps the process from running"},
    {"stalls", "stalls: %s"},
    {"syscall_p99_ns", "99th percentile of a call %s"},
    {"syscalls_per_s", "%s calls a second"},
    {"threads", "%s threads"},
    {"throttled_ns", "throttled for %s"},
    {"throttled_periods", "periods throttled: %s"},
    {"throttled_periods_share", "%s of all periods"},
    {"timers_per_s", "%s timers a second"},
    {"turn_mean_ns", "a turn takes %s on average"},
    {"turns_share", "%s of all turns are so"},
    {"wait_max_ns", "the longest %s"},
    {"wait_mean_ns", "%s on average"},
    {"waiting", "%s of these wait"},
    {"waiting_for_lock_mean", "%s wait for locks held over such calls"},
    {"waiting_for_mutexes", "waiting for mutexes all the time: %s"},
    {"waiting_for_others", "waiting for other goroutines all the time: %s"},
    {"waiting_mean", "%s goroutines wait at any time"},
    {"waiting_share", "it takes %s of the time in which goroutines wait so, queue for a P or run"},
    {"waits", "%s waits"},
    {"waits_again_share", "%s wait again at once"},
    {"window_ns", "of a window of %s"},
    {"woken_per_s", "%s goroutines woken a second"},
    {"yields_per_s", "%s yields a second"},
};

const char *summary_words(const char *name)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].name, name) == 0)
            return table[i].words;
    }
    return NULL;
}
