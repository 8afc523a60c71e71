/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A pattern that a process's snapshots show, as data, and what a rule for one is: a row of the table
 * in patterns.c, in a file of its own. A rule is a pure function of the snapshots. docs/SCHEDTRACE.md
 * has the thresholds with their reasons.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/schedtrace/process.h"

#define PATTERN_NUMBERS 8
#define PATTERN_PROOFS 4

/* A name that ends in _ms is a number of milliseconds, one in _share a share of 1. */
struct pattern_number {
    const char *name;
    double value;
};

/* A line of the log. */
struct pattern_proof {
    uint64_t line;
    const char *text; /* of the process's */
};

struct pattern {
    const char *code;
    unsigned rank; /* its row in the table */
    double score;  /* 0.5: just there; 1: unmistakable; below 0.5: it came near, or not */
    struct pattern_number numbers[PATTERN_NUMBERS];
    size_t n_numbers;
    struct pattern_proof proofs[PATTERN_PROOFS];
    size_t n_proofs;
    char says[200];      /* what is seen, one sentence */
    const char *lacking; /* what would have to be printed to tell it (better), or NULL */
    const char *limits;  /* what snapshots cannot tell of it */
    const char *next;    /* what to do */
};

struct pattern_scale {
    double there, severe;
};

/* 0.5 at `there`, 1 at `severe` and beyond, falling to 0 at nothing. */
double pattern_scaled(double value, struct pattern_scale scale);

/* A part of a whole; 0 if there is no whole. */
double pattern_share(double part, double whole);

void pattern_tell(struct pattern *p, const char *name, double value);

/* Adds a line as a proof, as long as there is room. */
void pattern_prove(struct pattern *p, uint64_t line, const char *text);
void pattern_prove_by(struct pattern *p, const struct snapshot *s);

/* With fewer snapshots nothing is found. */
#define PATTERN_SNAPSHOTS 4

struct pattern_rule {
    const char *code;
    const char *what; /* for people: "threads are not there, or do not run" */
    void (*look)(const struct process *p, struct pattern *ret);
    const char *limits, *next;
};
