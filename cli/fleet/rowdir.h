/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A directory of rows, as it lies in a store below .contrace/rows: one file of a day, a service and
 * a host. Each appears whole or not at all.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/record/name.h"

struct rowdir;

/* Makes the directory if there is none. 0 or a negative errno. */
int rowdir_open(const char *path, struct rowdir **ret);

/*
 * Adds rows, whole lines, of that capture. All of one file must come one after the other: a file
 * ends when rows of another come. 0 or a negative errno.
 */
int rowdir_add(struct rowdir *d, const struct name *name, const char *rows, size_t n);

/* Ends the last file; *ret_files says how many there are. 0 or a negative errno. */
int rowdir_finish(struct rowdir *d, uint64_t *ret_files);

/* Removes a file that is not ended. NULL is fine. */
void rowdir_free(struct rowdir *d);
