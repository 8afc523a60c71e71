/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Aligned columns of plain text for people. On a narrow terminal whole columns are left out, in the
 * order that their rank says; what is left is never cut.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ROWS_COLUMNS_MAX 16

struct rows_column {
    const char *title;
    unsigned gives_way; /* 1 is left out first; 0: never */
    bool right;
};

struct rows_row;

struct rows {
    const struct rows_column *columns; /* borrowed */
    size_t n_columns;
    struct rows_row *items;
    size_t n;
};

/* One row before it is added: plain ASCII, copied. NULL is "-". */
struct rows_cells {
    const char *text[ROWS_COLUMNS_MAX];
    const char *colour[ROWS_COLUMNS_MAX]; /* an escape sequence, static; or NULL */
    /* Lines of their own below the row, indented and broken at the width; or NULL. */
    const char *note;
};

void rows_init(struct rows *r, const struct rows_column *columns, size_t n);
void rows_done(struct rows *r);

/* 0 or -ENOMEM. */
int rows_add(struct rows *r, const struct rows_cells *cells);

/* `width` 0: no bound. The caller checks the stream for errors. */
void rows_print(FILE *out, const struct rows *r, unsigned width, bool colour);
