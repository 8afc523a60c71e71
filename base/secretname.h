/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Names that promise a secret: those of parameters, of keys in a file, and words of a message. */

#include <stdbool.h>
#include <stddef.h>

/* Whether the value of a parameter or a key of this name lets in whoever knows it: "sig",
 * "api_key", "X-Goog-Signature". */
bool secretname_is(const char *name, size_t n);

/* The same for a section of a file: "headers" and "params" may hold such values, too. */
bool secretname_is_section(const char *name, size_t n);

/* Whether a text ends with a word for a secret, as in "the new password". */
bool secretname_ends(const char *text, size_t n);
