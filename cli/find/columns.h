/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The catalog for people: aligned columns, and for machines: a JSON object a line.
 */

#include <stdbool.h>
#include <stdio.h>

#include "cli/find/catalog.h"

struct columns_options {
    unsigned width; /* of the terminal: columns that the key tells anyway give way; 0: all */
    bool colour;
    bool full; /* also the columns of --long */
    usec now;
};

/* Errors of the stream are the caller's to look for. */
void columns_print(FILE *out, const struct catalog *c, const struct columns_options *o);
/* Whole lines. 0 or -ENOMEM. */
int columns_print_json(FILE *out, const struct catalog *c);
