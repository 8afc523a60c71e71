/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The numbers of a summary that are worth to be compared: a row each. */

#include <stdbool.h>
#include <stddef.h>

enum number_scale {
    NUMBER_AS_IT_IS,
    NUMBER_A_SECOND, /* a count of the whole trace, by its length */
    NUMBER_AT_ONCE,  /* a time of the whole trace, by its length: how many at any time */
};

enum number_sense {
    NUMBER_NEUTRAL,
    NUMBER_MORE_IS_WORSE,
    NUMBER_LESS_IS_WORSE,
};

struct number {
    const char *name;
    const char *path; /* of a type's: what follows its name */
    enum number_scale scale;
    enum number_sense sense;
    double least; /* after scaling: a smaller difference is none */
};

extern const struct number numbers_fixed[];
extern const size_t numbers_n_fixed;

/* Of each type of task and region. */
extern const struct number numbers_of_type[];
extern const size_t numbers_n_of_type;

/* What a scaled value's name would be, for told_number. */
const char *number_unit(const struct number *n);
