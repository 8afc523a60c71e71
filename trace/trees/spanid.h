/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Recognises the id of a span, or of a whole distributed trace, in what a program wrote into its
 * execution trace: a log of a task, or the task's type. Letters count in any case. Of a traceparent
 * header (W3C Trace Context) the span's id is looked for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPANID_MAX 64 /* characters */

struct spanid {
    char text[SPANID_MAX + 1];
    size_t n;
    bool is_hex, is_decimal; /* 16 hexadecimal digits; a decimal number without zeros before it */
    uint64_t hex, decimal;
};

/* False if that can be no id: empty, longer than SPANID_MAX, or with blanks. */
bool spanid_read(const char *text, struct spanid *ret);

/* Whether the text has the id as a word: neither letter nor digit beside it. */
bool spanid_is_in(const struct spanid *id, const char *text, size_t n);

/* Whether a log is an id as Datadog's library writes it: eight bytes, the least first. */
bool spanid_binary(const char *category, size_t n_category, const char *message, size_t n_message,
                   uint64_t *ret);

/* Whether a log says the id. */
bool spanid_is_logged(const struct spanid *id, const char *category, size_t n_category,
                      const char *message, size_t n_message);
