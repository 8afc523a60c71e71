/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How a command of contrace with --sandbox confines itself before it reads the first byte of a trace. It
 * may then read and write open descriptors, allocate memory, and exit. It cannot open a file, make
 * a socket or a process, or execute anything.
 */

/* Exit statuses of a confined child, besides those of every command. */
#define SANDBOX_EXIT_FORMAT 3     /* a trace of a format that is not analysed */
#define SANDBOX_EXIT_MEMORY 4     /* memory was short */
#define SANDBOX_EXIT_UNCONFINED 5 /* sandbox_enter failed: nothing was read */

/*
 * Closes all descriptors but 0, 1 and 2, and gives up all other rights for good. Call it while the
 * process has one thread. 0, or a negative errno when the process is not confined.
 */
int sandbox_enter(void);
