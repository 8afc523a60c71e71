/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finds traces in the store, with as few requests as the keys' form allows.
 */

#include "cli/find/catalog.h"
#include "cli/find/selection.h"
#include "cli/find/sources.h"

/*
 * Adds the traces that match; `now` is real time. `newest`: only this many of the newest in the
 * catalog are wanted; 0: all. 0, -EINTR, or another negative errno after a message.
 */
int stored_list(struct sources *s, const struct selection *selection, size_t newest, usec now,
                struct catalog *c);
