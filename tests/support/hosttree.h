/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A made-up /proc and /sys below a directory, and what the kernel says of the file system there. */

/* Writes a file, and makes the directories that it stands in. A NULL text: the directory alone. */
void hosttree_write(const char *root, const char *path, const char *text);

/* Opens the directory, for functions that read below it. */
int hosttree_open(const char *root);

/* The type that fstatfs(2) tells (wrapped): a cgroup's unless a test says otherwise. */
extern long hosttree_type;

/* The user that geteuid(2) tells (wrapped). */
extern unsigned hosttree_user;
