/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* gzip, from a file into memory and from memory to whoever writes it: for profiles. */

#include <stddef.h>

#include "base/buf.h"

/* Inflates the file from its begin. 0; -EBADMSG: it is not gzip, or not whole; -E2BIG, over the buffer's
 * maximum; -ENOMEM; or the errno of pread(2). */
int gzip_read(int fd, struct buf *ret);

/* Writes n bytes compressed. 0, -ENOMEM, or what `write` failed with. */
int gzip_write(const void *data, size_t n, int (*write)(void *userdata, const void *data, size_t n),
               void *userdata);
