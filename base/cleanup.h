/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ownership made visible: locals that clean up after themselves, and the hand-off out of them.
 * Arm a cleanup only with a value that is safe to release (NULL, -1) or after acquisition.
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

/* Take the pointer out of a variable that would otherwise release it. */
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

/* Close what is open and forget it. Returns -1, to be assigned back. */
static inline int close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
    return -1;
}
