/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Decides which class of waiting captures gets the next place. Healthy targets come first, then
 * targets that were never tried, then failing ones, which may hold only a share of the places; so
 * targets that hang until their timeout do not delay the others. No class waits for ever: after it
 * was passed over a number of times, it gets the next free place. Pure: works on counts alone.
 */

#include <stdbool.h>

enum turn {
    TURN_WELL, /* the last try did not fail */
    TURN_NEW,  /* not tried yet */
    TURN_ILL,  /* the last try failed */
    TURNS,
};

#define TURNS_ILL_SHARE 4     /* failing targets may hold 1 place in this many, at least one */
#define TURNS_PATIENCE_NEW 3  /* how often new targets may be passed over in a row */
#define TURNS_PATIENCE_ILL 15 /* the same for failing ones, which were tried before */

/* Zeroed: nobody waits, no place is taken. */
struct turns {
    unsigned waiting[TURNS], flying[TURNS];
    unsigned passed[TURNS]; /* times, since one of the class had its turn */
};

/* The class that is next, with `max` places in total. False: nobody who waits can have a place. */
bool turns_next(const struct turns *t, unsigned max, enum turn *ret);

/* Moves one capture of the class from waiting into a place. */
void turns_take(struct turns *t, enum turn turn);
