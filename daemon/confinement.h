/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What contraced takes from itself before it starts, and so from whoever takes it over: system
 * calls that no daemon of its kind needs, and, by Landlock, writing to files but where its own are.
 * What it reads is not restricted: a reload may name other files. Neither is a store that is a
 * directory: it may be mounted and unmounted under way, which Landlock's rules cannot follow. The
 * inspector's child inherits all of it and has stricter rules of its own: lib/process/sandbox.h.
 *
 * Landlock also hides other processes' descriptors, by which the process behind a port is found.
 * So it is put in force only where others cannot be seen anyway: in a container or in the unit.
 */

#include <stdbool.h>

#include "lib/config/config.h"

struct confinement;

/* True where /proc does not show other processes. */
bool confinement_alone(void);

/*
 * Puts in force what the kernel knows, for good, and says in one line of the log what that is. A
 * kernel that lacks something is no error. `alone`: with Landlock. To be called before the first
 * thread is started, as it binds only those that come after. 0 or -ENOMEM.
 */
int confinement_enter(const struct config *config, bool alone, struct confinement **ret);

void confinement_free(struct confinement *c);

/* Says in the log what of a configuration that was read later cannot work before a restart. */
void confinement_check(const struct confinement *c, const struct config *config);
