/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The text of a YAML file: its lines as YAML counts them, similar words, and lines that may show a
 * secret. */

#include <stdbool.h>
#include <stddef.h>

bool text_is_utf8(const char *s);

/* Replaces each byte that a terminal should not get with '?'; tabs stay. */
void text_make_printable(char *s);

/* Bytes of the line break at p, 0 when there is none: CR, LF, CR LF, and the Unicode ones that YAML
 * 1.1 counts: NEL, LS, PS. */
size_t text_break_length(const char *p);

/* How many bytes must be added, removed, changed or swapped with their neighbour to make `b` of
 * `a`. SIZE_MAX if one is longer than TEXT_WORD_MAX. */
#define TEXT_WORD_MAX 48
size_t text_distance(const char *a, const char *b);

/*
 * Whether a line of the YAML file `text` may show a secret: text_has_password says so, it has a
 * fragment or an encoded letter as URLs have, or a key of it, or of a section around it, is named
 * like a secret.
 */
bool text_may_be_secret(const char *text, const char *line, size_t n);

/* Whether one word, meant as a URL or an address, may hold a secret. */
bool text_word_may_be_secret(const char *word);

/* True if the text may hold USER:PASSWORD@HOST or a query such as ?token=…; it must not be shown
 * then. The value of a YAML key (behind a colon and a blank) is no password, and neither is
 * unix:@abstract. */
bool text_has_password(const char *text, size_t n);
