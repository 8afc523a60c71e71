/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A profile of pprof with pseudonyms in the place of its names: the message Profile of
 * github.com/google/pprof/proto/profile.proto, without its compression. Its table of strings is written
 * anew, everything else copied. Kept are what samples are called (types and units) and the keys of labels,
 * whose values are not; and names of functions as in traces.
 */

#include <stddef.h>
#include <stdint.h>

#include "trace/anonymise/anonymise.h"

/* Strings of one profile. */
#define ANONPPROF_STRINGS_MAX (4u << 20)

/* As anonymise_trace, of n bytes in memory. */
int anonymise_pprof(const void *data, size_t n, struct pseudonyms *p, uint64_t seed,
                    struct anonymise_output *out, struct anonymise_fault *ret_fault);
