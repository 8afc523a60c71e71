/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is wrong, if anything: rules over a summary's numbers. Each rule gives a score and the
 * numbers that it rests on; docs/FINDINGS.md says what they mean and why the thresholds are where
 * they are. Nothing is measured here and no event is seen.
 */

#include <stddef.h>

#include "trace/summary/summary.h"

#define FINDINGS_MAX 4      /* more than that would say nothing */
#define FINDING_EVIDENCE 10 /* numbers */
#define FINDING_SITES 5

/* A name that ends in _ns is of nanoseconds, in _share of a share between 0 and 1. */
struct finding_number {
    const char *name;
    double value;
};

/* A call site to look at. */
struct finding_site {
    struct summary_frame at; /* texts of the summary */
    uint64_t count;
    int64_t total; /* nanoseconds */
};

struct finding {
    const char *code;
    double score; /* 0.5: just there; 1: nobody could miss it */
    struct finding_number evidence[FINDING_EVIDENCE];
    size_t n_evidence;
    struct finding_site sites[FINDING_SITES]; /* where to look first */
    size_t n_sites;
    const char *next; /* what to do, one sentence */
};

struct findings {
    struct finding list[FINDINGS_MAX]; /* the highest score first */
    size_t n;
    const char *label; /* the first one's code; without any, `healthy` or `idle` */
};

/* The i-th of all labels that there are; NULL: there are fewer. */
const char *findings_label(size_t i);

/* Borrows from s: it must outlive ret. Texts are constants. */
void findings_find(const struct summary *s, struct findings *ret);
