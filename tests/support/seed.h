/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A group's setup: seeds random(3) anew each time, or with $TEST_SEED, and prints with what. */
int seed_setup(void **state);
