/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/anonymise/words.h"

#include <stddef.h>
#include <string.h>

static const char *const words[] = {
    "AllThreadsSyscall",
    "CountPagesInUse (test)",
    "GC (dedicated)",
    "GC (fractional)",
    "GC (idle)",
    "GC background sweeper wait",
    "GC mark assist wait for work",
    "GC mark termination",
    "GC sweep termination",
    "GC weak to strong wait",
    "GOMAXPROCS",
    "Not worker",
    "PageCachePagesLeaked (test)",
    "ReadMemStatsSlow (test)",
    "ReadMetricsSlow (test)",
    "ResetDebugLog (test)",
    "all goroutines stack trace",
    "chan receive",
    "chan send",
    "forever",
    "goroutine profile",
    "goroutine profile cleanup",
    "network",
    "preempted",
    "read mem stats",
    "runtime.Gosched",
    "select",
    "sleep",
    "start trace",
    "stop trace",
    "sync",
    "sync.(*Cond).Wait",
    "synctest",
    "system goroutine wait",
    "unknown",
    "unspecified",
    "wait for debug call",
    "wait until GC ends",
    "write heap dump",
};

bool words_of_runtime(const char *text)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i]) == 0)
            return true;
    }
    return false;
}
