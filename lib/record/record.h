/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is known of an artifact, such as a trace: the `.json` beside it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define RECORD_MAX ((size_t)256 << 10) /* bytes of one that is read back */

struct record_label {
    const char *name, *value;
};

/* Something in it that was counted: generations, samples. */
struct record_count {
    const char *name;
    uint64_t value;
};

/* Everything is borrowed. */
struct record {
    const char *artifact; /* what it is: trace, mutex, … */
    const char *service;
    const char *host;
    uint32_t pid;       /* 0: not known, and then not written */
    const char *target; /* URL without secrets */
    const char *job;
    const struct record_label *labels;
    size_t n_labels;
    const char *reason; /* schedule, signal, api, trigger:<name> */
    usec start;         /* real time at which the request was sent */
    usec window;        /* what was asked for */
    usec span;          /* what it really spans; 0: not known */
    uint64_t bytes;
    const char *sha256;     /* lower-case hex */
    const char *go_version; /* "1.26": as the trace's header says; NULL when not known */
    bool complete;
    uint64_t received;        /* when not complete: bytes that came, of which `bytes` were kept */
    const char *truncated_by; /* when not complete: why, one word (timeout, size_limit, short, …) */
    const struct record_count *counts;
    size_t n_counts;
};

/* The record as JSON text with a final newline, to be freed by the caller. NULL when memory is
 * short. */
char *record_to_json(const struct record *r);

/* What an inspection adds to a record. Everything is borrowed. */
struct record_amendment {
    const char *label;
    const char *not_inspected; /* why there is no summary; NULL: there is one */
    const char *summary;       /* JSON text of an object, or NULL */
    double latency;            /* as struct record_annotation's; what the summary says of it */
    double covered;            /* the share of the trace that all this rests on; < 0: not known */
};

/*
 * The record in `json` with these in place of what it had of them, as text with a final newline, to
 * be freed by the caller. 0, -ENOMEM, or -EINVAL when one of the two is no JSON object.
 */
int record_amend(const char *json, size_t n, const struct record_amendment *a, char **ret);

#define RECORD_LABEL_SIZE 48

/* What of an inspection stands in a record, for whoever lists traces. */
struct record_annotation {
    char label[RECORD_LABEL_SIZE]; /* lower-case letters, digits and '-'; "": none */
    double latency; /* nanoseconds: the 99th percentile of the scheduler latency; < 0: none */
    double covered; /* as struct record_amendment's; < 0: none */
};

/* 0, -ENOMEM, or -EINVAL when that is no JSON object. */
int record_annotation(const char *json, size_t n, struct record_annotation *ret);
