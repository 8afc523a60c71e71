/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "cli/read/summary.h"

/* The evidence of the rules in trace/findings, in words. Names are those of the JSON. */
static const struct {
    const char *name;
    const char *words;
} table[] = {
    {"assist_max_ns", "the longest assist %s"},
    {"assist_share", "%s of the running time is mark assist"},
    {"assists", "assists: %s"},
    {"blocked_max", "up to %s threads blocked at once"},
    {"blocked_per_s", "%s calls a second lose their P"},
    {"busy_share", "the program uses %s of the Ps"},
    {"cost_share", "the collector uses %s of the Ps"},
    {"cycles", "cycles: %s"},
    {"ends", "%s ends in the wrong order"},
    {"ends_share", "%s of all"},
    {"heap_max_bytes", "heap up to %s"},
    {"in_syscall_mean", "%s goroutines in system calls at any time"},
    {"latency_p50_ns", "median wait for a P %s"},
    {"latency_p99_ns", "99th percentile %s"},
    {"longest_hold_ns", "longest run without a pause %s"},
    {"longest_syscall_ns", "longest call %s"},
    {"longest_syscall_share", "%s of the window"},
    {"lost_per_run", "%s times as much P time lost as used"},
    {"mark_share", "marking for %s of the time"},
    {"mutator_10ms_share", "in the worst 10 ms the program has %s of the Ps"},
    {"overdue_share", "for %s of the time a goroutine waits while a P is free"},
    {"overdue_waits", "%s waits over 10 microseconds"},
    {"pause_share", "the world stands still for %s of the time"},
    {"procs", "%s Ps"},
    {"queued_share", "for %s of the time no P is free and goroutines queue"},
    {"runnable_max", "%s at most"},
    {"runnable_mean", "%s queue at any time"},
    {"syscall_p99_ns", "99th percentile of a call %s"},
    {"syscalls_per_s", "%s calls a second"},
    {"threads", "%s threads"},
    {"wait_max_ns", "the longest %s"},
    {"wait_mean_ns", "%s on average"},
    {"waiting_mean", "%s goroutines wait at any time"},
    {"waiting_share", "%s of the time that goroutines wait so, queue for a P or run"},
    {"waits", "%s waits"},
};

const char *summary_words(const char *name)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].name, name) == 0)
            return table[i].words;
    }
    return NULL;
}
