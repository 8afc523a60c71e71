/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Tells which function in a stack is the call site of a wait, which only wait on behalf of their
 * callers, and for what they do. */

#include <stdint.h>

/* The role of a function in the stack of a wait. */
enum {
    ROLE_KNOWN = 1,
    ROLE_PASSES = 2,    /* waits on behalf of its caller, */
    ROLE_PASSES_IO = 4, /* or does so only in waits for the network and syscalls */
    ROLE_INSIDE = 8,    /* of the runtime: never a call site if the stack has another function */
    ROLE_OWN = 16,      /* the program's own code, as owner.h tells it */
    ROLE_PARKS = 32,    /* stops the goroutine for a channel, select or a primitive of sync, */
    ROLE_POLLS = 64,    /* or for the network */
};

/* The roles of a function by its full name and file; never 0. main_file: as of owner_of. */
uint8_t roles_of(const char *func, const char *file, const char *main_file);
