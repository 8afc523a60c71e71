/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kinds of artifact that a key can name: what each is called in configurations, records and
 * APIs, and the suffix of its files. How one is captured is not known here.
 */

#include <stdbool.h>

enum kind {
    KIND_TRACE, /* an execution trace; what a key without a kind was always of */
    KIND_FLIGHT,
    KIND_CPU,
    KIND_MUTEX,
    KIND_BLOCK,
    KIND_GOROUTINE,
    KIND_HEAP,
    KIND_ALLOCS,
    KIND_GOROUTINELEAK,
    KIND_THREADCREATE,
    KINDS,
};

/* "trace", "mutex", … */
const char *kind_name(enum kind kind);

/* ".trace", ".mutex.pb.gz", …: a suffix is no other's. */
const char *kind_suffix(enum kind kind);

/* The kind with this name, or with this suffix and nothing else. False, and nothing written: there
 * is none. */
bool kind_of_name(const char *name, enum kind *ret);
bool kind_of_suffix(const char *suffix, enum kind *ret);
