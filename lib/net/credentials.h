/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The Authorization header of a request, made from secret files that are read anew at each use, so
 * that a rotated secret counts from the next request on.
 */

#include <stddef.h>

#include "base/buf.h"
#include "lib/net/access.h"

#define CREDENTIALS_SECRET_MAX (16u << 10) /* bytes of a secret file */

/*
 * Reads a file with one line, the secret, without white space around it; `secret`
 * is to be made for CREDENTIALS_SECRET_MAX bytes and wiped in any case. A file that others may read
 * is refused (-EPERM), unless root put it on a memory file system, as Kubernetes and systemd do
 * with secrets. On error `text` says which file and why; it never holds a secret.
 */
int credentials_read(const char *path, struct buf *secret, char *text, size_t text_size);

/* A buffer for the header. Release it with buf_wipe. */
void credentials_init(struct buf *header);

/*
 * Appends "Authorization: …" to `header`; nothing when no file is named. Errors as those of
 * credentials_read, or -E2BIG, -ENOMEM, and -EINVAL for a bearer token with a blank in it.
 */
int credentials_header(const struct access_auth *c, struct buf *header, char *text,
                       size_t text_size);

/* Appends "Authorization: Basic …" of a user and a password that is known. 0, -E2BIG, -ENOMEM. */
int credentials_basic(const char *user, const struct buf *password, struct buf *header);
