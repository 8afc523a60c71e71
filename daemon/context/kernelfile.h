/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The small files in which the kernel tells numbers: /proc, cgroups. What is not there, or not as
 * expected, is CONTEXT_ABSENT and no error.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "trace/findings/context.h"

#define KERNELFILE_SIZE 4096 /* enough for each file that is read whole, but for lists */

/*
 * Opens a file or directory below the directory `dir`, with O_CLOEXEC. Does not follow a symbolic
 * link, and never waits for a writer, as of a FIFO. The descriptor, or a negative errno: -EXDEV for
 * what is not on procfs, sysfs or a cgroup file system. Somebody mounted it over the kernel's own,
 * as lxcfs does, and it may say anything.
 */
int kernelfile_open(int dir, const char *path, int flags);

/*
 * Reads the first size - 1 bytes of such a file, and ends them with a zero byte. How many bytes
 * there are, or a negative errno; then the text is empty.
 */
ssize_t kernelfile_read(int dir, const char *path, char *text, size_t size);

/* The number at the start of a text, after blanks. *ret_end is what follows it; it may be NULL. */
int64_t kernelfile_number(const char *text, const char **ret_end);

/* The number after this word at the start of a line: of "nr_throttled" in "nr_throttled 5". */
int64_t kernelfile_key(const char *text, const char *key);

/* Reads such a file, and the number that it begins with. */
int64_t kernelfile_value(int dir, const char *path);

/* Reads a file of pressure stall information. */
struct context_pressure kernelfile_pressure(int dir, const char *path);

/* How many numbers a list such as "0-3,8" names. */
int64_t kernelfile_list(const char *text);

/* A number in another unit; what does not fit is absent. */
int64_t kernelfile_scaled(int64_t value, int64_t factor);

/* What came between two readings of a counter. Absent if one of them is, or if it went back. */
int64_t kernelfile_grown(int64_t before, int64_t after);
struct context_pressure kernelfile_pressure_grown(const struct context_pressure *before,
                                                  const struct context_pressure *after);
