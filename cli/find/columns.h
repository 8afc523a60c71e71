/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Prints the catalog: aligned columns for people, or one JSON object a line.
 */

#include <stdbool.h>
#include <stdio.h>

#include "cli/find/catalog.h"

struct columns_options {
    /* Of the terminal; columns that the key tells anyway are left out to fit. 0: no bound. */
    unsigned width;
    bool colour;
    bool full; /* also the columns of --long */
    usec now;
};

/* The caller checks the stream for errors. */
void columns_print(FILE *out, const struct catalog *c, const struct columns_options *o);
/* Whole lines. 0 or -ENOMEM. */
int columns_print_json(FILE *out, const struct catalog *c);
