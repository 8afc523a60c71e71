/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Writes all bytes to a file. */

#include <stddef.h>

/* 0, or a negative errno after which a part may have been written. */
int write_all(int fd, const void *data, size_t n);
