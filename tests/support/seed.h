/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A group's setup: seeds random(3) with $TEST_SEED, or with a new seed each time, and prints the
 * seed. */
int seed_setup(void **state);
