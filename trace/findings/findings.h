/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is wrong, if anything: rules over a summary's numbers. Each rule gives a score and the
 * numbers that it rests on; docs/FINDINGS.md says what they mean and why the thresholds are where
 * they are. Nothing is measured here and no event is seen.
 */

#include <stddef.h>

#include "trace/summary/summary.h"

#define FINDINGS_MAX 4      /* more than that would say nothing; a note may come behind them */
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
    double score;        /* 0.5: just there; 1: nobody could miss it; 0: a note, never the label */
    const char *subject; /* what it is about, in the program's words, or NULL */
    struct finding_number evidence[FINDING_EVIDENCE];
    size_t n_evidence;
    struct finding_site sites[FINDING_SITES]; /* where to look first */
    size_t n_sites;
    const char *next; /* what to do, one sentence */
};

/* Below this share of the trace, or in less time, nothing is found. */
#define FINDINGS_COVERED 0.9
#define FINDINGS_WINDOW 50000000 /* nanoseconds */

#define FINDINGS_NOT_INSPECTED "not-inspected"

struct findings {
    struct finding list[FINDINGS_MAX + 1]; /* the highest score first */
    size_t n;
    /* The first one's code; without any but notes, `healthy` or `idle`. FINDINGS_NOT_INSPECTED
       where the numbers rest on too little: then not_inspected is `partial` or `too-short`, and why
       is that in words. */
    const char *label;
    const char *not_inspected; /* NULL: there is a label */
    char why[120];
};

/* The i-th of all labels that there are; NULL: there are fewer. */
const char *findings_label(size_t i);

/* Borrows from s: it must outlive ret. Texts are constants. */
void findings_find(const struct summary *s, struct findings *ret);
