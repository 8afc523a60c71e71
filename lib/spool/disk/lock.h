/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTRACE_SPOOL_LOCK_H
#define CONTRACE_SPOOL_LOCK_H

/*
 * The lock that lets only one process use a spool. It ends with the process, however that ends, so
 * it is never stale.
 */

/*
 * Takes the lock of the directory that `dir` is open on (`path` is for messages) and writes our
 * process id into the lock file. The lock is held until *ret_fd is closed. A process drops a POSIX
 * lock when it closes *any* descriptor of the file, so nothing else may open it. 0; -EBUSY when
 * another process holds the lock; or another negative errno. Logs what is wrong.
 */
int lock_take(int dir, const char *path, int *ret_fd);

#endif
