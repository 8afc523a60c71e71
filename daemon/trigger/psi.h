/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where the kernel tells of CPU pressure: /proc/pressure/cpu for the machine, and cpu.pressure of
 * contraced's own cgroup (version 2) for what shares a container or a unit with it. The machine's
 * is what the service beside contraced feels; the cgroup's adds what a CPU limit holds back, which the
 * machine does not show. The higher of the two counts.
 */

#include <stddef.h>

#define PSI_PATH_MAX 4096

struct psi {
    char cgroup[PSI_PATH_MAX]; /* path of its cpu.pressure; "": there is none */
};

/* Finds this process's cgroup. Never fails: without one, the machine's file is left. */
void psi_init(struct psi *p);

/*
 * The higher share and the path that it is from, borrowed from `p`. 0, or when neither file can be
 * read the error of the machine's: -ENOENT or -EOPNOTSUPP where the kernel has no such accounting.
 */
int psi_read(const struct psi *p, double *ret_share, const char **ret_path);

/* The cgroup of version 2 out of /proc/PID/cgroup, its length in *ret_n; NULL: there is none.
 * Pure. */
const char *psi_cgroup(const char *text, size_t *ret_n);
