/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The catalog for people: aligned columns, and for machines: a JSON object a line.
 */

#include <stdbool.h>
#include <stdio.h>

#include "cli/catalog.h"

struct table_options {
    unsigned width; /* of the terminal: columns that the key tells anyway give way; 0: all */
    bool colour;
    bool full; /* also the columns of --long */
    usec now;
};

/* Errors of the stream are the caller's to look for. */
void table_print(FILE *out, const struct catalog *c, const struct table_options *o);
/* 0 or -ENOMEM. */
int table_print_json(FILE *out, const struct catalog *c);

/* "45s", "12m", "3h05m", "4d02h": returns `out`. */
#define TABLE_AGE_SIZE 16
const char *table_age(usec age, char out[static TABLE_AGE_SIZE]);
