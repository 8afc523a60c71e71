/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files that hold secrets: who may be able to read one, and reading it whole into memory that the
 * caller wipes. Nothing here knows what is in the file.
 */

#include "base/buf.h"

/*
 * 0 if the file is private enough: (1) only its owner may read it; (2) a group of ours may, too
 * (0640), and root owns it or it lies on a memory file system, as an agent beside us writes it; (3)
 * root put it on a memory file system and nobody else may write it, as Kubernetes and systemd do
 * with secrets. A group may not read a person's file on a disk: whole departments share a group.
 * -EPERM if others may read it, -EINVAL if it is not a regular file, or the errno of fstat(2).
 */
int secretfile_check(int fd);

/* Opens it without waiting if it is a fifo or a device. A descriptor or a negative errno. */
int secretfile_open(const char *path);

/* Opens, checks and reads. As secretfile_check, open(2), and buf_read_fd; wipe `b` in any case. */
int secretfile_read(struct buf *b, const char *path);

#define SECRETFILE_SHOWN_SIZE 512

/*
 * The path for a message about this error. If the file does not exist and its name does not look
 * like a file's, only the directory: somebody may have written the secret where its file should be
 * named. Borrowed from `path` or `out`.
 */
const char *secretfile_shown(const char *path, int error, char out[static SECRETFILE_SHOWN_SIZE]);

/* What is wrong with the file, for the person who can repair it. Borrowed. */
const char *secretfile_explain(int error);
