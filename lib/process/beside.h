/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where the programs are that belong to this one.
 */

#define BESIDE_PATH_SIZE 4096

/* The contrace beside the program that runs, as in a build directory; else the installed one. `path`
 * is room for the result. */
const char *beside_contrace(char path[static BESIDE_PATH_SIZE]);
