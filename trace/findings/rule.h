/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a rule is: a row of the table in code.h, in a file of its own. It scores a summary's numbers
 * and tells what the score rests on. Private to trace/findings.
 */

#include <stdbool.h>

#include "trace/findings/context.h"
#include "trace/findings/finding.h"
#include "trace/stack/stackclass.h"

/*
 * Each threshold is a pair: the value from which on there is a finding (score 0.5), and the value
 * from which on it is unmistakable (score 1). docs/FINDINGS.md has the reasons and the
 * measurements.
 */
struct scale {
    double there;
    double severe;
};

/* The values that several rules use. */
struct facts {
    const struct summary *s;
    const struct context *context; /* NULL: nothing is known of the host */
    double window;                 /* nanoseconds, at least 1 */
    double available;
    double procs;
    double user;   /* running time of goroutines other than the collector's workers */
    double worker; /* running time of the collector's workers, but for the idle ones */
    double assist;
    double lock; /* waits for mutexes */
    double wait; /* how long goroutines wait for a P, on average, with those that still wait */
};

/* Who waits for so long, on average, although a P is free, waits for a CPU: to hand a P from one
 * thread to the other takes microseconds. */
#define RULE_WAIT_FOR_CPU 2e6

/* With so many goroutines at any time that run for long without a pause there are more threads than
 * CPUs, so that each of them waits for one within its run. */
#define RULE_CROWD 3

struct rule {
    /* Scores the numbers and fills in the evidence, call sites and the time lost. */
    double (*score)(const struct facts *, struct finding *);
    double (*events)(const struct facts *); /* that the score rests on; NULL: one is enough */
    double least;                           /* so many events make it more than chance */
    const char *next;
};

/* The score of a value: 0.5 at `there`, 1 at `severe` and beyond, falling to 0 below `there`. */
double rule_scaled(double value, struct scale scale);

double rule_least(double a, double b);
double rule_most(double a, double b);

/* A part of a whole; 0 if there is no whole. */
double rule_share(double part, double whole);

/* Adds a number to the evidence, as long as there is room. */
void rule_tell(struct finding *f, const char *name, double value);

/* Adds a call site with all that is known of it. Those with the largest totals are kept, sorted. */
void rule_point(struct finding *f, const struct summary_site *site);

/* Likewise where the longest call or run was, if that is known. */
void rule_point_longest(struct finding *f, const struct summary_longest *longest);

/* Likewise the call sites of these classes (a STACK_SET). */
void rule_point_at(struct finding *f, const struct summary_sites *sites, unsigned classes);

/* Likewise of a list of what had not ended. */
void rule_point_at_open(struct finding *f, const struct summary_sites *open, unsigned classes);

/* How many of the goroutines that wait were created in that quarter of the window in which the fewest
 * were, as a share of the mean. */
double rule_steadiness(const struct summary_growth *g);

/* Adds where most of the goroutines that are left were started, and where they wait. */
void rule_point_at_growth(struct finding *f, const struct summary_growth *growth);

/* An event's rate: how often a second it happened. */
double rule_rate(const struct facts *a, double count);

/* How often goroutines began to run. */
double rule_turns(const struct facts *a);

/* P time in which a thread had the P, but ran no goroutine on it: it ran timers, polled the
 * network, looked for goroutines, or the host let it wait. */
double rule_searching(const struct facts *a);

/* Goroutines in syscalls, on average, without syscalls whose purpose is to wait. */
double rule_in_syscalls(const struct facts *a);

/* Whether syscalls are a storm: many short ones, each of which loses its P. If not, and many are in
 * syscalls, these are slow ones. */
bool rule_is_storm(const struct facts *a);

/* Goroutines in slow syscalls that are not meant to wait, on average. */
double rule_in_slow_calls(const struct facts *a);
#define RULE_SLOW_CALLS 2 /* so many are not one that is stuck */

/* The time that requests waited for connections of the HTTP client that were all in use, rather
 * than for one to be opened. */
double rule_waits_for_own_conn(const struct facts *a);

/* All waits for an answer from the network; *ret_count is their number. */
double rule_waits_for_network(const struct facts *a, double *ret_count);

/* How strongly a CPU quota throttled the process, as a score. */
double rule_throttled_score(const struct facts *a);

/*
 * The process's threads that wait for a CPU, as the kernel counted them (struct context): how many
 * at any time, and as a share of those that wait for one or have one. False if that is not known.
 */
bool rule_waits_for_cpu(const struct facts *a, double *ret_mean, double *ret_share);

/* How strongly threads wait for a CPU, as a score, if the process keeps the CPUs that it may use
 * busy by itself (`own`), or if others do; else 0. */
double rule_waits_for_cpu_score(const struct facts *a, bool own);

/* Adds what rule_waits_for_cpu tells to the evidence, if anything. */
void rule_tell_waits_for_cpu(const struct facts *a, struct finding *f);

/* How strongly a goroutine's run without a pause holds up the process, as a score. */
double rule_held_up_score(const struct facts *a);

/* How strong a syscall storm is, as a score, but for how often Ps are lost in it. */
double rule_storm_strength(const struct facts *a);
