/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/record/kind.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *suffix;
} kinds[KINDS] = {
    [KIND_TRACE] = {"trace", ".trace"},
    [KIND_FLIGHT] = {"flight", ".flight.trace"},
    [KIND_CPU] = {"cpu", ".cpu.pb.gz"},
    [KIND_MUTEX] = {"mutex", ".mutex.pb.gz"},
    [KIND_BLOCK] = {"block", ".block.pb.gz"},
    [KIND_GOROUTINE] = {"goroutine", ".goroutine.pb.gz"},
    [KIND_HEAP] = {"heap", ".heap.pb.gz"},
    [KIND_ALLOCS] = {"allocs", ".allocs.pb.gz"},
    [KIND_GOROUTINELEAK] = {"goroutineleak", ".goroutineleak.pb.gz"},
    [KIND_THREADCREATE] = {"threadcreate", ".threadcreate.pb.gz"},
};

const char *kind_name(enum kind kind)
{
    return kinds[kind].name;
}

const char *kind_names(char out[static KIND_NAMES_SIZE])
{
    size_t n = 0;

    for (unsigned i = 0; i < KINDS && n < KIND_NAMES_SIZE; i++)
        n += (size_t)snprintf(out + n, KIND_NAMES_SIZE - n, "%s%s", i > 0 ? ", " : "",
                              kinds[i].name);
    return out;
}

const char *kind_suffix(enum kind kind)
{
    return kinds[kind].suffix;
}

bool kind_of_name(const char *name, enum kind *ret)
{
    for (unsigned i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *ret = (enum kind)i;
            return true;
        }
    }
    return false;
}

bool kind_of_suffix(const char *suffix, enum kind *ret)
{
    for (unsigned i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].suffix, suffix) == 0) {
            *ret = (enum kind)i;
            return true;
        }
    }
    return false;
}
