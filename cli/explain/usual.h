/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is usual, and what is not: the numbers of a summary that are worth comparing, their medians
 * over earlier summaries, and those that moved most. Pure.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum usual_form { USUAL_DURATION, USUAL_SHARE, USUAL_BYTES, USUAL_COUNT, USUAL_RATE };

/* A row of the table. Its path is that of the summary's JSON; a number in it is an element of a
 * list. */
struct usual_number {
    const char *path;
    const char *words; /* what it is, for people */
    enum usual_form form;
    bool each; /* of the window: a total becomes a rate each second, or a share */
    bool zero; /* its list is short or gone if there was nothing: 0, if the summary has outliers */
    double noise; /* a change within this is none; of values this small nobody asks how often */
};

#define USUAL_NUMBERS 24
extern const struct usual_number usual_numbers[USUAL_NUMBERS];

struct usual_values {
    double values[USUAL_NUMBERS]; /* NAN: not known */
};

void usual_read(const json_t *summary, struct usual_values *ret);

/* The middle of n values, of an even number the lower one of both; it sorts them. NAN of none. */
double usual_median(double *values, size_t n);

#define USUAL_MAX 20  /* summaries that are compared with */
#define USUAL_MOVES 5 /* numbers that are told */

struct usual_move {
    const struct usual_number *number;
    double usual, now;
    size_t n;     /* summaries that have it */
    double times; /* how often the smaller one is in the larger one, both with the noise: over 1 */
};

/*
 * The numbers that moved most, the most first: at least to the double or the half, and out of the
 * range in which the middle half of the earlier ones lies. Returns how many.
 */
size_t usual_moves(const struct usual_values *earlier, size_t n, const struct usual_values *now,
                   struct usual_move ret[static USUAL_MOVES]);

/* The text that stands there most often, and how often; of equally many the first. NULL of none. */
const char *usual_text(const char *const *texts, size_t n, size_t *ret_times);
