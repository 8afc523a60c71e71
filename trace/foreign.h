/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Names data that is found where a batch should begin: a second trace in the same file, or output
 * of the program. Both look like damage but are not.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOREIGN_LOOK 64 /* bytes that are enough to tell */
#define FOREIGN_TEXT_SIZE 128
/* Fewer characters in a row may be chance, unless the trace ends there. */
#define FOREIGN_TEXT_MIN 4

/* Whether a byte may be part of a text. */
static inline bool foreign_is_text(uint8_t byte)
{
    return (byte >= ' ' && byte <= '~') || (byte >= '\t' && byte <= '\r');
}

/* `go 1.NN trace` and zeros; before 1.10 the number has one digit. Of at least 16 bytes. */
bool foreign_header(const uint8_t *p, unsigned *ret_minor);

/* Describes n bytes (at least one). Returns ret. */
const char *foreign_name(const uint8_t *p, size_t n, char ret[static FOREIGN_TEXT_SIZE]);
