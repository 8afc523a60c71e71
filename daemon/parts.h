/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The parts of contraced: one row each, in the order in which they are made (part.h).
 */

#include "daemon/part.h"

extern const struct part_table parts;
