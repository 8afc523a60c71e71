/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is wrong with a file, for the person who wrote it: every error of the file, each with its
 * place.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct diag {
    char *file;      /* NULL: the error is in the options, or in options and file together */
    unsigned line;   /* from 1; 0: the file as a whole */
    unsigned column; /* from 1, in characters */
    char *message;
    char *source;   /* the line, or of a long one the part around the column; NULL: none */
    bool masked;    /* the value was cut off it */
    unsigned caret; /* where the column is in `source`, in characters from 1 */
};

struct diags {
    struct diag *items;
    size_t n;
    size_t dropped; /* errors that are only counted: after DIAG_MAX, or for want of memory */
};

#define DIAG_MAX 100

void diags_done(struct diags *d);

/* Adds an error. `source` is the whole text of the file, from which the line is cut, or NULL when
 * the line may hold a secret: then no error shows it. Neither is a line shown that looks as if it
 * had one (text_may_be_secret). If memory is short, the error is counted in `dropped`, so that it
 * is never taken for success. Control characters and bytes that are not UTF-8 are shown as '?'. */
void diags_add(struct diags *d, const char *file, unsigned line, unsigned column,
               const char *source, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void diags_addv(struct diags *d, const char *file, unsigned line, unsigned column,
                const char *source, const char *fmt, va_list ap)
    __attribute__((format(printf, 6, 0)));

/*
 * For the error number `at`, if it was stored, which is about an unknown key and has its column:
 * cuts the value off the line, as it may be a secret.
 */
void diags_mask_value(struct diags *d, size_t at);

/* Nonzero if there was any error. */
size_t diags_count(const struct diags *d);

/*
 * file:line:col: message, the line, and a caret under the column; all errors in order of their
 * place. Without a line "file: message", without a file "contraced: message".
 */
void diags_print(struct diags *d, FILE *out);

/*
 * The first errors without their lines, and the number of the others: one line, for a log. NULL if
 * there are none or memory is short.
 */
char *diags_brief(struct diags *d);
