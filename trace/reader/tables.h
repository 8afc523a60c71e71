/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The batches that are no events of a thread: strings, stacks, CPU samples, and the frequency and
 * clocks. Each reads one such batch into its generation. 0, or an error as gotrace_next.
 */

struct batch;
struct generation;

int tables_strings(struct generation *gen, const struct batch *b);
int tables_stacks(struct generation *gen, const struct batch *b);
int tables_samples(struct generation *gen, const struct batch *b);
int tables_sync(struct generation *gen, const struct batch *b);
