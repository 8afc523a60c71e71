/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The groups of this process. */

#include <stdbool.h>
#include <sys/types.h>

/* True if this process has the group as its effective one or as a supplementary one. False also
 * when that cannot be found out. */
bool groups_have(gid_t group);
