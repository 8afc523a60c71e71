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
    char *file;      /* NULL: not a file's fault but that of the options, or of all together */
    unsigned line;   /* from 1; 0: the file as a whole */
    unsigned column; /* from 1, in characters */
    char *message;
    char *source;   /* the line, or of a long one the part around the column; NULL: none */
    bool masked;    /* the value was cut off it */
    unsigned caret; /* the column's place within source, in characters from 1 */
};

struct diags {
    struct diag *items;
    size_t n;
    size_t dropped; /* errors past DIAG_MAX, counted only */
};

#define DIAG_MAX 100

void diags_done(struct diags *d);

/* Adds an error. `source` is the whole text of the file (the line is cut out of it), or NULL when
 * the line may hold a secret: then it is not shown, whatever else is wrong in it. Neither is one
 * whose keys, or those of the sections that it stands in, promise a secret. An
 * error that cannot be stored for want of memory is counted in `dropped`: it is never taken for
 * success. Control characters and what is not UTF-8 are shown as '?'. */
void diags_add(struct diags *d, const char *file, unsigned line, unsigned column,
               const char *source, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void diags_addv(struct diags *d, const char *file, unsigned line, unsigned column,
                const char *source, const char *fmt, va_list ap)
    __attribute__((format(printf, 6, 0)));

/*
 * Cuts the value off the line of one error, if it was stored, whose column is that of a key: what a
 * key that is not known stands for may be a secret.
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
 * The first few without their lines, and how many more there are: one line, for a log. NULL without
 * errors or memory.
 */
char *diags_brief(struct diags *d);
