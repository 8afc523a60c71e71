/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The table of the daemon's parts, one row each, in the order in which they are made (part.h).
 */

#include "daemon/part.h"

extern const struct part_table parts;
