/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Hexadecimal digits: written in lower case. */

#include <stdbool.h>
#include <stddef.h>

#define HEX_DIGITS "0123456789abcdef"
#define HEX_SHA256_SIZE 65 /* of a SHA-256 hash, with its zero */

/* Writes two digits a byte, and a zero: `out` has room for 2 * n + 1. */
void hex_encode(const unsigned char *bytes, size_t n, char *out);

/* The value of a digit, in either case; -1: it is none. */
int hex_digit(char c);

/* Whether the text is a SHA-256 hash as hex_encode writes it. NULL is none. */
bool hex_is_sha256(const char *text);
