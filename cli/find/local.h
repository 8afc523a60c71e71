/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reads a spool that a daemon is using: any file may move or vanish at any time, which is no error.
 * Takes no lock and writes nothing. Symbolic links in place of traces and records are not followed.
 */

#include "base/buf.h"
#include "cli/find/catalog.h"
#include "cli/find/selection.h"

struct local {
    int root;
    char *path;
};

/* 0 or a negative errno: -ENOENT, -EACCES, … */
int local_open(struct local *l, const char *path);
void local_close(struct local *l);

/*
 * Adds the traces that match. 0, or a negative errno after what could be read: -EACCES when a
 * directory may not be read.
 */
int local_list(const struct local *l, const struct selection *s, struct catalog *c);

/* Opens the trace of a key and tells in which directory it was. -ENOENT: in none. */
int local_trace(const struct local *l, const char *key, int *ret_fd, unsigned *ret_where);

/* Its record, up to the buffer's maximum. 0 or a negative errno, -ENOENT. */
int local_record(const struct local *l, const char *key, struct buf *b);

/* Reads the record of an entry, and keeps the whole of it if `keep`; without a record the entry gets
 * no facts. 0 or -ENOMEM. */
int local_facts(const struct local *l, struct entry *e, bool keep);
