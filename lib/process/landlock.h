/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Landlock: a thread gives up rights for good, for itself and for threads and processes that it
 * starts later. All rights that a ruleset handles are forbidden, except where a rule allows them.
 * Builds with any version of the kernel's headers.
 * https://docs.kernel.org/userspace-api/landlock.html
 */

#include <stdint.h>

/* Rights on files, and the version that brought them. */
#define LANDLOCK_FS_WRITE_FILE (UINT64_C(1) << 1)
#define LANDLOCK_FS_REMOVE_DIR (UINT64_C(1) << 4)
#define LANDLOCK_FS_REMOVE_FILE (UINT64_C(1) << 5)
#define LANDLOCK_FS_MAKE_CHAR (UINT64_C(1) << 6)
#define LANDLOCK_FS_MAKE_DIR (UINT64_C(1) << 7)
#define LANDLOCK_FS_MAKE_REG (UINT64_C(1) << 8)
#define LANDLOCK_FS_MAKE_SOCK (UINT64_C(1) << 9)
#define LANDLOCK_FS_MAKE_FIFO (UINT64_C(1) << 10)
#define LANDLOCK_FS_MAKE_BLOCK (UINT64_C(1) << 11)
#define LANDLOCK_FS_MAKE_SYM (UINT64_C(1) << 12)
#define LANDLOCK_FS_REFER (UINT64_C(1) << 13)      /* 2: rename to another directory */
#define LANDLOCK_FS_TRUNCATE (UINT64_C(1) << 14)   /* 3 */
#define LANDLOCK_SCOPED_SIGNALS (UINT64_C(1) << 1) /* 6: to processes outside */

struct landlock_rights {
    uint64_t fs, net, scope;
};

/* The version of the kernel's interface, or 0 when it has none, or may not be asked. */
int landlock_version(void);

/* All rights that a version knows. */
struct landlock_rights landlock_all(int version);

/*
 * A ruleset that handles those of the rights that the kernel knows. A descriptor, to be closed by
 * the caller, or a negative errno.
 */
int landlock_new(const struct landlock_rights *handled);

/*
 * Allows these rights on files, as far as the kernel knows them, below an open directory (O_PATH is
 * enough). The ruleset must handle them. 0 or a negative errno.
 */
int landlock_allow(int ruleset, int directory, uint64_t fs);

/* Applies the ruleset to the calling thread, which must have no_new_privs. 0 or a negative
 * errno. */
int landlock_enforce(int ruleset);
