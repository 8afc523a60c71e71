/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The groups of this process. */

#include <stdbool.h>
#include <sys/types.h>

/* True for the effective one, and for a supplementary one. False, too, when it cannot be told. */
bool groups_have(gid_t group);
