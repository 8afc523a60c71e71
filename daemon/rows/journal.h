/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The directory storage.path/rows: rows wait in it for their upload. A file in open/ grows by the
 * rows of one record after the other; sealing compresses it into ready/. A kill between any two
 * system calls leaves files that the next run goes on with. For disk threads, one at a time: `root`
 * is the directory's descriptor.
 */

#include <stdint.h>
#include <stddef.h>

#include "base/clock.h"
#include "lib/rows/rowfile.h"

/* Bytes that wait in ready/ at most: beyond that, the oldest are deleted. */
#define JOURNAL_READY_MAX ((uint64_t)64 << 20)

/* Opens the directory below storage.path, and makes it if it is missing. 0 or a negative errno. */
int journal_open(const char *path, int *ret_root);

/* Where new rows go, and what files are called. */
struct journal_place {
    const char *host;
    usec now;        /* real time */
    uint32_t random; /* another one each time */
};

/*
 * Appends rows, whole lines, to the file of that day and service. *ret_size is its new size. A
 * negative errno: the file is as it was before.
 */
int journal_append(int root, const struct journal_place *place, const char *day,
                   const char *service, const char *rows, size_t n, uint64_t *ret_size);

/*
 * Compresses all files of open/ into ready/, durably. Lines that are not whole, as after a power
 * failure, are left out. *ret_dropped: how many files were deleted for want of room. 0, or a
 * negative errno: some files are still in open/.
 */
int journal_seal(int root, unsigned *ret_dropped);

/* The file of ready/ that comes first: its name, size and descriptor. 0; -ENOENT: there is none; or
 * another negative errno. */
int journal_next(int root, char ret_name[static ROWFILE_NAME_MAX], uint64_t *ret_size, int *ret_fd);

/* Removes it. */
int journal_remove(int root, const char *name);

/* Real time: the rows of every record whose key is older are in files, here or in the store.
 * 0: nothing is known. */
usec journal_since(int root);
int journal_set_since(int root, usec since);
