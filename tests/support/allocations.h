/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Makes allocations fail: those of the code under test itself (not of libraries), on the thread
 * that sets these variables, in a program that is linked with $(wrap_allocations).
 */

#include <stdbool.h>
#include <stddef.h>

extern _Thread_local bool allocations_failing;
extern _Thread_local bool
    allocations_fail_once; /* only the chosen allocation fails; else all from it on */
extern _Thread_local size_t allocations_fail_at; /* counted from 0 */
extern _Thread_local size_t allocations_made;    /* so far; set it to 0 first */
