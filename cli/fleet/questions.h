/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The questions of sql/questions, and the tables that they ask, as they were when contrace was
 * built.
 */

#include <stdbool.h>
#include <stddef.h>

struct question {
    const char *name; /* none of these ends with a zero byte */
    size_t name_length;
    const char *title;
    size_t title_length;
    const char *sql; /* with the title as a comment; one statement without a semicolon */
    size_t sql_length;
};

/* The i-th, by name. False beyond the last. */
bool questions_at(size_t i, struct question *ret);
bool questions_find(const char *name, struct question *ret);

/* What makes the tables, for DuckDB. */
const char *questions_tables(size_t *ret_length);
