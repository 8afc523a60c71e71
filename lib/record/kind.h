/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kinds of artifact that a key can name: the name of each in configurations, records and APIs,
 * and the suffix of its files. How they are captured is defined elsewhere.
 */

#include <stdbool.h>

enum kind {
    KIND_TRACE, /* an execution trace: the only kind before keys named one */
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

/* "trace, flight, …": the names of all, for messages. */
#define KIND_NAMES_SIZE 128
const char *kind_names(char out[static KIND_NAMES_SIZE]);

/* ".trace", ".mutex.pb.gz", …; each kind has its own. */
const char *kind_suffix(enum kind kind);

/* Find the kind with exactly this name, or exactly this suffix. False if there is none; then
 * nothing is written. */
bool kind_of_name(const char *name, enum kind *ret);
bool kind_of_suffix(const char *suffix, enum kind *ret);
