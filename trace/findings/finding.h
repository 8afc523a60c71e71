/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is wrong with a program, as plain data. */

#include <stddef.h>

#include "trace/findings/code.h"
#include "trace/summary/summary.h"

#define FINDINGS_MAX 3 /* more would say nothing; notes may follow them */
#define FINDINGS_NOTES 5
#define FINDINGS_NEAR 2     /* rules that nearly spoke */
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
    struct summary_own own;
    uint64_t open; /* of count: had not ended */
};

struct finding {
    const char *code;
    double score;        /* 0.5: just there; 1: unmistakable; 0: a note, never the label */
    const char *subject; /* what it is about, in the program's words, or NULL */
    struct finding_number evidence[FINDING_EVIDENCE];
    size_t n_evidence;
    struct finding_site sites[FINDING_SITES]; /* where to look first */
    size_t n_sites;
    char remark[160]; /* what else is known of it, one line; "": nothing */
    /* Goroutine time that was lost so: waiting, or running for nothing. lost_share: of what all
     * findings of the list lost; 0 if this one has no such time. */
    double lost; /* nanoseconds */
    double lost_share;
    const char *because; /* the code of the finding of the list that causes this one, or NULL */
    const char *next;    /* what to do, one sentence */
};

/* A rule that did not speak, but came near. */
struct finding_near {
    const char *code;
    double score; /* below 0.5 */
};

/* With less than this share of the trace, or in a shorter window, nothing is found. */
#define FINDINGS_COVERED 0.9
#define FINDINGS_WINDOW 50000000 /* nanoseconds */

struct findings {
    /* The highest score first, but a cause before what it causes. */
    struct finding list[FINDINGS_MAX + FINDINGS_NOTES];
    size_t n;
    /* Without findings: the rules that came nearest, the nearest first. */
    struct finding_near near[FINDINGS_NEAR];
    size_t n_near;
    /* The code of the first finding; if there are only notes or none, `healthy` or `idle`. If the
     * numbers rest on too little, CODE_NOT_INSPECTED: then not_inspected is `partial` or
     * `too-short`, and `why` is the reason in words. */
    const char *label;
    const char *not_inspected; /* NULL: there is a label */
    char why[120];
};
