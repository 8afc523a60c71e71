/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/timeline/waits.h"

#include <string.h>

/* How many of the innermost frames may tell; the runtime's come first. */
#define FRAMES 4

struct word {
    const char *text;
    enum waits_class class;
};

/* What a reason contains: the first that is found counts. */
static const struct word reasons[] = {
    {"network", WAITS_NETWORK}, {"chan", WAITS_CHANNEL},    {"select", WAITS_CHANNEL},
    {"synctest", WAITS_OTHER},  {"forever", WAITS_FOREVER}, {"sync", WAITS_SYNC},
    {"sleep", WAITS_SLEEP},
};

/* What functions are called in which the runtime lets goroutines wait. */
static const struct word functions[] = {
    {"internal/poll.runtime_pollWait", WAITS_NETWORK},
    {"runtime.chanrecv1", WAITS_CHANNEL},
    {"runtime.chanrecv2", WAITS_CHANNEL},
    {"runtime.chansend1", WAITS_CHANNEL},
    {"runtime.selectgo", WAITS_CHANNEL},
    {"runtime.block", WAITS_CHANNEL},
    {"sync.runtime_Semacquire", WAITS_SYNC},
    {"sync.runtime_SemacquireMutex", WAITS_SYNC},
    {"sync.runtime_SemacquireRWMutex", WAITS_SYNC},
    {"sync.runtime_SemacquireRWMutexR", WAITS_SYNC},
    {"sync.runtime_SemacquireWaitGroup", WAITS_SYNC},
    {"internal/sync.runtime_SemacquireMutex", WAITS_SYNC},
    {"sync.runtime_notifyListWait", WAITS_SYNC},
    {"time.Sleep", WAITS_SLEEP},
};

enum waits_class waits_of_reason(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (memmem(text, len, reasons[i].text, strlen(reasons[i].text)))
            return reasons[i].class;
    return WAITS_OTHER;
}

static enum waits_class of_function(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strlen(functions[i].text) == len && memcmp(functions[i].text, text, len) == 0)
            return functions[i].class;
    return WAITS_OTHER;
}

enum waits_class waits_of_stack(const struct gotrace *trace, uint32_t stack)
{
    enum waits_class class = WAITS_OTHER;
    size_t n;
    const uint32_t *row = gotrace_stack(trace, stack, &n);

    for (size_t i = 0; i < n && i < FRAMES && class == WAITS_OTHER; i++) {
        const struct gotrace_frame *frame = gotrace_frame(trace, row[i]);
        size_t len;
        const char *name = frame ? gotrace_string(trace, frame->func, &len) : NULL;

        if (name)
            class = of_function(name, len);
    }
    return class;
}

enum waits_class waits_of(const struct gotrace *trace, const struct gotrace_event *e)
{
    size_t len;
    const char *reason = gotrace_string(trace, e->string, &len);

    return len > 0 ? waits_of_reason(reason, len) : waits_of_stack(trace, e->stack);
}
