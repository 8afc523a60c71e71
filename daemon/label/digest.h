/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What of a summary goes into the record: the label, the findings and the numbers, without the
 * tables of call sites. The text comes from a process that read a trace which anybody may have
 * written, so nothing is believed: sizes, depth and characters are bounded here. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_LABEL_SIZE 48
#define DIGEST_MAX 8192 /* bytes of JSON */
#define DIGEST_TEXT_SIZE 256

struct digest {
    char label[DIGEST_LABEL_SIZE]; /* lower-case letters, digits and '-' */
    char *summary;                 /* JSON text of an object, at most DIGEST_MAX bytes */
    double score;                  /* of the first finding; 0 if there is none */
    char why[DIGEST_LABEL_SIZE];   /* "partial", "too-short": why there is no label; "": there is */
    double latency; /* nanoseconds: the 99th percentile of scheduler latency; < 0: not known */
    double covered; /* the share of the trace that all this rests on; < 0: not told */
    char evidence[DIGEST_TEXT_SIZE]; /* of the first finding, in words for the log; may be empty */
};

/* 0; -EINVAL when that is no summary of the schema that is known; -ENOMEM. */
int digest_parse(const char *json, size_t n, struct digest *ret);
void digest_done(struct digest *d);

/* Whether the label names an illness, as opposed to healthy and idle. */
bool digest_alarming(const struct digest *d);
