/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A made-up /proc and /sys below a directory, and what the kernel says of the file system there. */

/* Writes a file, and makes the directories that it stands in. A NULL text: the directory alone. */
void hosttree_write(const char *root, const char *path, const char *text);

/* Opens the directory, for functions that read below it. */
int hosttree_open(const char *root);

/* The type that fstatfs(2) tells (wrapped) of what does not stand below /proc or /sys/devices: a
 * cgroup's unless a test says otherwise. */
extern long hosttree_type;

/* What has this in its path is an ordinary file system's, mounted over the kernel's; NULL: nothing
 * is. */
extern const char *hosttree_over;

/* The mount that statx(2) tells (wrapped); 0: it does not tell. */
extern unsigned long hosttree_mount;

/* The user that geteuid(2) tells (wrapped). */
extern unsigned hosttree_user;

/* As at the start: to be called before each test that changes one of these. */
void hosttree_reset(void);
