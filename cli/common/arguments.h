/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Command lines as tables: each option is a row that says where its value goes and how it is read.
 * Parsing and the help text come from the same rows.
 */

#include <stddef.h>

/* Reads `value` (NULL for an option without one) into the field. NULL, or what was expected. */
typedef const char *(*argument_fn)(void *field, const char *value);

struct argument {
    const char *name;
    char letter;       /* or 0 */
    const char *value; /* the value's name in the help; NULL: the option takes no value */
    const char *help;
    argument_fn read;
    size_t offset; /* of the field in the group's struct */
};

struct argument_group {
    const struct argument *rows;
    size_t n;
    void *into;
};

/* Fields: bool, const char * (borrowed from argv), unsigned (at least 1). */
const char *argument_flag(void *field, const char *value);
const char *argument_text(void *field, const char *value);
const char *argument_count(void *field, const char *value);

/*
 * Reads the options of these groups from argv, whose first word is the command's name. Options and
 * other words may be mixed; argv is sorted so that the other words start at *ret_rest. The help text
 * is `intro`, which is lines of usage that begin with "Usage:" or a blank, and sentences; and a row
 * for each option. 0; 1 after --help; -EINVAL after a message about the usage.
 */
int arguments_parse(int argc, char **argv, const struct argument_group *groups, size_t n,
                    const char *intro, int *ret_rest);

#define GROUP(rows_, into_) {(rows_), sizeof(rows_) / sizeof((rows_)[0]), (into_)}
