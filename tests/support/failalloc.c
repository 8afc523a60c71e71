/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Preloaded into a program, this makes allocations fail: those of the program itself, of its
 * libraries and of libc. It records where the first failing allocation was, and where a signal
 * ended the program. tests/e2e/allocations.py chooses the allocations; it shares the file whose
 * name is in FAILALLOC_FILE with this code. Programs other than FAILALLOC_PROGRAM are left alone.
 */

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAMES 24
#define PLACE_SIZE 8192
#define STACK_SIZE (64 << 10)

enum { IDLE, COUNTING, AT_LOOP };

struct control {
    _Atomic int64_t armed;  /* COUNTING; or AT_LOOP: count from the event loop's first turn on */
    _Atomic int64_t fail;   /* the first allocation that fails, from 0, … */
    _Atomic int64_t count;  /* … and how many fail */
    _Atomic int64_t made;   /* while armed */
    _Atomic int64_t failed; /* 1: the first was reached */
    char place[PLACE_SIZE]; /* stack of the first failure: lines "FILE(SYMBOL+OFFSET)" */
    char end[PLACE_SIZE];   /* of the signal, the same */
};

static struct control *control;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

static void note_place(char place[static PLACE_SIZE])
{
    void *frames[FRAMES];
    int n = backtrace(frames, FRAMES);
    size_t used = 0;

    for (int i = 0; i < n && used < PLACE_SIZE; i++) {
        const char *at = frames[i];
        Dl_info info;

        if (!dladdr(at, &info))
            continue;
        used += (size_t)snprintf(place + used, PLACE_SIZE - used, "%s(%s+%#tx)\n", info.dli_fname,
                                 info.dli_sname ? info.dli_sname : "",
                                 at - (const char *)info.dli_fbase);
    }
}

/* Returns to the fault, which occurs again and is not caught the second time. */
static void on_signal(int number)
{
    (void)number;
    note_place(control->end);
}

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

static void watch_signals(void)
{
    static char stack[STACK_SIZE];
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    const struct sigaction action = {.sa_handler = on_signal,
                                     .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND)};

    (void)sigaltstack(&other, NULL);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)sigaction(signals[i], &action, NULL);
}

/* Leaves these signals unblocked: on a thread that blocked them the program would end without a
 * record. */
int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    int (*real)(int, const sigset_t *, sigset_t *);
    sigset_t fewer;

    *(void **)&real = dlsym(RTLD_NEXT, "pthread_sigmask");
    if (!set || how == SIG_UNBLOCK || !control)
        return real(how, set, old);
    fewer = *set;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)sigdelset(&fewer, signals[i]);
    return real(how, &fewer, old);
}

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
    watch_signals();
}

static bool must_fail(void)
{
    int64_t number, first;

    if (!control || atomic_load(&control->armed) != COUNTING)
        return false;
    number = atomic_fetch_add(&control->made, 1);
    first = atomic_load(&control->fail);
    if (number < first || number - first >= atomic_load(&control->count))
        return false;
    if (atomic_exchange(&control->failed, 1) == 0)
        note_place(control->place);
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

/* sd-event calls this. With AT_LOOP, allocations are counted from the first call on. */
int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
    int64_t at_loop = AT_LOOP;
    int (*real)(int, struct epoll_event *, int, int);

    *(void **)&real = dlsym(RTLD_NEXT, "epoll_wait");
    if (control)
        (void)atomic_compare_exchange_strong(&control->armed, &at_loop, COUNTING);
    return real(fd, events, n, timeout);
}
