/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files that hold secrets: who may be able to read one, and reading it whole into memory that the
 * caller wipes. Nothing here knows what is in the file.
 */

#include "base/buf.h"

/*
 * 0 if only the owner may read the file; if a group of ours may, too (0640), and root set that up
 * or it lies on a memory file system, as an agent beside us writes it; or if root put it on a memory
 * file system where nobody else may write it, as Kubernetes and systemd do with secrets. A file of
 * a person's on a disk may be read by nobody else: whole departments share a group. -EPERM if others
 * may read it, -EINVAL if it is not a regular file, or the errno of fstat(2).
 */
int secretfile_check(int fd);

/* Opens without blocking on what is no file. A descriptor or a negative errno. */
int secretfile_open(const char *path);

/* Opens, checks and reads. As secretfile_check, open(2), and buf_read_fd; wipe `b` in any case. */
int secretfile_read(struct buf *b, const char *path);

#define SECRETFILE_SHOWN_SIZE 512

/*
 * The path for a message about this error. Of a file that is not there whose name does not look like
 * one the directory alone: the secret itself may have been written where its file is named. Borrowed
 * from `path` or `out`.
 */
const char *secretfile_shown(const char *path, int error, char out[static SECRETFILE_SHOWN_SIZE]);

/* What an error of this file means to the person who can mend it. Borrowed. */
const char *secretfile_explain(int error);
