/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Why a trace was not read, or not to its end: as a message, and in JSON. A list of files has an
 * object for each, also for those that could not be read.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/jsonwriter.h"
#include "trace/gotrace.h"

struct failure {
    int code;    /* a negative errno */
    bool placed; /* the offset is known */
    uint64_t offset;
    char text[256];
};

/* A failure of the system. */
struct failure failure_of(int code);

/* JSON that could not be made. */
struct failure failure_of_json(int code);

/* What a reader of traces returned: its own error if that has the same code. */
struct failure failure_of_trace(const struct gotrace *trace, int code);

/* The message: the file, what is wrong and where, and `more`. */
void failure_complain(const char *path, const struct failure *f, const char *more);

/* Says why nothing is known of a file, and prints its object where `schema` is not 0. Returns the
 * exit of the command: f->code, but for -EINVAL, which would be wrong usage. */
int failure_tell(const char *path, int schema, const struct failure *f);

/* The member `error`: an object; of no failure (NULL) it is null. */
void failure_write(struct jsonwriter *w, const struct failure *f);

/* Prints the object of a file of which nothing is known, as a line on standard output. 0, or
 * -ENOMEM. */
int failure_print(const char *path, int schema, const struct failure *f);
