/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The rights that contraced gives up before it starts, so that an attacker who takes it over does
 * not have them either: system calls that no daemon of its kind needs, and, by Landlock, writing to
 * files outside its own directories. Reading is not restricted, as a reload may name other files.
 * If the store is a directory, Landlock is not used: the directory may be mounted and unmounted
 * while contraced runs, which Landlock's rules cannot follow. The inspector's child inherits all
 * this and has stricter rules of its own: lib/process/sandbox.h.
 *
 * Landlock also hides the descriptors of other processes, which contraced needs to find the process
 * behind a port. So it is used only where other processes cannot be seen anyway: in a container or
 * in the systemd unit.
 */

#include <stdbool.h>

#include "lib/config/config.h"

struct confinement;

/* True if /proc does not show other processes. */
bool confinement_alone(void);

/*
 * Puts all rules in force that the kernel supports, for good, and logs in one line which these are.
 * A kernel that lacks something is no error. `alone`: also use Landlock. Call this before the first
 * thread is started, as it binds only threads that are started later. 0 or -ENOMEM.
 */
int confinement_enter(const struct config *config, bool alone, struct confinement **ret);

void confinement_free(struct confinement *c);

/* Logs which settings of a configuration that was read later cannot work before a restart. */
void confinement_check(const struct confinement *c, const struct config *config);
