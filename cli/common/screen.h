/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a person sees beside the results: messages on stderr, and what the terminal can do.
 */

#include <stdbool.h>
#include <stdio.h>

/* "contrace: …" on stderr, escaped like a log line: it may quote what a store said. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Columns of the terminal behind the stream; 0: it is none. */
unsigned screen_width(FILE *f);

/* A terminal, and the user has not asked for the contrary (NO_COLOR, TERM=dumb). */
bool screen_colour(FILE *f);

/* What is printed may be UTF-8, as the user's locale has it. */
bool screen_utf8(void);

/* Flushes stdout. 0, or an errno after a message; a reader that went away needs none. */
int screen_finish(void);
