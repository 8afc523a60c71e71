/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Those who wait for credentials. Each is told once, or cancels (identity_wait_cancel), from
 * wherever it likes.
 */

struct identity_wait;

/*
 * 0: there is a set; a negative errno: there is none, and `why` says what to do about it. -EAGAIN:
 * the source is out of reach or in trouble, which passes; -EACCES: the store refused what the
 * source has; any other: a file or a setting must be mended. Called on the event loop, never from
 * inside identity_wait; it may wait again and cancel others, but not free the identity.
 */
typedef void (*identity_fn)(void *userdata, int r, const char *why);

/* NULL is fine. */
void identity_wait_cancel(struct identity_wait *w);

/* Begins a wait. NULL without memory. */
struct identity_wait *waiters_add(struct identity_wait **list, unsigned refused, identity_fn fn,
                                  void *userdata);

/*
 * Tells all who wait by now, and no one who begins to meanwhile: 0 if there is a set (version is
 * not 0) that is not the one that they refuse, else `r` and `why`, which is copied.
 */
void waiters_tell(struct identity_wait **list, unsigned version, int r, const char *why);
