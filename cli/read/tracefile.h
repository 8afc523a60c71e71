/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Shared by commands that read a trace: an unlinked file for data that should not be in memory, and
 * the message when the trace's file is cut while it is read.
 */

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
