/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/stack/roles.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "trace/stack/owner.h"

/*
 * Packages that wait on behalf of their callers: always (passing), or only for the network and
 * syscalls (passing_io). A name that ends in '/' means everything below it.
 */
static const char *const passing[] = {"runtime",
                                      "runtime/",
                                      "internal/",
                                      "sync",
                                      "sync/",
                                      "syscall",
                                      "time",
                                      "iter",
                                      "vendor/golang.org/x/sys/",
                                      "golang.org/x/sys/"};
static const char *const passing_io[] = {"os", "net", "io", "io/", "bufio"};

/* How the names of functions begin in which goroutines stop. Their stacks say what a goroutine
 * waited for before the trace began; the reason is not told. */
static const char *const parking[] = {"runtime.chanrecv", "runtime.chansend", "runtime.selectgo",
                                      "sync.runtime_", "internal/sync.runtime_"};
static const char *const polling[] = {"internal/poll.runtime_pollWait"};

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* In a function's name, the package's name ends at the first dot after the last slash. */
static bool is_in(const char *func, const char *package)
{
    size_t n = strlen(package);

    if (strncmp(func, package, n) != 0)
        return false;
    return package[n - 1] == '/' || func[n] == '.';
}

static bool is_in_any(const char *func, const char *const *packages, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_in(func, packages[i]))
            return true;
    return false;
}

static bool begins_as_any(const char *func, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(func, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

uint8_t roles_of(const char *func, const char *file, const char *main_file)
{
    uint8_t role = ROLE_KNOWN;

    if (is_in_any(func, passing, N_OF(passing)))
        role |= ROLE_PASSES | ROLE_PASSES_IO;
    else if (is_in_any(func, passing_io, N_OF(passing_io)))
        role |= ROLE_PASSES_IO;
    if (is_in(func, "runtime") || is_in(func, "internal/"))
        role |= ROLE_INSIDE;
    if (begins_as_any(func, parking, N_OF(parking)))
        role |= ROLE_PARKS;
    if (begins_as_any(func, polling, N_OF(polling)))
        role |= ROLE_POLLS;
    if (owner_of(func, file, main_file) == OWNER_PROGRAM)
        role |= ROLE_OWN;
    return role;
}
