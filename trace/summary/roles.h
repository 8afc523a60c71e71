/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Functions by what they have to do with a wait in them: its call site, or on the way to it. */

#include <stdint.h>

#include "trace/summary/numbers.h"

/* What a function has to do with the waits in it. */
enum {
    ROLE_KNOWN = 1,
    ROLE_PASSES = 2,    /* waits on for somebody else, */
    ROLE_PASSES_IO = 4, /* or does so where it is about the network or a syscall */
    ROLE_INSIDE = 8,    /* of the runtime: no wait belongs there while there is anybody else */
};

/* Of a function's full name; never 0. */
uint8_t roles_of(const char *func);

/* What a function has where a wait of this profile is not its own. */
static inline uint8_t roles_in(unsigned column)
{
    return column == SUMMARY_NET || column == SUMMARY_SYSCALL ? ROLE_PASSES_IO : ROLE_PASSES;
}
