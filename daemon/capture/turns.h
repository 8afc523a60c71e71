/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whose turn it is when captures wait for a place: those of targets that are well before those that
 * were never tried, and these before those that fail, which never hold more than a share of the
 * places. So targets that hang until their timeout cost the others nothing. Nobody waits for ever:
 * who was passed over so often has the next place that becomes free. Pure: numbers in, a turn out.
 */

#include <stdbool.h>

enum turn {
    TURN_WELL, /* the last try did not fail */
    TURN_NEW,  /* not tried yet */
    TURN_ILL,  /* the last try failed */
    TURNS,
};

#define TURNS_ILL_SHARE 4     /* one place in so many, and at least one */
#define TURNS_PATIENCE_NEW 3  /* so often they are passed over in a row */
#define TURNS_PATIENCE_ILL 15 /* the same; they were tried a while ago */

/* Zero is: nobody waits, no place is taken. */
struct turns {
    unsigned waiting[TURNS], flying[TURNS];
    unsigned passed[TURNS]; /* since one of them had its turn */
};

/* Who is next, with `max` places in all. False: no place is free for anybody who waits. */
bool turns_next(const struct turns *t, unsigned max, enum turn *ret);

/* One of them goes from waiting into a place. */
void turns_take(struct turns *t, enum turn turn);
