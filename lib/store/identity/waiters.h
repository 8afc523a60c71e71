/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Those who wait for credentials. Each is told once, or cancels (identity_wait_cancel), from
 * wherever it likes.
 */

#include "lib/store/identity/identity.h"

/* Begins a wait. NULL without memory. */
struct identity_wait *waiters_add(struct identity_wait **list, unsigned refused, identity_fn fn,
                                  void *userdata);

/*
 * Tells all who wait by now, and no one who begins to meanwhile: 0 if there is a set (version is
 * not 0) that is not the one that they refuse, else `r` and `why`, which is copied.
 */
void waiters_tell(struct identity_wait **list, unsigned version, int r, const char *why);
