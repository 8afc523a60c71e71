/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What became of each condition on each file, in the form that a person or a pipeline reads. */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum report_kind {
    REPORT_PASSED,
    REPORT_FAILED, /* the condition is true */
    REPORT_ABSENT, /* a value of it is absent */
    REPORT_UNREADABLE,
};

struct report_line {
    char *file;
    char *expression; /* NULL: the file could not be read, or not to its end */
    char *text;
    json_t *values; /* an object, path by path; or NULL */
    enum report_kind kind;
};

struct report {
    struct report_line *list;
    size_t n;
    size_t cap;
    bool require; /* what is absent fails, too */
};

/* Copies the texts, of which what is no UTF-8 becomes a question mark. `values` is taken over, also on failure. 0 or -ENOMEM. */
int report_add(struct report *r, const char *file, const char *expression, enum report_kind kind,
               const char *text, json_t *values);
size_t report_count(const struct report *r, enum report_kind kind);

/* Whether a condition is true, or absent although it is required. */
bool report_failed(const struct report *r);
void report_done(struct report *r);

struct report_format {
    const char *name;
    int (*print)(FILE *out, const struct report *r); /* 0 or -ENOMEM */
};

/* For a field `const struct report_format *` of a command's arguments: see arguments.h. */
const char *report_format_argument(void *field, const char *value);
const struct report_format *report_format_text(void);

/* What is true or absent, as text. */
void report_print_text(FILE *out, const struct report *r);

/* An array of what report_add was told, for a command's own JSON. NULL without memory. */
json_t *report_json(const struct report *r);
