/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where samples come from: trace files, or the records of what is kept here and in the store. */

#include "cli/advise/samples.h"
#include "cli/find/query.h"

#define GATHER_LAST 20 /* samples, if nothing else is said */

/* Adds what the files have. 0; 1: some could not be read, after messages; or a negative errno after a
 * message. */
int gather_files(struct samples *s, char *const *files, int n);

/*
 * Adds the records of one service's newest traces, the `q->limit` last. `service`: its name. Returned
 * likewise.
 */
int gather_kept(struct samples *s, const struct sources_arguments *where, struct query *q,
                char service[static NAME_PART_MAX + 1]);
