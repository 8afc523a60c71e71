/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Preloaded into contraced: from its event loop's first turn on, the allocations number SHORT_FROM
 * to SHORT_FROM + SHORT_COUNT fail. With SHORT_REPORT it says at the end how many there were.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t n);

static atomic_bool started;
static atomic_long made;
static long from = -1, until = -1;

static int fails(void)
{
    long number = atomic_load(&started) ? atomic_fetch_add(&made, 1) : -1;

    if (number < from || number >= until || number < 0)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t n)
{
    return fails() ? NULL : __libc_realloc(old, n);
}

int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
    int (*real)(int, struct epoll_event *, int, int);

    *(void **)&real = dlsym(RTLD_NEXT, "epoll_wait");
    atomic_store(&started, 1);
    return real(fd, events, n, timeout);
}

__attribute__((constructor)) static void begin(void)
{
    const char *first = getenv("SHORT_FROM"), *count = getenv("SHORT_COUNT");

    from = first ? atol(first) : -1;
    until = count ? from + atol(count) : -1;
    (void)unsetenv("LD_PRELOAD"); /* not for the children */
}

__attribute__((destructor)) static void end(void)
{
    if (getenv("SHORT_REPORT"))
        (void)dprintf(STDERR_FILENO, "allocations: %ld\n", atomic_load(&made));
}
