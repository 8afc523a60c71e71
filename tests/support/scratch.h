/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What unit tests with files and descriptors share: a directory of their own that vanishes with all
 * that is in it, and the count of what is open. Every failure here ends the test program.
 */

#include <stddef.h>
#include <sys/types.h>

/*
 * The parent for sockets, wherever TMPDIR is: a socket's path takes 107 letters, and contraced's
 * addresses have no blanks.
 */
#define SCRATCH_FOR_SOCKETS "/tmp"

/* A new directory below TMPDIR or /tmp, or below `parent`. Release it with scratch_free. */
char *scratch_new(const char *parent);
void scratch_free(char *dir);

/* Setup and teardown of a group or a test that needs no more than one. */
extern char *scratch_dir;
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* The path of another program of the build, "tests/support/inspectee"; in a static buffer. */
const char *scratch_built(const char *program);

/* The path of `name` in the directory; kept in one of eight static buffers. */
const char *scratch_path(const char *dir, const char *name);

/* Writes the file anew, with exactly these permissions. Returns its path as scratch_path does. */
const char *scratch_write(const char *dir, const char *name, const void *data, size_t n,
                          mode_t mode);
const char *scratch_text(const char *dir, const char *name, const char *text);

/*
 * A secret with these permissions is refused wherever TMPDIR is. On a tmpfs, where Kubernetes and
 * systemd put what is root's, permission for others to read is no reason; to write is.
 */
#define SCRATCH_EXPOSED ((mode_t)0646)

/* The descriptors that this process has open; its threads. */
size_t scratch_descriptors(void);
size_t scratch_threads(void);
