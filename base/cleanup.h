/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Locals that release what they own when they go out of scope, and how to hand it on. Such a local
 * must always hold something that may be released: NULL, -1, or what was acquired.
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_freep(void *pp)
{
    free(*(void **)pp);
}

static inline void cleanup_closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static inline void cleanup_fclosep(FILE **f)
{
    if (*f)
        (void)fclose(*f);
}

#define _cleanup_free_ __attribute__((cleanup(cleanup_freep)))
#define _cleanup_close_ __attribute__((cleanup(cleanup_closep)))
#define _cleanup_fclose_ __attribute__((cleanup(cleanup_fclosep)))

/* Takes the pointer out of a variable, which then no longer releases it. */
#define steal(pp)                               \
    ({                                          \
        __typeof__(*(pp)) steal_value_ = *(pp); \
        *(pp) = NULL;                           \
        steal_value_;                           \
    })

static inline int steal_fd(int *fd)
{
    int value = *fd;

    *fd = -1;
    return value;
}

/* Closes the descriptor if it is open. Returns -1, to be assigned to the variable. */
static inline int close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
    return -1;
}
