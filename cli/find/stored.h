/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The traces in the store, found with as few requests as the form of the keys allows.
 */

#include "cli/find/catalog.h"
#include "cli/find/selection.h"
#include "cli/find/sources.h"

/*
 * Adds the traces that match; `now` is real time. `newest`: no more than so many are wanted, the
 * newest of what the catalog holds then; 0: all. 0, -EINTR, or another negative errno after a
 * message.
 */
int stored_list(struct sources *s, const struct selection *selection, size_t newest, usec now,
                struct catalog *c);
