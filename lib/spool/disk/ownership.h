/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whose a file or directory of the spool is, and who else may write to it. A platform may change
 * that between two starts: a volume of a pod with fsGroup becomes writable for a group each time it
 * is mounted. What is ours is made ours alone again.
 */

#include <stdbool.h>
#include <sys/stat.h>

/*
 * The directory path + name, open as fd. 0 when only we may write there, or, on a file system that
 * keeps no modes, only groups of ours; `top` may also be root's if it is writable for such a group
 * alone: a volume's own directory. Else -EPERM, and it is logged what to do.
 */
int ownership_settle(int fd, const char *path, const char *name, bool top);

/* Takes the right to write from all but the owner, who is us. What cannot be changed stays. */
void ownership_tighten(int fd, const struct stat *st);
void ownership_tighten_at(int dir, const char *name, const struct stat *st);
