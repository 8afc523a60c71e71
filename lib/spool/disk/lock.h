/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_LOCK_H
#define CONTRACE_SPOOL_LOCK_H

/*
 * One process a spool. The lock ends with the process, however that ends, so it is never stale.
 */

/*
 * Takes the lock of the directory behind `dir` (`path` is for the messages) and writes our process
 * id into its file. Held until *ret_fd is closed: POSIX locks are dropped when *any* descriptor of
 * the file is, so nothing else may open it. -EBUSY when another process holds it. Logs what is
 * wrong.
 */
int lock_take(int dir, const char *path, int *ret_fd);

#endif
