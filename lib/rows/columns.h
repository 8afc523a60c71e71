/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The columns that are copied from a record, as tables: for each kind of row its columns, and where
 * in the JSON their values are.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/jsonwriter.h"

enum column_type {
    COLUMN_TEXT,
    COLUMN_COUNT, /* a whole number, at least 0 */
    COLUMN_REAL,
    COLUMN_FLAG,
};

struct column {
    const char *name;
    const char *path; /* members, with dots between them */
    enum column_type type;
};

/* Each ends with a row whose name is NULL. */
extern const struct column columns_record[];  /* of every row, from the record */
extern const struct column columns_trace[];   /* of the capture's row, from the record */
extern const struct column columns_finding[]; /* from a finding */
extern const struct column columns_outlier[]; /* from an outlier */

/* The value at a path; NULL if there is none. Borrowed. */
const json_t *columns_at(const json_t *from, const char *path);

/* Writes the columns whose values are there and of their type. */
void columns_write(struct jsonwriter *w, const struct column *columns, const json_t *from);
