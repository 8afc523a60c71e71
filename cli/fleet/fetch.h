/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Brings the files with rows of a store into a directory.
 */

#include <stdint.h>

#include "cli/find/sources.h"

struct fetch_range {
    usec since, until;   /* real time; USEC_NEVER: no end */
    const char *service; /* a pattern; NULL: any */
};

/*
 * Puts the files of those days and services into the directory `out`, by day and service.
 * *ret_files and *ret_bytes say how many. 0, -EINTR, or another negative errno after a message.
 */
int fetch_rows(struct sources *s, const struct fetch_range *range, int out, uint64_t *ret_files,
               uint64_t *ret_bytes);
