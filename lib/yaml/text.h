/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Text as people write it: UTF-8, lines as YAML counts them, and words that look alike. */

#include <stdbool.h>
#include <stddef.h>

bool text_is_utf8(const char *s);

/* Replaces each byte that a terminal should not get with '?'; tabs stay. */
void text_make_printable(char *s);

/* Bytes of the line break at p, 0 when there is none: CR, LF, CR LF, and the Unicode ones that YAML
 * 1.1 counts: NEL, LS, PS. */
size_t text_break_length(const char *p);

/* How many letters must be added, taken away, changed or swapped with their neighbour to make `b`
 * out of `a`. Words longer than TEXT_WORD_MAX are as far apart as they can be: SIZE_MAX. */
#define TEXT_WORD_MAX 48
size_t text_distance(const char *a, const char *b);

/*
 * Whether a line of YAML, which lies in `text`, may show a secret: as text_has_password, by a
 * fragment or an encoded letter as URLs have them, or since its keys, or those of the sections that it
 * stands in by its indentation, are called as secrets are.
 */
bool text_may_be_secret(const char *text, const char *line, size_t n);

/* Whether one word of a person's, meant as a URL or an address, may hold a secret. */
bool text_word_may_be_secret(const char *word);

/* True if the text may hold USER:PASSWORD@HOST or a query such as ?token=…, as URLs have them: such a text
 * is not shown. What stands behind a colon and a blank, as a key's value in YAML does, is no password, nor
 * is unix:@abstract. */
bool text_has_password(const char *text, size_t n);
