/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is to be explained: a trace's file, its record, and where records of earlier traces lie.
 */

#include <jansson.h>
#include <stdbool.h>

#include "cli/find/local.h"
#include "lib/record/name.h"
#include "trace/findings/context.h"

/* How the directory `root` holds traces. */
enum layout {
    LAYOUT_NONE,  /* not known: there is nothing to compare with */
    LAYOUT_SPOOL, /* keys below archive/ and pending/ */
    LAYOUT_TREE,  /* keys, as `contrace pull` makes them */
    LAYOUT_FLAT,  /* all files in it, under any names */
};

struct subject {
    char *path; /* of the file; "-": standard input */
    int fd;
    json_t *record; /* of this very file; NULL: there is none */
    /* Who was traced and when, of the record or else of the file's name; service "": not known. */
    struct name name;
    bool keyed; /* `name` is the whole key */
    struct context context;
    bool has_context;
    enum layout layout;
    char *root;
};

/* Opens a file. 0, or a negative errno without a message; then there is nothing to close. */
int subject_open_file(const char *path, struct subject *ret);

/* Opens the trace of a key in a spool, likewise. -ENOENT: it is not there. */
int subject_open_key(const struct local *local, const char *key, struct subject *ret);

void subject_close(struct subject *s);
