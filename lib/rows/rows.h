/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The rows of a record: flat JSON objects, one a line, for engines that read JSON lines. One of the
 * capture itself, one of each finding, one of each outlier. docs/ROWS.md has the columns; later
 * versions only add some. Pure.
 */

#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"

#define ROWS_SCHEMA 1
#define ROWS_MAX ((size_t)1 << 20)          /* bytes of all rows of a record */
#define ROWS_RECORD_MAX ((size_t)256 << 10) /* bytes of a record that is read for its rows */

/*
 * Appends the rows of the record in `json`, whose artifact has the key; `written` is the real time
 * that stands in them. What a record lacks is left out. 0; -EINVAL: it is no key, or the text is no
 * JSON object; -E2BIG: there is no room in the buffer; or -ENOMEM. On an error the buffer is as it
 * was before.
 */
int rows_of_record(const char *key, const char *json, size_t n, usec written, struct buf *out);
