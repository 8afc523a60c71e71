/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Writes the Prometheus text format, version 0.0.4, into a buffer: families with HELP and TYPE,
 * samples, labels. It knows the format but no metric. The first error is kept, so callers check
 * once, at the end (exposition_finish). After an error the text must not be used.
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
    const char *value; /* any bytes; those that are not UTF-8 are replaced */
};

/* A histogram with buckets that are not cumulative: counts[i] is the number of values above
 * bounds[i - 1] and up to bounds[i], counts[n] the number of those above all bounds. */
struct exposition_histogram {
    const double *bounds; /* ascending */
    size_t n;
    const uint64_t *counts; /* n + 1 of them */
    double sum;
};

struct exposition {
    struct buf *out;
    const char *family; /* borrowed */
    int error;
};

/* Begins to append to `out`, which is borrowed. */
void exposition_init(struct exposition *e, struct buf *out);

/*
 * Begins a family; all of its samples must follow. The name must be a valid constant of the caller;
 * `help` may be any text.
 */
void exposition_family(struct exposition *e, const char *name, enum exposition_type type,
                       const char *help);

/* Writes one sample of the current family. Numbers read back as the same double or integer. */
void exposition_sample(struct exposition *e, const struct exposition_label *labels, size_t n,
                       double value);
void exposition_count(struct exposition *e, const struct exposition_label *labels, size_t n,
                      uint64_t value);

/* Writes all series of one histogram of the current family. */
void exposition_histogram(struct exposition *e, const struct exposition_label *labels, size_t n,
                          const struct exposition_histogram *h);

/* 0; or -ENOMEM or -E2BIG if something could not be written. */
int exposition_end(const struct exposition *e);
