/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is known of a trace: the `.json` beside it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct record_label {
    const char *name, *value;
};

/* Everything is borrowed. */
struct record {
    const char *service;
    const char *host;
    uint32_t pid; /* 0: not known, and then not written */
    const char *target; /* URL without secrets */
    const char *job;
    const struct record_label *labels;
    size_t n_labels;
    const char *reason; /* schedule, signal, api, trigger:<name> */
    usec start;         /* real time at which the request was sent */
    double seconds;     /* the window asked for */
    uint64_t bytes;
    const char *sha256; /* lower-case hex */
    const char *go_version; /* "1.26": as the trace's header says; NULL when not known */
    bool complete;
    uint64_t received; /* when not complete: bytes that came, of which `bytes` were kept */
    const char *truncated_by; /* when not complete: why, one word (timeout, reset, size_limit, …) */
    unsigned generations;
};

/* The record as JSON text with a final newline, to be freed by the caller. NULL when memory is
 * short. */
char *record_to_json(const struct record *r);

