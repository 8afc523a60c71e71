/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Messages on stderr, and what the terminal can do.
 */

#include <stdbool.h>
#include <stdio.h>

/* The first thing that a program does. Where standard input, output or errors are closed, no other
 * file gets their number: what is read and printed fails. */
void screen_start(void);

/* "contrace: …" on stderr, escaped like a log line: it may quote what a store said. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says that memory is short. Returns -ENOMEM. */
int complain_memory(void);

/* The width of the terminal in columns; 0: the stream is no terminal. */
unsigned screen_width(FILE *f);

/* Whether to use colours: a terminal, and neither NO_COLOR nor TERM=dumb. */
bool screen_colour(FILE *f);

/* Whether the user's locale is UTF-8. */
bool screen_utf8(void);

/* Whether something could not be written to stdout because nobody reads it any more. */
bool screen_reader_left(void);

/* Flushes stdout. 0, or a negative errno after a message; -EPIPE without one, when the reader went
 * away. */
int screen_finish(void);
