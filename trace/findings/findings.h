/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tells what is wrong with a program, if anything, by rules over a summary's numbers. Each rule
 * gives a score and the numbers that it rests on; docs/FINDINGS.md explains them and the
 * thresholds. This code measures nothing and reads no events.
 */

#include <stddef.h>

#include "trace/summary/summary.h"

#define FINDINGS_MAX 4      /* more would say nothing; a note may follow them */
#define FINDING_EVIDENCE 10 /* numbers */
#define FINDING_SITES 5

/* A name that ends in _ns belongs to a number of nanoseconds, one in _share to a share between 0
 * and 1. */
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
    double score;        /* 0.5: just there; 1: unmistakable; 0: a note, never the label */
    const char *subject; /* what it is about, in the program's words, or NULL */
    struct finding_number evidence[FINDING_EVIDENCE];
    size_t n_evidence;
    struct finding_site sites[FINDING_SITES]; /* where to look first */
    size_t n_sites;
    const char *next; /* what to do, one sentence */
};

/* With less than this share of the trace, or in a shorter window, nothing is found. */
#define FINDINGS_COVERED 0.9
#define FINDINGS_WINDOW 50000000 /* nanoseconds */

#define FINDINGS_NOT_INSPECTED "not-inspected"

struct findings {
    struct finding list[FINDINGS_MAX + 1]; /* the highest score first */
    size_t n;
    /* The code of the first finding; if there are only notes or none, `healthy` or `idle`. If the
     * numbers rest on too little, FINDINGS_NOT_INSPECTED: then not_inspected is `partial` or
     * `too-short`, and `why` is the reason in words. */
    const char *label;
    const char *not_inspected; /* NULL: there is a label */
    char why[120];
};

/* The i-th of all possible labels, or NULL beyond the last. */
const char *findings_label(size_t i);

/* Finds what is wrong. ret borrows texts of s, which must outlive it; all other texts are
 * constants. */
void findings_find(const struct summary *s, struct findings *ret);
