/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * DuckDB's command-line program, as it is on the PATH.
 */

#include "base/buf.h"

/*
 * Runs the script in a directory; what it prints goes to standard output. `format` is one of its
 * options, such as "-csv". 0; -ENOENT: there is no such program; -EIO: it ended with an error, which
 * it has printed; or another negative errno.
 */
int duckdb_run(const char *directory, const char *format, const struct buf *script);
