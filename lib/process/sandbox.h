/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What `contrace summary --sandbox` does to itself before it reads the first byte of a trace: from
 * then on the process can read and write what is open, get memory, and end. It cannot open a file,
 * make a socket or a process, or execute anything.
 */

/* Exit statuses of a confined child beside those of every command, for whoever started it. */
#define SANDBOX_EXIT_FORMAT 3     /* a trace of a format that is not analysed */
#define SANDBOX_EXIT_MEMORY 4     /* memory was short */
#define SANDBOX_EXIT_UNCONFINED 5 /* sandbox_enter failed: nothing was read */

/*
 * Closes everything but the standard three, and lets go of the rest. Not to be undone. 0, or a
 * negative errno when the process is not confined. To be called while it has one thread.
 */
int sandbox_enter(void);
