/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Filters of system calls, by libseccomp. A call through the interface of another architecture,
 * which could bypass a filter, kills the process.
 */

#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

/* A filter that does `otherwise` (SCMP_ACT_*) for calls without a rule. 0 or a negative errno. */
int callfilter_new(uint32_t otherwise, scmp_filter_ctx *ret);

/* Adds rules: the filter does `action` for each of these calls. 0 or a negative errno. */
int callfilter_add(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t n);

/*
 * Applies the filter to the calling thread and to threads that it starts later, and frees it. `r`
 * is the result of adding its rules: if that is negative, it is returned and nothing is applied.
 */
int callfilter_enforce(scmp_filter_ctx filter, int r);
