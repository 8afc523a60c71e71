/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Extracts from a summary what goes into the record: the label, the findings and the numbers,
 * without the tables of call sites. The text comes from a process that read an untrusted trace, so
 * it is untrusted, too: sizes, depth and characters are bounded here. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/label/growth.h"

#define DIGEST_LABEL_SIZE 48
#define DIGEST_MAX 12288 /* bytes of JSON: about a third of it for outliers */
#define DIGEST_TEXT_SIZE 256

struct digest {
    char label[DIGEST_LABEL_SIZE]; /* lower-case letters, digits and '-' */
    char *summary;                 /* JSON text of an object, at most DIGEST_MAX bytes */
    double score;                  /* of the first finding; 0 without one */
    char why[DIGEST_LABEL_SIZE];   /* why there is no label: "partial"; "": there is one */
    double latency; /* 99th percentile of scheduler latency, in nanoseconds; < 0: not known */
    double covered; /* the share of the trace that this rests on; < 0: not known */
    char evidence[DIGEST_TEXT_SIZE]; /* of the first finding, as text for the log; may be empty */
    double goroutines;               /* at the trace's end; < 0: not known */
    uint64_t growing; /* a hash of the `go` statement that most are left of; 0: not known */
};

/* Parses a summary. 0; -EINVAL if it is no summary of the known schema; or -ENOMEM. */
int digest_parse(const char *json, size_t n, struct digest *ret);
void digest_done(struct digest *d);

/*
 * Adds to a digest that the number of goroutines grew over several samples: to its findings, and as
 * its label if that says that nothing is wrong. 0; -EINVAL if there is no room; or -ENOMEM. On
 * failure, *d is unchanged.
 */
int digest_add_growth(struct digest *d, const struct growth *growth);

/* Whether there is a label other than healthy and idle. */
bool digest_alarming(const struct digest *d);
