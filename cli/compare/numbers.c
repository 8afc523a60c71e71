/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compare/numbers.h"

#include <string.h>

#define US 1e3
#define MS 1e6
#define MIB 1048576.0
#define IS NUMBER_AS_IT_IS
#define RATE NUMBER_A_SECOND
#define MEAN NUMBER_AT_ONCE
#define MORE NUMBER_MORE_IS_WORSE
#define LESS NUMBER_LESS_IS_WORSE
#define FREE NUMBER_NEUTRAL

const struct number numbers_fixed[] = {
    {"runnable to running p50", "scheduler.latency.p50_ns", IS, MORE, 20 * US},
    {"runnable to running p99", "scheduler.latency.p99_ns", IS, MORE, 200 * US},
    {"runnable to running max", "scheduler.latency.max_ns", IS, MORE, 2 * MS},
    {"of these over 10 ms", "scheduler.share_over_10ms", IS, MORE, 0.002},
    {"runnable goroutines", "scheduler.runnable_mean", IS, MORE, 0.5},
    {"GOMAXPROCS", "procs.gomaxprocs.max", IS, FREE, 1},
    {"Ps that execute goroutines", "procs.executing_share", IS, FREE, 0.05},
    {"longest run", "longest_run.duration_ns", IS, MORE, 5 * MS},
    {"longest silence of threads", "silences.max_ns", IS, MORE, 5 * MS},
    {"goroutines alive, most", "goroutines.max_alive", IS, MORE, 20},
    {"goroutines created a second", "goroutines.created", RATE, FREE, 20},
    {"goroutines in locks, channels", "sites.sync.total_ns", MEAN, FREE, 1},
    {"goroutines in network waits", "sites.net.total_ns", MEAN, FREE, 1},
    {"syscalls a second", "syscalls.count", RATE, FREE, 100},
    {"syscalls p99", "syscalls.times.p99_ns", IS, MORE, 200 * US},
    {"syscalls that lost a P, /s", "syscalls.blocked", RATE, MORE, 20},
    {"GC cycles a second", "gc.cycles", RATE, MORE, 0.5},
    {"GC pause max", "gc.stw.max_ns", IS, MORE, 200 * US},
    {"GC's share of the Ps", "procs.gc_share", IS, MORE, 0.02},
    {"GC assist share", "gc.assist.share", IS, MORE, 0.01},
    {"mutator's least, in 10 ms", "gc.mutator.mmu_10ms", IS, LESS, 0.1},
    {"heap, most", "gc.heap_max_bytes", IS, MORE, 4 * MIB},
};
const size_t numbers_n_fixed = sizeof(numbers_fixed) / sizeof(numbers_fixed[0]);

const struct number numbers_of_type[] = {
    {"p50", "p50_ns", IS, MORE, 100 * US},
    {"p99", "p99_ns", IS, MORE, 500 * US},
    {"a second", "count", RATE, FREE, 5},
};
const size_t numbers_n_of_type = sizeof(numbers_of_type) / sizeof(numbers_of_type[0]);

const char *number_unit(const struct number *n)
{
    return n->scale == NUMBER_AS_IT_IS ? n->path : "count";
}
