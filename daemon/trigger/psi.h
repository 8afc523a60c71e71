/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads CPU pressure from the kernel's files: /proc/pressure/cpu for the machine, and cpu.pressure
 * of contraced's own cgroup (version 2) for the processes that share a container or unit with it.
 * The machine's file shows the pressure that the service beside contraced feels. The cgroup's file
 * also shows waiting that a CPU limit causes, which the machine's does not. The higher of the two
 * counts.
 */

#include <stddef.h>

#define PSI_PATH_MAX 4096

struct psi {
    char cgroup[PSI_PATH_MAX]; /* path of the cgroup's cpu.pressure; "": there is none */
};

/* Finds this process's cgroup. Never fails: without a cgroup only the machine's file is read. */
void psi_init(struct psi *p);

/*
 * Reads the higher share, and the path of the file that it is from, borrowed from `p`. 0; or, when
 * neither file can be read, the error of the machine's: -ENOENT or -EOPNOTSUPP if the kernel has no
 * such accounting.
 */
int psi_read(const struct psi *p, double *ret_share, const char **ret_path);

/* Finds the cgroup of version 2 in the text of /proc/PID/cgroup; its length goes to *ret_n. NULL:
 * there is none. Pure. */
const char *psi_cgroup(const char *text, size_t *ret_n);
