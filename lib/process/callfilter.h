/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Filters of system calls, by libseccomp. Those of another architecture than ours, by which a
 * filter could be passed by, end the process.
 */

#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* A filter that does `otherwise` (SCMP_ACT_*) with what no rule is about. 0 or a negative errno. */
int callfilter_new(uint32_t otherwise, scmp_filter_ctx *ret);

/* The same for each of these calls. 0 or a negative errno. */
int callfilter_add(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n);

/*
 * Puts the filter in force for the calling thread and those that it starts later, and frees it. r
 * is what came of its rules; a negative one is returned instead.
 */
int callfilter_enforce(scmp_filter_ctx filter, int r);
