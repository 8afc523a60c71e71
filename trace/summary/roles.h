/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Tells which function in a stack is the call site of a wait, and which only wait on behalf of
 * their callers. */

#include <stdint.h>

/* The role of a function in the stack of a wait. */
enum {
    ROLE_KNOWN = 1,
    ROLE_PASSES = 2,    /* waits on behalf of its caller, */
    ROLE_PASSES_IO = 4, /* or does so only in waits for the network and syscalls */
    ROLE_INSIDE = 8,    /* of the runtime: never a call site if the stack has another function */
};

/* The roles of a function by its full name; never 0. */
uint8_t roles_of(const char *func);
