/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Shared by unit tests with files and descriptors: a directory of their own that is removed with
 * everything in it, and the number of open descriptors. Every failure here ends the test program.
 */

#include <stddef.h>
#include <sys/types.h>

/*
 * The parent directory for sockets, wherever TMPDIR is: a socket's path may have only 107
 * characters, and contraced's addresses no blanks.
 */
#define SCRATCH_FOR_SOCKETS "/tmp"

/* Makes a directory below `parent`; NULL: below TMPDIR or /tmp. Release it with scratch_free. */
char *scratch_new(const char *parent);
void scratch_free(char *dir);

/* Setup and teardown of a group or a test that needs only one directory. */
extern char *scratch_dir;
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* The path of another program of the build, for example "tests/support/inspectee"; in a static
 * buffer. */
const char *scratch_built(const char *program);

/* The path of `name` in the directory; kept in one of eight static buffers. */
const char *scratch_path(const char *dir, const char *name);

/* Writes the file, replacing an old one, with exactly these permissions. Returns its path as
 * scratch_path does. */
const char *scratch_write(const char *dir, const char *name, const void *data, size_t n,
                          mode_t mode);
const char *scratch_text(const char *dir, const char *name, const char *text);

/*
 * A secret file with these permissions is refused wherever TMPDIR is. On a tmpfs, where Kubernetes
 * and systemd put secrets that root owns, it is not refused because others may read it, but because
 * they may write it.
 */
#define SCRATCH_EXPOSED ((mode_t)0646)

/* The numbers of this process's open descriptors and of its threads. */
size_t scratch_descriptors(void);
size_t scratch_threads(void);
