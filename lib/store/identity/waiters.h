/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The list of callers that wait for credentials. Each is told once, or cancels
 * (identity_wait_cancel) at any time.
 */

struct identity_wait;

/*
 * 0: there are credentials; a negative errno: there are none, and `why` says what to do. -EAGAIN: a
 * temporary error of the source; -EACCES: the store refused what the source has; any other: a file
 * or a setting must be repaired. Called on the event loop, never from identity_wait. It may wait
 * again and cancel others, but not free the identity.
 */
typedef void (*identity_fn)(void *userdata, int r, const char *why);

/* NULL is fine. */
void identity_wait_cancel(struct identity_wait *w);

/* Adds a waiter. NULL if memory is short. */
struct identity_wait *waiters_add(struct identity_wait **list, unsigned refused, identity_fn fn,
                                  void *userdata);

/*
 * Tells all present waiters, but none that is added meanwhile. A waiter gets 0 if there are
 * credentials (version is not 0) other than those it refuses, else `r` and `why`, which is copied.
 */
void waiters_tell(struct identity_wait **list, unsigned version, int r, const char *why);
