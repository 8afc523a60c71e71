/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Where file systems are mounted. */

/* 1 if a file system is mounted at the directory or at one above it, other than "/"; 0 if none is,
 * so that it lies on the file system of "/". Or a negative errno. */
int mount_above(int dir);
