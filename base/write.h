/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Writing to a file to the last byte. */

#include <stddef.h>

/* 0 or a negative errno; a part may be written then. */
int write_all(int fd, const void *data, size_t n);
