/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes the Prometheus text format, version 0.0.4, into a buffer: families with HELP and TYPE,
 * samples, labels. It knows the format and no metric. The first error sticks, so that callers look
 * once, at the end; what was written by then is not to be used.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum exposition_type {
    EXPOSITION_COUNTER,
    EXPOSITION_GAUGE,
    EXPOSITION_HISTOGRAM,
};

struct exposition_label {
    const char *name;
    const char *value; /* any bytes; what is not UTF-8 is replaced */
};

/* Buckets that are not cumulative: counts[i] are the values above bounds[i - 1] and up to
 * bounds[i], counts[n] those above all bounds. */
struct exposition_histogram {
    const double *bounds; /* ascending */
    size_t n;
    const uint64_t *counts; /* n + 1 */
    double sum;
};

struct exposition {
    struct buf *out;
    const char *family; /* borrowed */
    int error;
};

/* Appends to `out`, which is borrowed. */
void exposition_init(struct exposition *e, struct buf *out);

/*
 * Begins a family; all of its samples follow. The name is a constant of the caller's and valid as
 * it is; `help` is any text.
 */
void exposition_family(struct exposition *e, const char *name, enum exposition_type type,
                       const char *help);

/* One sample of the present family. Numbers read back as the same double or integer. */
void exposition_sample(struct exposition *e, const struct exposition_label *labels, size_t n,
                       double value);
void exposition_count(struct exposition *e, const struct exposition_label *labels, size_t n,
                      uint64_t value);

/* All series of one histogram of the present family. */
void exposition_histogram(struct exposition *e, const struct exposition_label *labels, size_t n,
                          const struct exposition_histogram *h);

/* 0; -ENOMEM or -E2BIG when something is missing. */
int exposition_end(const struct exposition *e);
