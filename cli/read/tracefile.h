/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What commands that read a trace share: the file without a name that holds what should not be in
 * memory, and the end when the file that is read goes away.
 */

/*
 * A file that nobody else can open, in $TMPDIR, /var/tmp or /tmp, else in memory. The descriptor,
 * or a negative errno. As gotrace_spill_fn; the argument is ignored.
 */
int tracefile_unnamed(void *userdata);

/*
 * A mapped file, the trace's or the one without a name, that is cut or whose disk fails ends the
 * process with a message from now on.
 */
void tracefile_may_go_away(void);
