/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads fields of a JSON object that may be missing or of the wrong type; both count as nothing,
 * and so do all fields of what is no object, or NULL. Text is made safe for a terminal: printable
 * ASCII, bounded.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define FIELD_SIZE 256

/* `len` bytes of text as field_text writes it. Returns `out`. */
const char *field_plain(const char *text, size_t len, char out[static FIELD_SIZE]);

/* A value in one line of ASCII. To be freed; NULL: memory is short. */
char *field_json(const json_t *value);

/* Prints it as a line. 0, or -ENOMEM after a message. */
int field_print(const json_t *value);

/* "" for nothing; what is not printable ASCII is a '?', and what is too long ends in "...". */
const char *field_text(const json_t *o, const char *key, char out[static FIELD_SIZE]);
/* 0 for nothing, negative or not whole. */
uint64_t field_count(const json_t *o, const char *key);
/* `otherwise` for nothing, negative or not finite. */
double field_number(const json_t *o, const char *key, double otherwise);
bool field_bool(const json_t *o, const char *key);
/* Real time; 0 for nothing. */
usec field_time(const json_t *o, const char *key);
