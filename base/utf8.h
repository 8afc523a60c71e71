/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is UTF-8 (RFC 3629; Unicode, table 3-7) and what is not.
 */

#include <stddef.h>

#define UTF8_MAX 4                      /* bytes of a character */
#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD, for what is none */

/*
 * Bytes of the character at p, of which `n` may be read; 0 when there is none. No byte behind a
 * wrong one is looked at, so UTF8_MAX will do for a string, which its zero ends.
 */
size_t utf8_length(const char *p, size_t n);
