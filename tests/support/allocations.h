/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Allocations that fail: all that the code under test makes by itself on the thread that says so, in
 * a program that is linked with $(wrap_allocations).
 */

#include <stdbool.h>
#include <stddef.h>

extern _Thread_local bool allocations_failing;
extern _Thread_local bool
    allocations_fail_once; /* only the chosen one; else every one from it on */
extern _Thread_local size_t allocations_fail_at; /* counted from 0 */
extern _Thread_local size_t allocations_made;    /* so far; to be set to 0 first */
