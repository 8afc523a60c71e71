/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Sums by stack as a file of pprof: gzip around a protocol buffer (profile.proto), with the two
 * values of each sample that Go's trace profiles have, contentions and delay.
 */

#include <stddef.h>

#include "trace/profile/sums.h"

/* Takes the next n bytes. 0 or a negative errno. */
typedef int (*encode_write_fn)(void *userdata, const void *data, size_t n);

/* The stacks that have a count. 0, -ENOMEM, or what writing gave. */
int encode_sums(const struct sums *sums, encode_write_fn write, void *userdata);
