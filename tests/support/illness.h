/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Numbers of traces, made by hand, for tests of the rules that judge them: a service that is well,
 * and what makes it ill. */

#include "trace/summary/summary.h"

#define SECOND 1000000000LL

/* So many seconds, in nanoseconds. */
int64_t part(double seconds);

/* A second of a service with two Ps that a fifth of is used, and no trouble. */
struct summary sound(void);

/* Ten goroutines wait for a mutex at any time; forty queue for the Ps. */
void set_lock(struct summary *s);
void set_cpu(struct summary *s);
