/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Parses batches without events of a thread: strings, stacks, CPU samples, frequency and clocks.
 * Each function reads one such batch into its generation. 0, or an error as gotrace_next.
 */

struct batch;
struct generation;

int tables_strings(struct generation *gen, const struct batch *b);
int tables_stacks(struct generation *gen, const struct batch *b);
int tables_samples(struct generation *gen, const struct batch *b);
int tables_sync(struct generation *gen, const struct batch *b);
