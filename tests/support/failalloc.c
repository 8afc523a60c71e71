/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Preloaded into a program, it lets one allocation fail: of the program itself, of its libraries
 * and of libc. tests/e2e/allocations.py counts with it, and says which. The two share a file, whose
 * name is in FAILALLOC_FILE; other programs than FAILALLOC_PROGRAM are left alone.
 */

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAMES 24
#define PLACE_SIZE 8192

struct control {
    _Atomic int64_t armed;  /* 1: they are counted */
    _Atomic int64_t fail;   /* this one fails, from 0; -1: none */
    _Atomic int64_t made;   /* while armed */
    _Atomic int64_t failed; /* 1: it was reached */
    char place[PLACE_SIZE]; /* of the one that failed: "FILE(SYMBOL+OFFSET)" a line */
};

static struct control *control;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

__attribute__((constructor)) static void begin(void)
{
    const char *file = getenv("FAILALLOC_FILE"), *program = getenv("FAILALLOC_PROGRAM");
    void *frames[2], *map;
    int fd;

    if (!file || !program || strcmp(program, program_invocation_short_name) != 0)
        return;
    (void)backtrace(frames, 2); /* allocates the first time */
    fd = open(file, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    map = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (map == MAP_FAILED)
        return;
    control = map;
}

static void note_place(void)
{
    void *frames[FRAMES];
    int n = backtrace(frames, FRAMES);
    size_t used = 0;

    for (int i = 0; i < n && used < PLACE_SIZE; i++) {
        const char *at = frames[i];
        Dl_info info;

        if (!dladdr(at, &info))
            continue;
        used += (size_t)snprintf(control->place + used, PLACE_SIZE - used, "%s(%s+%#tx)\n",
                                 info.dli_fname, info.dli_sname ? info.dli_sname : "",
                                 at - (const char *)info.dli_fbase);
    }
}

static bool must_fail(void)
{
    if (!control || atomic_load(&control->armed) != 1 ||
        atomic_fetch_add(&control->made, 1) != atomic_load(&control->fail))
        return false;
    atomic_store(&control->failed, 1);
    note_place();
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    return must_fail() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return must_fail() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return must_fail() ? NULL : __libc_realloc(p, n);
}

void *reallocarray(void *p, size_t n, size_t size)
{
    size_t all;

    if (__builtin_mul_overflow(n, size, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, all);
}

void *memalign(size_t alignment, size_t n)
{
    return must_fail() ? NULL : __libc_memalign(alignment, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return memalign(alignment, n);
}

int posix_memalign(void **ret, size_t alignment, size_t n)
{
    void *p = memalign(alignment, n);

    if (!p)
        return ENOMEM;
    *ret = p;
    return 0;
}
