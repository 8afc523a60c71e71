/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is UTF-8 (RFC 3629; Unicode, table 3-7) and what is not.
 */

#include <stddef.h>

#define UTF8_MAX 4                      /* bytes of a character */
#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD, for what is none */

/*
 * The length of the character at p, of which `n` bytes may be read; 0 if it is not UTF-8. Reading
 * stops at the first wrong byte, so a string with a zero at its end may be read with n = UTF8_MAX.
 */
size_t utf8_length(const char *p, size_t n);
