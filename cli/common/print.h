/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Text in columns. Characters are counted, not bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How many columns the first n bytes take. */
size_t print_width(const char *text, size_t n);

/* Prints a text right-aligned; one that is wider stands there whole. */
void print_cell(FILE *out, const char *text, size_t width);

/* Prints at most `max` bytes of a text that may contain anything: what is not printable ASCII is a
 * '?'. Returns how many. */
size_t print_plain(FILE *out, const char *text, size_t max);

/* Prints a text and ends its line. */
void print_whole(FILE *out, const char *text, size_t n);

/* How many lines a text has. */
size_t print_lines(const char *text);

/* Prints the name of a file whole; control characters are '?'. */
void print_name(FILE *out, const char *name);

/* Text that is broken into lines, of at most `width` columns unless a piece is longer. */
struct print_flow {
    FILE *out;
    size_t indent, width;
    size_t column;       /* where the text is; 0: a line is to be begun */
    const char *between; /* pieces, before the blank; NULL: nothing */
    size_t most;         /* lines; 0: any number */
    size_t lines;        /* that have ended */
};

/* The next piece, which is not broken, behind a blank or in a line of its own. False if there is no
 * line left for it: then it is left out. */
bool print_flow_piece(struct print_flow *flow, const char *text, size_t n);

/* Its words are the pieces, between blanks and ends of lines. */
void print_flow_words(struct print_flow *flow, const char *text);

void print_flow_end(struct print_flow *flow);
