/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What stands in a trace where a batch should begin, in words: two traces that were written into
 * one file, and what a program prints where it writes its trace, look like damage and are none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOREIGN_LOOK 64 /* so many bytes are enough to tell */
#define FOREIGN_TEXT_SIZE 128

/* Whether a byte may be of a text. */
static inline bool foreign_is_text(uint8_t byte)
{
    return (byte >= ' ' && byte <= '~') || (byte >= '\t' && byte <= '\r');
}

/* `go 1.NN trace` and zeros; before 1.10 the number has one digit. Of at least 16 bytes. */
bool foreign_header(const uint8_t *p, unsigned *ret_minor);

/* Of n bytes, more than none; ret is returned. */
const char *foreign_name(const uint8_t *p, size_t n, char ret[static FOREIGN_TEXT_SIZE]);
