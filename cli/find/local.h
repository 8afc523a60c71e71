/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The spool as a reader sees it who is not its owner: the daemon goes on meanwhile, so any file may
 * move or vanish between two looks, and that is no error. Takes no lock and writes
 * nothing. A symbolic link in the place of a trace or a record is not followed.
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

/* The trace of a key: a descriptor, and in which directory it was. -ENOENT: in neither. */
int local_trace(const struct local *l, const char *key, int *ret_fd, unsigned *ret_where);

/* Its record, up to the buffer's maximum. 0 or a negative errno, -ENOENT. */
int local_record(const struct local *l, const char *key, struct buf *b);

/* Reads the record of an entry; leaves it without facts when there is none. -ENOMEM only. */
int local_facts(const struct local *l, struct entry *e);
