/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Shared by commands that read a trace: how it is opened, an unlinked file for data that should
 * not be in memory, and the message when the trace's file is cut while it is read.
 */

/* What a file is called in messages: '-' is "standard input". */
const char *tracefile_called(const char *path);

/* Opens a trace; '-' is standard input. The caller's descriptor, or a negative errno. */
int tracefile_open(const char *path);

/* The same for a trace that is read more than once, by lseek to its begin: what comes from a pipe is
 * copied to an unlinked file first. */
int tracefile_open_again(const char *path);

/*
 * Makes an unlinked file in $TMPDIR, /var/tmp or /tmp, else in memory. The descriptor, or a
 * negative errno. A gotrace_spill_fn; the argument is ignored.
 */
int tracefile_unnamed(void *userdata);

/*
 * From now on the process ends with a message if a mapped file (the trace or the unlinked one) is
 * cut or its disk fails.
 */
void tracefile_may_go_away(void);
