/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The Authorization header of a request, made from secret files that are read anew at each use, so
 * that a rotated secret counts from the next request on.
 */

#include "base/buf.h"
#include "daemon/config/config.h"

/* A buffer for the header. Release it with buf_wipe. */
void credentials_init(struct buf *header);

/*
 * Appends "Authorization: …" to `header`; nothing when the configuration asks for none. A file that
 * others may read is refused (-EPERM), unless root put it on a memory file system, as Kubernetes
 * and systemd do with secrets. On error `text` says which file and why; it never holds a secret.
 */
int credentials_header(const struct auth_config *auth, struct buf *header, char *text,
                       size_t text_size);

