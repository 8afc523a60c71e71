/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What became of each rule since the start, by its name. A rule keeps its numbers when it is
 * removed, so that they never fall; all beyond TALLY_MAX are counted as one. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALLY_MAX 200
#define TALLY_OTHER "other" /* stands for all rules beyond that */

struct tally_rule {
    char *name;
    uint64_t fired;    /* how often */
    uint64_t taken;    /* of these, those that made an incident, */
    uint64_t joined;   /* those at a target of which one was under way, */
    uint64_t refused;  /* and those that made none */
    size_t targets;    /* for which it is configured */
    size_t blind;      /* of these, those at which it sees nothing */
    bool blind_said;   /* since it was blind at none */
    bool refused_said; /* since it made an incident */
};

struct tally {
    struct tally_rule rules[TALLY_MAX + 1]; /* the last is TALLY_OTHER; by their first mention */
    size_t n;                               /* without that */
};

/* The numbers of this rule; those of TALLY_OTHER if there is no room for it, or no memory. */
struct tally_rule *tally_rule(struct tally *t, const char *name);
void tally_done(struct tally *t);
