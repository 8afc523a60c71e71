/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Checks who owns the files and directories of the spool, and who else may write to them. The
 * platform may change that between two starts: with fsGroup, a pod's volume becomes writable for a
 * group each time it is mounted. So contraced takes the right to write from all others again.
 */

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Settles who may write to the directory path + name, which fd is open on. 0 when only we may; also
 * when groups that we are in still may after chmod, as on a file system that keeps no modes. With
 * `top` (storage.path itself) it may also belong to root if nobody else but such a group may write
 * there, as in a volume's own directory. Else -EPERM or another negative errno; for -EPERM the log
 * says what to do.
 */
int ownership_settle(int fd, const char *path, const char *name, bool top);

/* Take the right to write from everybody but the owner, who is us. Errors are ignored. */
void ownership_tighten(int fd, const struct stat *st);
void ownership_tighten_at(int dir, const char *name, const struct stat *st);
