/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Tells which function in a stack is the call site of a wait, and which only wait on behalf of
 * their callers. */

#include <stdint.h>

#include "trace/summary/numbers.h"

/* The role of a function in the stack of a wait. */
enum {
    ROLE_KNOWN = 1,
    ROLE_PASSES = 2,    /* waits on behalf of its caller, */
    ROLE_PASSES_IO = 4, /* or does so only in waits for the network and syscalls */
    ROLE_INSIDE = 8,    /* of the runtime: never a call site if the stack has another function */
};

/* The roles of a function by its full name; never 0. */
uint8_t roles_of(const char *func);

/* The role that makes a function pass on the waits of this profile to its caller. */
static inline uint8_t roles_in(unsigned column)
{
    return column == SUMMARY_NET || column == SUMMARY_SYSCALL ? ROLE_PASSES_IO : ROLE_PASSES;
}
