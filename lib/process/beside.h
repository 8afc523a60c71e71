/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where a program is that was built or installed together with this one.
 */

#define BESIDE_PATH_SIZE 4096

/* The one of that name in the directory of this program, as in a build directory, if it can be
 * executed; else the installed one. Returns `path`. */
const char *beside_find(const char *name, char path[static BESIDE_PATH_SIZE]);
