/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/illness.h"

int64_t part(double x)
{
    return (int64_t)(x * SECOND);
}

struct summary sound(void)
{
    struct summary s = {.window = SECOND, .spans = SECOND, .complete = true, .covered = 1};

    s.procs.mean = 2;
    s.procs.last = 2;
    s.procs.available = 2 * SECOND;
    s.procs.executing = 4 * SECOND / 10;
    s.goroutines.running = 4 * SECOND / 10;
    s.scheduler.latency = (struct summary_times){.count = 1000, .p50 = 2000, .p99 = 60000};
    s.gc.mmu[0].utilisation = s.gc.mmu[1].utilisation = s.gc.mmu[2].utilisation = 1;
    return s;
}

void set_lock(struct summary *s)
{
    s->procs.executing = part(0.5);
    s->classes.sync[STACK_LOCK] = (struct summary_class){.count = 100, .total = part(10)};
}

void set_cpu(struct summary *s)
{
    s->procs.executing = part(2);
    s->procs.queued = SECOND;
    s->goroutines.runnable = part(40);
    s->scheduler.runnable_mean = 40;
    s->scheduler.latency.p99 = SECOND / 10;
}
