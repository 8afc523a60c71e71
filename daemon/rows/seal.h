/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Compresses a file of JSON lines with gzip, in bounded memory.
 */

/*
 * Writes the whole lines of a file in the directory `from` that could be JSON objects into a new
 * file in the directory `to`, and makes that durable. A file of that name is replaced. On an error
 * the new file is unlinked. 0 or a negative errno. For disk threads.
 */
int seal_file(int from, const char *name, int to, const char *new_name);
