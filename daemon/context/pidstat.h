/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What /proc/PID tells of a process: proc_pid_stat(5), proc_pid_status(5), schedstat of its
 * threads. All but the number of its descriptors may be read of any process that /proc shows at all
 * (hidepid).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/findings/context.h"

/*
 * Each thread costs a file, or two, at each reading. A sum over some of the threads would mislead,
 * so a process with more of them has none.
 */
#define PIDSTAT_THREADS 40  /* with the time that they waited for a CPU */
#define PIDSTAT_SWITCHES 12 /* also with their context switches, which cost twice as much */

struct pidstat_thread {
    uint32_t tid;
    int64_t run_wait, voluntary, involuntary;
};

struct pidstat {
    int64_t start; /* when it began, in ticks since boot: a pid may be given again */
    int64_t threads, rss, open_fds, cpus_allowed, cpu, major_faults;
    bool foreign;  /* it cannot be a target: see pidstat_read */
    bool forwards; /* since it only passes on what another process serves, on whatever machine */
    size_t n;      /* threads in the list; 0: too many, or unknown */
    struct pidstat_thread list[PIDSTAT_THREADS];
};

/*
 * Reads what is there now, below a root directory ("/"). A kernel thread, we ourselves, our
 * children, systemd, which holds the sockets of units that it starts on demand, a machine's init, and
 * commands known to forward ports, such as docker-proxy and ssh, are `foreign`. 0, or a negative errno when the process cannot be seen.
 */
int pidstat_read(int root, uint32_t pid, struct pidstat *ret);

/* Writes into the context what two readings of the same process say. `before` may be NULL. */
void pidstat_tell(const struct pidstat *before, const struct pidstat *after, struct context *ret);
