/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes sums by stack in pprof's format: a gzip'd protocol buffer (profile.proto). Each sample has
 * the two values of Go's trace profiles, contentions and delay.
 */

#include <stddef.h>

#include "trace/profile/sums.h"

/* Takes the next n bytes. 0 or a negative errno. */
typedef int (*encode_write_fn)(void *userdata, const void *data, size_t n);

/* Writes the stacks with a count. 0, -ENOMEM, or the writer's error. */
int encode_sums(const struct sums *sums, encode_write_fn write, void *userdata);
